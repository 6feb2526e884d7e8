"""Where linear algebra has no derivative, or several: the value agreed upon, or the error, and what the error says.

What holds at ordinary matrices is in table_linalg.py.
"""

from __future__ import annotations

import itertools
import math
import re
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.untyped import BVar, lift, tp
from typedprop.ops.linalg.powers import cheapest_order
from typedprop.testing import check_grads

la: Any = tp.linalg
LinAlgError = np.linalg.LinAlgError

SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 1.0, 1.0]])


def message_of(kind: type[Exception], call: Callable[[], Any]) -> str:
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def derivatives(f: Callable[[Any], Any], x: Any) -> dict[str, Callable[[], Any]]:
    """The ways to ask for a first derivative of `f` at the plain `x`."""
    value = f(BVar(x))
    weight = tp.tree.map(lambda leaf: BVar(np.ones(leaf.shape, leaf.dtype) if leaf.shape else 1.0), value)
    return {
        "reverse": lambda: tp.vjp(f, BVar(x))[1](weight),
        "forward": lambda: tp.jvp(f, BVar(x), BVar(np.ones_like(x))),
    }


def gradient(f: Callable[[Any], Any], x: Any) -> Any:
    return tp.grad(f)(BVar(x)).value


# -- Singular matrices ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("inv", lambda a: la.inv(a)),
        ("matrix_power", lambda a: la.matrix_power(a, -1)),
        ("solve", lambda a: la.solve(a, np.ones(2, dtype=a.dtype))),
        ("solve", lambda a: la.solve(a, np.ones((2, 4), dtype=a.dtype))),
    ],
)
def test_a_singular_matrix_has_no_inverse(name: str, call: Any, dtype: Any) -> None:
    a = np.array([[1, 2], [2, 4]], dtype)
    for x in (a, BVar(a)):
        assert message_of(LinAlgError, lambda: call(x)).startswith(  # noqa: B023
            f"{name}: the matrix, L[2, 2], is singular"
        )


@pytest.mark.parametrize("n", [3, 100])
def test_a_triangular_matrix_with_a_zero_in_its_diagonal(n: int) -> None:
    a = np.eye(n) + np.tri(n)
    a[2, 2] = 0.0
    for x in (a, BVar(a)):
        message = message_of(LinAlgError, lambda: la.solve_triangular(x, np.ones(n), lower=True))  # noqa: B023
        assert message.startswith("solve_triangular: the matrix, L[") and "its diagonal is zero in row 2" in message


@pytest.mark.parametrize("n", [3, 60, 131])
@pytest.mark.parametrize("lower", [True, False])
def test_the_other_triangle_is_not_looked_at(n: int, lower: bool) -> None:
    rng = np.random.default_rng(n)
    full = rng.normal(size=(n, n)) / n + 2 * np.eye(n)
    a = np.tril(full) if lower else np.triu(full)
    b = rng.normal(size=n)
    spoilt = np.where(a == 0, np.nan, a)
    x = la.solve_triangular(spoilt, b, lower=lower)
    np.testing.assert_allclose(x, np.linalg.solve(a, b), rtol=1e-12)
    g = gradient(lambda a: la.solve_triangular(a, b, lower=lower).sum(), spoilt)
    expected = -np.outer(np.linalg.solve(a.T, np.ones(n)), x)
    np.testing.assert_allclose(g, np.tril(expected) if lower else np.triu(expected), rtol=1e-10)


@pytest.mark.parametrize(("m", "n"), [(3, 3), (4, 3), (3, 4)])
def test_pseudo_inverses_of_deficient_rank(m: int, n: int) -> None:
    """They have a value, NumPy's, and jump there: no derivative."""
    a = np.outer(np.arange(1.0, m + 1), np.ones(n))
    b = np.arange(float(m))
    np.testing.assert_allclose(la.pinv(BVar(a)).value, np.linalg.pinv(a), atol=1e-14)
    np.testing.assert_allclose(la.lstsq(BVar(a), b).value, np.linalg.lstsq(a, b)[0], atol=1e-13)
    for name, f in (("pinv", la.pinv), ("lstsq", lambda a: la.lstsq(a, b))):
        for differentiate in derivatives(f, a).values():
            message = message_of(LinAlgError, differentiate)
            assert message.startswith(f"{name}: the matrix, L[{m}, {n}], is singular or of deficient rank")
            assert "not continuous" in message
    # By the right-hand side the solution is linear, whatever the rank.
    g = gradient(lambda b: la.lstsq(a, b).sum(), b)
    np.testing.assert_allclose(g, np.linalg.pinv(a).sum(axis=0), atol=1e-13)


def leibniz(a: Any) -> Any:
    """The determinant by its definition, a polynomial."""
    total: Any = 0.0
    for order in itertools.permutations(range(len(a))):
        sign = np.linalg.det(np.eye(len(order))[list(order)])
        product: Any = float(round(sign))
        for i, j in enumerate(order):
            product = product * a[i, j]
        total = total + product
    return total


@pytest.mark.parametrize(("n", "rank"), [(n, rank) for n in (1, 2, 3, 4) for rank in range(n + 1)])
def test_the_determinant_has_every_derivative_at_every_rank(n: int, rank: int) -> None:
    rng = np.random.default_rng([n, rank])
    a = BVar(rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n)))
    u, v, w = (BVar(rng.normal(size=(n, n))) for _ in range(3))

    def first(f: Any) -> Any:
        return lambda x: (tp.grad(f)(x) * u).sum()

    def second(f: Any) -> Any:
        return lambda x: tp.jvp(first(f), x, v)[1]

    def third(f: Any) -> Any:
        return lambda x: (tp.grad(second(f))(x) * w).sum()

    for derivative in (first, second, third):
        found, expected = (derivative(f)(a).value for f in (la.det, leibniz))
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-10)


def test_the_gradient_of_the_determinant_is_the_matrix_of_cofactors() -> None:
    np.testing.assert_allclose(gradient(la.det, np.diag([2.0, 3.0, 0.0])), np.diag([0.0, 0.0, 6.0]), atol=1e-15)
    assert np.array_equal(gradient(la.det, np.diag([2.0, 0.0, 0.0])), np.zeros((3, 3)))
    assert np.array_equal(gradient(la.det, np.zeros((1, 1))), np.ones((1, 1)))
    single = gradient(la.det, np.diag([2.0, 3.0, 0.0]).astype(np.float32))
    assert single.dtype == np.float32 and single[2, 2] == np.float32(6.0)


def test_the_determinant_at_a_nearly_singular_matrix() -> None:
    """The inverse has lost its digits there, the cofactors have not."""
    a = np.diag([1.0, 1.0, 1e-14])
    a[0, 1] = 0.5
    np.testing.assert_allclose(gradient(la.det, a)[2, 2], 1.0, rtol=1e-14)


def test_the_logarithm_of_a_determinant() -> None:
    sign, logarithm = la.slogdet(BVar(np.diag([2.0, -3.0])))
    assert (sign, logarithm.value) == (-1.0, np.log(6.0)) and type(sign) is float
    sign, logarithm = la.slogdet(BVar(SINGULAR * 0))
    assert (sign, logarithm.value) == (0.0, -np.inf)
    assert la.slogdet(SINGULAR * 0) == (0.0, -np.inf)
    # 400 decimal orders below the smallest number: the determinant itself is 0, the gradient is right.
    small = np.eye(400) * 0.01
    np.testing.assert_allclose(gradient(lambda a: la.slogdet(a)[1], small), np.eye(400) * 100)
    for differentiate in derivatives(lambda a: la.slogdet(a)[1], SINGULAR * 0).values():
        message = message_of(LinAlgError, differentiate)
        assert message.startswith("slogdet: the matrix, L[3, 3], is singular") and "det has one" in message


def test_the_condition_number_of_a_singular_matrix() -> None:
    assert la.cond(np.zeros((2, 2)), 1) == np.inf
    for order in (None, 2, 1, np.inf, "fro"):
        message = message_of(LinAlgError, lambda: la.cond(BVar(SINGULAR), order))  # noqa: B023
        assert message == "cond: the matrix, L[3, 3], is singular, and its condition number infinite"


# -- Symmetric matrices ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cholesky", "eigh", "eigvalsh"])
def test_a_matrix_that_is_not_symmetric(name: str) -> None:
    f = getattr(la, name)
    a = np.array([[2.0, 1.0], [0.5, 3.0]])
    for x in (a, BVar(a)):
        message = message_of(LinAlgError, lambda: f(x))  # noqa: B023
        assert message.startswith(f"{name}: the matrix, L[2, 2], is not symmetric") and "differ by 0.5" in message
        assert f"{name}(sym(a))" in message
    f(la.sym(a))


@pytest.mark.parametrize("name", ["cholesky", "eigh", "eigvalsh"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_matrix_that_is_symmetric_but_for_rounding(name: str, dtype: Any) -> None:
    a = np.array([[2.0, 1.0], [1.0, 3.0]], dtype)
    a[0, 1] *= 1 + 4 * np.finfo(dtype).eps
    value = getattr(la, name)(BVar(a))
    for part in value if isinstance(value, tuple) else (value,):
        assert part.dtype == dtype


def test_the_gradients_of_functions_of_symmetric_matrices_are_symmetric() -> None:
    a = np.array([[3.0, 1.0, 0.5], [1.0, 2.0, 0.2], [0.5, 0.2, 1.0]])
    functions: list[Callable[[Any], Any]] = [
        lambda a: (la.cholesky(a) * np.arange(9.0).reshape(3, 3)).sum(),
        lambda a: (la.eigvalsh(a) * np.arange(3.0)).sum(),
        lambda a: (la.eigh(a)[1] ** 3).sum(),
    ]
    for f in functions:
        g = gradient(f, a)
        np.testing.assert_allclose(g, g.T, atol=1e-13)
        assert np.abs(g).max() > 0.1


def test_a_matrix_that_is_not_positive_definite() -> None:
    for x in (-np.eye(2), BVar(-np.eye(2)), BVar(np.zeros((2, 2)))):
        message = message_of(LinAlgError, lambda: la.cholesky(x))  # noqa: B023
        assert message == "cholesky: the matrix, L[2, 2], is not positive definite"


# -- Equal eigenvalues and singular values --------------------------------------------------------------------------


@pytest.mark.parametrize("a", [np.eye(3), np.zeros((2, 2)), np.diag([1.0, 2.0, 2.0])])
def test_equal_eigenvalues(a: Any) -> None:
    n = len(a)
    # The values have a derivative in the direction of each eigenvector, and their sum is the trace.
    np.testing.assert_allclose(gradient(lambda a: la.eigvalsh(a).sum(), a), np.eye(n), atol=1e-15)
    np.testing.assert_allclose(gradient(lambda a: la.eigh(a)[0].sum(), a), np.eye(n), atol=1e-15)
    tangent = tp.jvp(la.eigvalsh, BVar(a), BVar(np.eye(n)))[1]
    np.testing.assert_allclose(tangent.value, np.ones(n))
    # The vectors have none.
    for differentiate in (
        lambda: gradient(lambda a: la.eigh(a)[1].sum(), a),
        lambda: tp.jvp(la.eigh, BVar(a), BVar(np.eye(n))),
        lambda: tp.hessian(lambda a: la.eigvalsh(a).sum())(BVar(a)),
    ):
        message = message_of(LinAlgError, differentiate)
        assert message.startswith(f"eigh: eigenvalues {n - 2} and {n - 1}") or message.startswith("eigh: eigenvalues 0")
        assert f"of the matrix, L[{n}, {n}], are equal" in message and "write eigvalsh(a)" in message


@pytest.mark.parametrize("a", [np.eye(3), np.eye(3)[:, :2], np.diag([2.0, 0.0, 0.0])])
def test_equal_singular_values(a: Any) -> None:
    left = gradient(lambda a: la.svdvals(a).sum(), a)
    np.testing.assert_allclose(left, (a != 0).astype(float), atol=1e-15)
    np.testing.assert_allclose(gradient(lambda a: la.svd(a)[1].sum(), a)[a != 0], 1.0)
    for differentiate in (
        lambda: gradient(lambda a: la.svd(a)[0].sum(), a),
        lambda: gradient(lambda a: la.svd(a)[2].sum(), a),
        lambda: tp.jvp(la.svd, BVar(a), BVar(a)),
    ):
        message = message_of(LinAlgError, differentiate)
        assert message.startswith("svd: singular values") and "are equal" in message and "svdvals(a)" in message


def test_a_singular_value_of_zero() -> None:
    """Its derivative is 0, as that of abs. The vectors have one in a square matrix only."""
    square = np.diag([2.0, 1.0, 0.0])
    np.testing.assert_allclose(gradient(lambda a: la.svdvals(a).sum(), square), np.diag([1.0, 1.0, 0.0]), atol=1e-15)
    assert np.isfinite(gradient(lambda a: (la.svd(a)[0] ** 3).sum(), square)).all()
    for shape in ((3, 2), (2, 3)):
        a = np.zeros(shape)
        a[0, 0] = 2.0
        message = message_of(LinAlgError, lambda: gradient(lambda a: la.svd(a)[0].sum(), a))  # noqa: B023
        assert "is not of full rank" in message and "svdvals(a)" in message


def test_dependent_columns_have_no_orthogonal_factor() -> None:
    for a in (SINGULAR.T, np.ones((4, 2)), np.ones((2, 4)), np.zeros((2, 2))):
        np.testing.assert_allclose(la.qr(BVar(a))[0].value @ la.qr(BVar(a))[1].value, a, atol=1e-13)
        for differentiate in derivatives(la.qr, a).values():
            message = message_of(LinAlgError, differentiate)
            assert message.startswith("qr: the matrix, L[") and "dependent columns have no derivative" in message


# -- Norms ----------------------------------------------------------------------------------------------------------

VECTOR_ORDERS = (None, 0, 1, 2, 3, 1.5, 0.5, -1, np.inf, -np.inf)
MATRIX_ORDERS = (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)


@pytest.mark.parametrize(
    ("shape", "order", "axis"),
    [
        *(((3,), order, None) for order in VECTOR_ORDERS),
        *(((2, 3), order, None) for order in MATRIX_ORDERS),
        *(((2, 3), order, axis) for order in VECTOR_ORDERS for axis in (0, 1)),
    ],
)
def test_the_derivatives_of_a_norm_are_0_where_it_is(shape: Any, order: Any, axis: Any) -> None:
    def f(x: Any) -> Any:
        y = la.norm(x, order, axis)
        return y.sum() if y.shape else y

    x = BVar(np.zeros(shape))
    assert f(x).value == 0.0
    v = BVar(np.random.default_rng(0).normal(size=shape))
    assert np.array_equal(tp.grad(f)(x).value, np.zeros(shape))
    assert tp.jvp(f, x, v)[1].value == 0.0
    if order in (None, "fro", 2, 3, 1.5) and (len(shape) == 1 or axis is not None or order != 2):
        assert np.array_equal(tp.hvp(f, x, v).value, np.zeros(shape))


@pytest.mark.parametrize("axis", [0, 1])
def test_a_norm_of_0_beside_others(axis: int) -> None:
    a = np.array([[0.0, 3.0], [0.0, 4.0]])
    a = a if axis == 0 else a.T
    for order in (None, 3):
        g = gradient(lambda a: la.norm(a, order, axis).sum(), a)  # noqa: B023
        length = np.linalg.norm([3.0, 4.0], order)
        expected = (a / length) ** ((order or 2) - 1)
        np.testing.assert_allclose(g, expected)
    g = tp.hvp(lambda a: la.norm(a, axis=axis).sum(), BVar(a), BVar(np.ones((2, 2)))).value
    assert np.isfinite(g).all() and np.array_equal(g[a == 0], np.zeros(2))


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
@pytest.mark.parametrize("order", [2, 3, 0.5])
def test_norms_neither_overflow_nor_underflow(scale: float, order: float) -> None:
    x = np.array([3.0, -4.0])
    expected = float(np.linalg.norm(x, order))
    assert la.norm(x * scale, order) == pytest.approx(expected * scale, rel=1e-13)
    found = gradient(lambda x: la.norm(x, order), x * scale)
    np.testing.assert_allclose(found, gradient(lambda x: la.norm(x, order), x), rtol=1e-12)
    rows = la.norm(np.stack([x * scale, x, x * 0]), order, axis=1)
    np.testing.assert_allclose(rows, [expected * scale, expected, 0], rtol=1e-13)


def test_norms_of_infinities_and_nans() -> None:
    assert la.norm(np.array([1.0, -np.inf])) == np.inf
    assert np.isnan(la.norm(np.array([1.0, np.nan])))
    assert la.norm(np.array([1.0, np.inf]), 3) == np.inf


def test_equally_large_elements_share_the_derivative_of_a_norm() -> None:
    assert gradient(lambda x: la.norm(x, np.inf), np.array([2.0, -2.0, 1.0])).tolist() == [0.5, -0.5, 0.0]
    assert gradient(lambda x: la.norm(x, 1), np.array([[1.0, 2.0], [-1.0, 0.0]])).tolist() == [[0.5, 0.5], [-0.5, 0.0]]
    assert gradient(lambda x: la.norm(x, 2), 3 * np.eye(2)).tolist() == [[0.5, 0.0], [0.0, 0.5]]


def test_a_zero_element_has_no_part_in_the_derivative_of_a_norm_below_2() -> None:
    for order in (1, 1.5, 0.5):
        g = gradient(lambda x: la.norm(x, order), np.array([0.0, 2.0]))  # noqa: B023
        np.testing.assert_allclose(g, [0.0, 1.0])


def test_norms_that_are_none() -> None:
    assert message_of(ValueError, lambda: la.norm(lift(3), "fro")).startswith(
        "norm: ord='fro' is not a norm of vectors"
    )
    for order in (3, 0, "other"):
        message = message_of(ValueError, lambda: la.norm(lift(2, 3), order))  # noqa: B023
        assert message.startswith(f"norm: ord={order!r} is not a norm of matrices; wanted") and '"nuc"' in message
    message = message_of(tp.ShapeError, lambda: la.norm(lift(2, 3, 2), 1))
    assert message == "norm: x is Tensor3[2, 3, 2], whose norm of ord=1 needs an axis"
    assert "x is a float; wanted a vector" in message_of(tp.ShapeError, lambda: la.norm(BVar(2.0)))
    assert "axis 2 is out of range for L[2, 3]" in message_of(tp.ShapeError, lambda: la.norm(lift(2, 3), axis=2))
    for x in (np.zeros(0), BVar(np.zeros(0))):
        assert "R[0] has no elements" in message_of(tp.ShapeError, lambda: la.norm(x, np.inf))  # noqa: B023
        assert "R[0] has no elements" in message_of(tp.ShapeError, lambda: la.norm(x, -np.inf))  # noqa: B023


# -- Functions of matrices ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sqrtm", "logm"])
def test_functions_that_are_not_real(name: str) -> None:
    f = getattr(la, name)
    for x in (-np.eye(2), BVar(-np.eye(2)), BVar(np.diag([-1.0, 2.0]).astype(np.float32))):
        message = message_of(LinAlgError, lambda: f(x))  # noqa: B023
        assert message == f"{name}: the matrix, L[2, 2], has negative eigenvalues, and no real {name}"
    for x in (SINGULAR, BVar(SINGULAR), BVar(np.zeros((3, 3)))):
        message = message_of(LinAlgError, lambda: f(x))  # noqa: B023
        assert message == f"{name}: the matrix, L[3, 3], is singular, where {name} has no derivative"
    # A rotation has neither a real eigenvalue nor a trouble.
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    assert np.isrealobj(f(turn)) and np.isfinite(gradient(lambda a: f(a).sum(), turn)).all()


@pytest.mark.parametrize("name", ["expm", "sqrtm", "logm"])
def test_what_needs_scipy_says_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.linalg", None)
    for x in (np.eye(2), BVar(np.eye(2))):
        message = message_of(ImportError, lambda: getattr(la, name)(x))  # noqa: B023
        assert message == f"linalg.{name} needs scipy, which is not installed: pip install 'typedprop[special]'"


def test_powers() -> None:
    a = np.array([[1.0, 2.0], [0.0, 1.0]])
    assert np.array_equal(la.matrix_power(BVar(a), 0).value, np.eye(2))
    assert np.array_equal(gradient(lambda a: la.matrix_power(a, 0).sum(), a), np.zeros((2, 2)))
    one = la.matrix_power(a, 1)
    assert np.array_equal(one, a) and not np.shares_memory(one, a)
    with pytest.raises(TypeError):
        la.matrix_power(a, 0.5)


# -- Against the original -------------------------------------------------------------------------------------------


def test_the_covariance_divides_by_one_less_than_the_observations() -> None:
    x = np.array([[1.0, 2.0], [3.0, 5.0], [2.0, 1.0]])
    np.testing.assert_allclose(la.covariance(x), np.cov(x, rowvar=False))
    g = gradient(lambda x: la.covariance(x)[0, 0], x)
    np.testing.assert_allclose(g, [[-1.0, 0.0], [1.0, 0.0], [0.0, 0.0]], atol=1e-15)


def test_eigenvectors_divide_by_the_differences_of_eigenvalues() -> None:
    a = np.diag([1.0, 1.5])
    tangent = tp.jvp(la.eigh, BVar(a), BVar(np.array([[0.0, 1.0], [1.0, 0.0]])))[1][1].value
    np.testing.assert_allclose(np.abs(tangent), [[0.0, 2.0], [2.0, 0.0]], atol=1e-15)


# -- Sizes and kinds ------------------------------------------------------------------------------------------------

SQUARE = ("inv", "det", "slogdet", "cholesky", "eigh", "eigvalsh", "expm", "sqrtm", "logm", "sym")
MATRIX = ("pinv", "qr", "svd", "svdvals", "trace", "mTm", "covariance")


@pytest.mark.parametrize("name", [*SQUARE, *MATRIX, "matrix_power"])
def test_arguments_that_are_no_matrices(name: str) -> None:
    def f(a: Any) -> Any:
        return la.matrix_power(a, 2) if name == "matrix_power" else getattr(la, name)(a)

    argument = "x" if name == "covariance" else "a"
    for given, described in (
        (lift(3), "R[3]"),
        (lift(2, 3, 2), "Tensor3[2, 3, 2]"),
        (BVar(1.0), "float"),
        (1.0, "float"),
    ):
        message = message_of(tp.ShapeError, lambda: f(given))  # noqa: B023
        assert message == f"{name}: {argument} is {described}; wanted a matrix L[m, n]"
    if name not in MATRIX:
        for given in (lift(2, 3), np.ones((2, 3))):
            message = message_of(tp.ShapeError, lambda: f(given))  # noqa: B023
            assert message == f"{name}: a is L[2, 3]; wanted a square matrix L[n, n]"
    for given in ([[1.0, 2.0], [3.0, 4.0]], np.eye(2) * 1j, None):
        message = message_of(tp.DTypeError, lambda: f(given))  # noqa: B023
        assert message.startswith(f"{name}: wanted a BVar, a float or a float array, got a")


def test_right_hand_sides_that_do_not_fit() -> None:
    for name in ("solve", "solve_triangular", "lstsq"):
        f = getattr(la, name)
        for b, described in ((lift(3), "R[3]"), (np.ones((3, 2)), "L[3, 2]"), (lift(2, 2, 2), "Tensor3[2, 2, 2]")):
            message = message_of(tp.ShapeError, lambda: f(lift(2, 2), b))  # noqa: B023
            assert message == f"{name}: b is {described}; wanted R[2] or L[2, k], as a has 2 rows"
        with pytest.raises(tp.DTypeError, match=f"{name}: .*float32.*float64"):
            f(lift(2, 2), lift(2, dtype=np.float32))
    with pytest.raises(tp.ShapeError, match=r"solve: a is L\[3, 2\]; wanted a square"):
        la.solve(lift(3, 2), lift(3))


def test_other_sizes_that_do_not_fit() -> None:
    assert "x is L[1, 3]; wanted two rows" in message_of(tp.ShapeError, lambda: la.covariance(lift(1, 3)))
    message = message_of(tp.ShapeError, lambda: la.multi_dot([lift(2, 3), lift(2, 3)]))
    assert message == "multi_dot: L[2, 3] @ L[2, 3]: the sizes 3 and 2 differ"
    assert "wanted matrices only" in message_of(tp.ShapeError, lambda: la.multi_dot([lift(2, 3), lift(3)]))
    assert "two matrices or more, got 1" in message_of(tp.ShapeError, lambda: la.multi_dot([lift(2, 3)]))
    assert "a is L[0, 2]; wanted a matrix with elements" in message_of(tp.ShapeError, lambda: la.cond(np.zeros((0, 2))))
    assert "cond: a is L[2, 3]; wanted a square" in message_of(tp.ShapeError, lambda: la.cond(lift(2, 3), 1))


def test_multi_dot_multiplies_in_the_cheapest_order() -> None:
    # For each run of factors (first, last), where its last multiplication splits it.
    assert cheapest_order([100, 100, 100, 1]) == {(0, 1): 0, (1, 2): 1, (0, 2): 0}
    assert cheapest_order([1, 100, 100, 100])[0, 2] == 1
    assert cheapest_order([10, 1, 10, 1, 10])[0, 3] == 0
    a, b, c = (np.random.default_rng(k).normal(size=shape) for k, shape in enumerate([(9, 9), (9, 9), (9, 1)]))
    np.testing.assert_allclose(la.multi_dot([a, b, c]), a @ (b @ c))


def test_multi_dot_of_three_factors_of_any_sizes() -> None:
    """The product is finite in the order that takes less work, and would overflow in the other one."""
    for p, q, r, s in itertools.product((1, 2, 3, 10), repeat=4):
        left, right = p * r * (q + s), q * s * (p + r)
        if left == right:
            continue
        sizes = (1e-200, 1e200, 1e200) if left < right else (1e200, 1e200, 1e-200)
        factors = [np.full(shape, size) for shape, size in zip(((p, q), (q, r), (r, s)), sizes, strict=True)]
        np.testing.assert_allclose(la.multi_dot(factors), np.full((p, s), q * r * 1e200))


# What their derivatives are made of: sums, products and the operations below.
COMPOSED = {"LinAlgError", "cond", "covariance", "mTm", "matrix_power", "multi_dot", "norm", "sym", "trace"}


@pytest.mark.parametrize("name", sorted({*la.__all__} - COMPOSED))
def test_the_source_of_a_rule_is_named(name: str) -> None:
    assert re.search(r"\(\d{4}\)|Mathias 1996|Jacobi's formula|that of `solve`", getattr(la, name).__doc__)
    assert "Error" in getattr(la, name).__doc__


def test_the_logarithm_of_a_rotation_is_real() -> None:
    """SciPy computes it by complex numbers, whose imaginary parts are rounding."""
    turn = np.array([[math.cos(1.0), -math.sin(1.0)], [math.sin(1.0), math.cos(1.0)]])
    found = tp.linalg.logm(turn)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, [[0.0, -1.0], [1.0, 0.0]], atol=1e-12)


def test_least_squares_along_the_right_side_alone() -> None:
    a = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
    b, v = BVar(np.array([1.0, 0.0, 2.0])), BVar(np.array([0.5, -1.0, 1.0]))
    expected = np.linalg.pinv(a) @ v.value
    np.testing.assert_allclose(tp.jvp(lambda b: tp.linalg.lstsq(a, b), b, v)[1].value, expected, rtol=1e-12)
    # The matrix is recorded, but no tangent reaches it.
    alone = tp.jvp(lambda b: tp.linalg.lstsq(a + 0.0 * tp.sign(b).sum(), b), b, v)[1]
    np.testing.assert_allclose(alone.value, expected, rtol=1e-12)


def test_a_loss_of_the_right_singular_vectors_alone() -> None:
    a = BVar(np.array([[3.0, 1.0, 0.5], [0.2, 2.0, -1.0]]))
    check_grads(lambda a: tp.linalg.svd(a)[2][0, 1] ** 2, [a])
    check_grads(lambda a: tp.linalg.svd(a)[0][0, 1] ** 2, [a])


@pytest.mark.parametrize("name", ["solve", "lstsq"])
def test_a_right_side_that_is_no_array_of_floats_is_refused(name: str) -> None:
    for a in (np.eye(2), lift(2, 2)):
        for b, what in (("text", "a str"), (None, "a NoneType"), (np.array(["a", "b"]), "an array of dtype <U1")):
            with pytest.raises(tp.DTypeError) as caught:
                getattr(la, name)(a, b)
            assert str(caught.value) == f"{name}: wanted a BVar, a float or a float array, got {what}"


EPS = float(np.finfo(float).eps)


@pytest.mark.parametrize(("steps", "regular"), [(160, True), (2, False)])
def test_how_far_apart_singular_values_have_to_be(steps: int, regular: bool) -> None:
    """In steps of the largest one's rounding: 8 by 8, what LAPACK may be wrong by is 8 of them."""
    values = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.4 - steps * EPS])
    assert np.linalg.svd(np.diag(values))[1].tolist() == values.tolist()
    pull = tp.vjp(lambda a: la.svd(a)[0], BVar(np.diag(values)))[1]
    if regular:
        slope = pull(BVar(np.outer(np.eye(8)[6], np.eye(8)[7]))).value[6, 7]
        np.testing.assert_allclose(abs(slope) * steps * EPS, 0.5, rtol=0.05)
    else:
        message = message_of(LinAlgError, lambda: pull(BVar(np.eye(8))))
        assert "svd: singular values 6 and 7 of the matrix, L[8, 8], are equal (0.4)" in message


@pytest.mark.parametrize(("steps", "slope"), [(160, 1.0), (2, 0.0)])
def test_how_far_from_zero_a_singular_value_has_to_be(steps: int, slope: float) -> None:
    values = np.array([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, steps * EPS])
    slopes = gradient(lambda a: la.svdvals(a).sum(), np.diag(values))
    np.testing.assert_allclose(slopes, np.diag([1.0] * 7 + [slope]), atol=1e-12)


def test_the_determinant_of_one_number_is_linear() -> None:
    """At 0, too, where the matrix is singular."""
    value, bend = tp.value_and_grad(lambda a: (tp.grad(la.det)(a) * np.array([[3.0]])).sum())(BVar(np.zeros((1, 1))))
    assert value.value == 3.0 and bend.value.tolist() == [[0.0]]


def test_norms_warn_of_no_underflow() -> None:
    """Squares of small numbers beside large ones vanish, which is no news."""
    for x in (np.array([1.0, 1e-320, -1.0]), np.array([1e-160, 1e-320, -1e-160])):
        with np.errstate(all="raise"):
            norms = [la.norm(x, order) for order in (None, 2, 3, 2.5)]
            deviation = tp.std(x)
        np.testing.assert_allclose(norms, [x[0] * 2 ** (1 / p) for p in (2, 2, 3, 2.5)])
        np.testing.assert_allclose(deviation, x[0] * math.sqrt(2 / 3))
