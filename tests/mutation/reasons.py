"""Why a mutant lives: reasons for groups of them, by what they change and where."""

from __future__ import annotations

import re
from typing import Any

COPY = "a copy more or less, of an array that nobody else holds or of a number, changes no value"
FRESH = "without the mark that a cotangent is new, or a view of one, a sweep makes one more copy; the value is the same"
ONLY = "the first of one is also the last, and the only axis of a vector has two numbers"
LEFT_OVER = "NumPy takes any negative size for the one that is left over"
EITHER = "it chooses between two ways to the same value, one the faster for most operands"
SQUARE = "what is added where a matrix is not square is zero, but for rounding, where it is"
ROUNDED = "it differs where two rounded numbers are equal to the last bit"
MASKED = "what stands here is masked, or multiplied by zero, in the next step"
FAR = "from here on the function is what it is at the bound, to the last bit: how far out the bound lies is free"
COMMUTES = "the two operands commute"
PAIRS = "sizes and steps are paired off, and their products or sums commute"
SIGNLESS = "of absolute values, or of squares, which know no sign"
EMPTY = "of a matrix without elements, in which there is nothing to compare"
TOLERANCE = "a tolerance, which is free within a power of ten"
QUIET = "it keeps NumPy from warning of a step whose result is not used"
DEFAULT = "it is what NumPy, or the function called, takes where nothing is said"
PAIRS_KEPT = "how many pairs are kept before they are added up: memory, and no value"
SAME = "it is asked whether they are the same, which knows no order"
CACHE = "what is kept is made again, and the same"
FRAMES = "the frames between are the library's own"
LOOK = "a look ahead, which saves time"
NOTHING = "the search finds nothing there"
RELEASE = "it lets go of what is no longer needed: memory, and no value"
NO_NODE = "any number that is no node's says that there is none"
NOT_KEPT = "no derivative that is computed so is kept, or a view of what is: in place or not, the product is the same"
FALSY = "None is as false as False, where nothing but the truth of it is asked"
EQUAL = "sizes are compared for being equal, which knows no order"
TWIN = "both are the same function, but for the names of its arguments"
SHORT = "how far the search goes: it is short, and where it ends is free"
BY_IDENTITY = "the entries of leaves and of static values are told by identity, and nobody asks what else they hold"
BIRTHS = "no two tapes have one number, and none is younger than itself"
OWN_RULE = "a rule of its own spares the product with the derivative; the value is the same"

# Module, scope, change (regular expressions that must match from the beginning), and the reason.
REASONS: tuple[tuple[str, str, str, str], ...] = (
    (r".*", r".*", r"(.*), copy=False\) -> \1\)$", COPY),
    (r".*ops/arrangement", r"_taken$", r"type\(y\) is BVar or not shape_of\(y\) -> type\(y\) is BVar", COPY),
    (r".*ops/differences", r"diff$", r"type\(x\) is BVar or order -> type\(x\) is BVar", COPY),
    (r".*ops/windows", r"windows$", r".*writeable=False|False -> True", "no caller writes to the view"),
    (r".*", r".*", r".*fresh=(True|fresh)(, view=view)?\) -> (?!.*fresh=)", FRESH),
    (r".*ops/", r"(append|_nonempty|convolve|repeat|take|row|col|diag|squeeze|_running|_others)$", r"0 -> -1", ONLY),
    (r".*ops/joining", r"_stack$", r"0 -> -1", "all shapes are equal here"),
    (r".*ops/joining", r"_pieces$", r"-?1 -> ", "without a tape there is no entry, whose number this would be"),
    (r".*ops/joining", r"_pieces$", r"type\(inner\)", EITHER),
    (r".*ops/quantile", r"_weights$", r"1 -> 2$", LEFT_OVER),
    (r".*ops/arrangement", r"_means$", r"1 -> 2( \(2\))?$", LEFT_OVER),
    (r".*ops/arrangement", r"_groups$", r"1 -> 2 \(7\)$", LEFT_OVER),
    (r".*ops/mapping", r"gather\.joint\.pull$", r"1 -> 2$", LEFT_OVER),
    (r".*ops/einsum", r"_value$", r"(-?\w+ -> |.*shared|.*len\(arrays\)|_numpy_einsum)", EITHER),
    (r".*ops/einsum", r"_matrix_product$", r"k in b and", "a label of one operand alone was summed over before"),
    (r".*ops/einsum", r"checked_operands$", r"0 -> -1", "all have one dtype here"),
    (r".*ops/einsum", r"checked_operands$", r"False -> True", COPY),
    (
        r".*ops/einsum",
        r"_parsed$",
        r"(max\(ranks|0 -> )",
        "there is an operand: a subscript of none has a term none fits",
    ),
    (r".*ops/einsum", r"tensordot$", r"min\(len", COMMUTES),
    (r".*ops/einsum", r"_without_stretched$", r"0 -> -1", ONLY),
    (r".*ops/linalg/checks", r"want_square$", r"0 -> ", "both sizes of a square matrix"),
    (r".*ops/linalg/(cholesky|determinant)", r"(_half_lower|_cofactors)$", r"0 -> ", "both sizes of a square matrix"),
    (r".*ops/linalg/determinant", r"_inverse_if_well$", r"(-?[01](\.0)? -> |np\.abs|condition)", EITHER),
    (r".*ops/linalg/determinant", r"_cofactors$", r"1 -> 0$", EITHER),
    (r".*ops/linalg/determinant", r"_cofactors$", r"i \+ j -> i - j", "both are even, or both odd"),
    (r".*ops/linalg/determinant", r"_plain_cofactors$", r".*sign.* -> .* / ", "a sign is its own reciprocal"),
    (r".*ops/linalg/solve", r"_substitution$", r"(n <= _BLOCK|2 -> 3|0 -> -1)", EITHER),
    (
        r".*ops/linalg/powers",
        r"cheapest_order$",
        r"0 -> -?1$",
        "each order has as many factors, which cost this much each",
    ),
    (r".*ops/linalg/powers", r"matrix_power$", r"(n < 0|0 -> 1)", "the power 0 was answered before"),
    (r".*ops/linalg/powers", r"matrix_power$", r"power @ a", "powers of one matrix commute"),
    (r".*ops/linalg/", r".*", r"(rows|columns|shape\[\d\]) > (rows|columns|shape\[\d\]) -> .*>=", SQUARE),
    (r".*ops/linalg/qr", r"qr$", r"m >= n -> m > n", SQUARE),
    (r".*ops/linalg/svd", r"_inverse_gaps$", r"(gaps\.min\(\)|values\[-1\]) <= nothing -> .* < ", ROUNDED),
    (r".*ops/linalg/norm", r"_two_norm$", r"y > np\.sqrt\(np\.finfo\(x\.dtype\)\.tiny\) -> y >= ", ROUNDED),
    (r".*ops/spread", r"_std$", r"y > np\.sqrt\(np\.finfo\(x\.dtype\)\.tiny\) -> y >= ", ROUNDED),
    (r".*transform/implicit", r"_check_solution$", r"size <= allowed", ROUNDED),
    (r".*ops/linalg/(svd|eigen)", r"_inverse_gaps$", r"columns", "the diagonal, which the numerator makes zero"),
    (r".*ops/linalg/svd", r"(_inverse_gaps|_kept)$", r"1 -> 2$", TOLERANCE),
    (r".*ops/linalg/svd", r"(_inverse_gaps|_kept)$", r"max\((\w|\()+\)*, 1\) -> max\(1, ", COMMUTES),
    (r".*ops/linalg/checks", r"tolerance$", r"(-?0(\.0)? -> |max)", EMPTY),
    (r".*ops/linalg/checks", r"symmetric_part$", r"(a - a\.T|0\.0 -> -1\.0)", SIGNLESS),
    (r".*ops/linalg/statistics", r"covariance$", r"x - x\.mean", SIGNLESS),
    (r".*ops/linalg/functions", r"_by_scipy$", r"(1e-08|np\.abs)", "only older releases of SciPy give complex arrays"),
    (
        r".*ops/linalg/(functions|inverse)",
        r"_?want_\w+$",
        r"([ax])\.size and (.*) -> \2$",
        "a matrix without elements has full rank",
    ),
    (r".*ops/linalg/norm", r"_(two|p)_norm$", r"0\.0 -> -1\.0", SIGNLESS),
    (r".*ops/linalg/norm", r"_unit$", r"y \+ hole", MASKED),
    (r".*ops/linalg/norm", r"_p_partial$", r"(p < 2|2 -> )", "where no ratio is zero, nothing is added"),
    (r".*ops/linalg/norm", r"_vector_norm$", r"(ord is None or|1 -> 2|ord > 0|0 -> (1|-1)$)", EITHER),
    (
        r".*ops/linalg/norm",
        r"_matrix_norm$",
        r"(ord > 0|0 -> -1)",
        "an order is 1, 2 or infinite here, or minus one of them",
    ),
    (r".*ops/activation", r"_below$", r"(plain\(x\) > 0|0 -> 1|0\.0 -> )", MASKED),
    (r".*ops/activation", r"<lambda>$", r"(x > 0 -> x >= 0|0 -> 1 \((8|10)\)$)", MASKED),
    (r".*ops/activation", r"_gelu\w*$", r"[34]0\.0 -> ", FAR),
    (r".*ops/activation", r"<lambda>$", r"10000\.0 -> ", FAR),
    (r".*ops/activation", r".*", r"clip\(x, ", "the middle one of three numbers"),
    (r".*ops/activation", r"_hard_silu_slope$", r"3 -> 2 \([35]\)$", MASKED),
    (r".*ops/cumulative", r"_recurrence_of_arrays$", r"run < n", "one step more would join runs that are empty"),
    (r".*ops/arrangement", r"_axes$", r"return tuple", "NumPy, too, takes no axis for all of them"),
    (r".*ops/arrangement", r"sort$", r"np\.argsort", "equal elements share, in whichever order they come"),
    (r".*ops/arrangement", r"take_along_axis$", r"zip\(", EQUAL),
    (
        r".*ops/convolution",
        r"(<lambda>|convolve)$",
        r"(np\.convolve|_FULL|_VALID|sizes\[0\])",
        "a convolution commutes",
    ),
    (r".*ops/windows", r"windows$", r"zip\(", PAIRS),
    (r".*ops/product", r"kron$", r"zip\(", PAIRS),
    (r".*ops/(convolution|pooling)", r"(_conv|_prepared)$", r"rank - 1 -> 1 - rank", "the second and the last of two"),
    (r".*ops/reduction", r"_softmax_weights$", r"(-?0(\.0)? -> |top > 0|choose|np\.where)", MASKED),
    (r".*ops/reduction", r"_left$", r"axis or \(\) -> axis", "where all axes are reduced, nobody asks which are left"),
    (r".*ops/special", r"_bessel_value$", r"0 -> -?1$", EITHER),
    (r".*ops/special", r"_bessel_value$", r"np\.abs\(x\) < (.*) -> np\.abs\(x\) <= \1$", ROUNDED),
    (r".*ops/special", r"(_safe|_x_log_y)$", r"(1\.0 -> 2\.0|1 -> 2|np\.where\(zero)", MASKED),
    (r".*ops/special", r"_betaln$", r"_scipy", COMMUTES),
    (r".*ops/special", r"(i0|i1e)$", r"_BESSEL\((.*), (0|1), (False|True)\) -> ", "0 is False and 1 is True"),
    (r".*ops/elementwise", r"ratio$", r"(0\.0 -> |1\.0 -> )", "0 is divided, or multiplied, by it"),
    (
        r".*ops/elementwise",
        r"_sinc_derivative$",
        r"(np\.abs\(x\) < 1 -> .*<= 1|1 -> 2$|1 -> 0 \(7\)|0 -> -1$|0\.0 -> |1\.0 -> )",
        "the other way holds there, too",
    ),
    (r".*ops/elementwise", r"_sinc_derivative$", r"30 -> ", FAR),
    (r".*ops/elementwise", r"_sigmoid_number$", r"(x >= 0|0 -> )", EITHER),
    (r".*ops/elementwise", r"over$", r"(is_plain|type\()", EITHER),
    (r".*ops/elementwise", r"<lambda>$", r"hypot", COMMUTES),
    (r".*ops/elementwise", r"where$", r"mask\.shape == shape", EITHER),
    (r".*ops/fused", r"cross_entropy$", r"alarmed\(\)\.run\(_MULTIPLY", COMMUTES),
    (r".*ops/softmax", r"softmax_cross_entropy$", r"(tape is None (or|->)|on\(tape, logits\) -> on\(logits)", EITHER),
    (r".*ops/fused", r"cross_entropy_of_arrays$", r"(tape is None (or|->)|2 -> 1$|return record)", EITHER),
    (r".*ops/softmax", r"_below_top$", r"False -> True", COPY),
    (r".*arithmetic", r"scaled_by\.apply$", r"(d\.dtype is|np\.multiply)", EITHER),
    (
        r".*arithmetic",
        r"sum_to$",
        r"(1 -> 0 \(3\)|(shape\[axis - lead\] == 1) and size != 1 -> \2$)",
        "a sum over an axis of one element is that element",
    ),
    (r".*arithmetic", r"sum_to$", r"True -> False$", "what is summed gets its shape in the next step"),
    (r".*arithmetic", r"shape_of$", r"kind is float or kind in FOUND -> kind in FOUND$", EITHER),
    (r".*arithmetic", r"_transposed_hint$", r"zip\(", EQUAL),
    (
        r".*arithmetic",
        r"module$",
        r"Rule\('(negative|transpose|mT|at|abs|log)', lambda .* -> Rule\('\w+', lambda t",
        TWIN,
    ),
    (r".*arithmetic", r"module$", r"_product\('dot', ", TWIN),
    (r".*", r"module$", r".*(fresh|view)=True\) -> (?!.*=True)", FRESH),
    (r".*(arithmetic|tape)", r"(module|_product)$", r"True -> False( \(\d+\))?$", FRESH),
    (r".*ops/(?!activation)", r"(module|weighted)$", r"True -> False( \(\d+\))?$", FRESH),
    (
        r".*ops/",
        r"module$",
        r".*number=.* -> (?!.*number=)",
        "numbers are then computed as arrays are, by the slower way",
    ),
    (r".*arithmetic", r"_leaf_power$", r"_times\(", COMMUTES),
    (r".*arithmetic", r"module$", r"(Operand\('.', .*), rule=(RULES\[\w+\]|NEGATE)\) -> \1\)", OWN_RULE),
    (r".*arithmetic", r"module$", r".*, slopes=lambda a, b: \(.*\)\) -> (?!.*slopes=)", EITHER),
    (r".*arithmetic", r"module$", r"(.*, keeps=False, .* -> (?!.*keeps=)|False -> True \([23]\)$)", COPY),
    (
        r".*arithmetic",
        r"module$",
        r"Binary\('(\*|/|\*\*)', operator\.\w+, .* -> Binary\(operator",
        "of the operations on other types only the derivatives are taken",
    ),
    (r".*arithmetic", r"broadcast_shape$", r"(x == y or|len\(x\) > len\(y\))", EITHER),
    (r".*arithmetic", r"_pull_sum$", r"shape_of\(g\) and", "a reshape to the shape that it has"),
    (
        r".*arithmetic",
        r"power_slope$",
        r"(type\(exponent\)|exponent > 1|[12] -> |shape_of\(x\) -> not shape_of\(x\)( \(2\))?$)",
        EITHER,
    ),
    (r".*arithmetic", r"array_product$", r"(1 -> 0|1 -> 2 \([23]\)|2 -> 1 \(2\)|y\.flags\.fnc -> not)", EITHER),
    (
        r".*arithmetic",
        r"matmul_rules$",
        r"(1 -> [02] \(3\)|2 -> 3 \(4\)|1 -> 2 \(7\)|0 -> -1 \(3\)"
        r"|type\(y\) is NDARRAY and y\.flags\.fnc -> type\(y\) is NDARRAY$)",
        EITHER,
    ),
    (
        r".*ops/activation",
        r"(<lambda>|_softplus_number)$",
        r"builtins\.max",
        "NaN was answered before, or is what comes after",
    ),
    (r".*ops/joining", r"hstack$", r"0 -> -1", ONLY),
    (r".*ops/joining", r"split$", r"0 -> (1|-1) \(2\)", "a slice of no elements has none, wherever it begins"),
    (r".*ops/linalg/norm", r"<lambda>$", r"_along", COMMUTES),
    (r".*ops/linalg/(cholesky|qr)", r".*", r"_solve\(.*lower=False", "the default"),
    (r".*ops/linalg/powers", r"matrix_power$", r"power is a and (type\(a\) is not BVar) -> \1", COPY),
    (
        r".*ops/convolution",
        r"_of_kernel$",
        r"(np\.moveaxis|g\.reshape)",
        "both axes are joined again, or exchanged, in the same order",
    ),
    (r".*ops/diagonal", r"_on_diagonal$", r"max", COMMUTES),
    (r".*ops/quantile", r"_weights$", r"min", COMMUTES),
    (r".*ops/arrangement", r"repeat$", r"0 -> 1", "it is compared with 0 only"),
    (r".*ops/special", r"_bessel_slope$", r"order - 1", "the function of the order -n is that of n"),
    (r".*ops/einsum", r"_value$", r"\{", EITHER),
    (
        r".*ops/einsum",
        r"_parsed$",
        r"(label < wide and (size != sizes\[label\]) -> \2$|label < wide -> label <= wide \(4\))",
        "the sizes of a letter are equal",
    ),
    (
        r".*index_sum",
        r"selects_once$",
        r"(True -> False$|return .* -> return None$|index is (None|Ellipsis))",
        EITHER,
    ),
    (
        r".*index_sum",
        r"_add_at$",
        r"kind is int or selects_once\(index\) -> (kind is int( and .*)?|selects_once\(index\))$",
        EITHER,
    ),
    (r".*index_sum", r"(IndexSum\.dense|total)$", r"added\(", COMMUTES),
    (r".*index_sum", r"total$", r"True -> False$", COPY),
    (r".*index_sum", r"total$", r"(type\(old\) .*) and is_plain\(old\._value\) -> \1$", EITHER),
    (r".*outer_sum", r"OuterSum\.add$", r"(1 -> 0|2 -> 1|1024 -> |_MATRICES|len\(pairs\))", PAIRS_KEPT),
    (r".*outer_sum", r"module$", r"4 -> ", PAIRS_KEPT),
    (r".*ops/reduction", r"_pull$", r"np\.multiply\(w, g, out=w\) -> np\.multiply\(w, g\)$", COPY),
    (r".*ops/linalg/functions", r"_declared\.along$", r"0 -> -?1$", "both sizes of a square matrix"),
    (r".*ops/linalg/qr", r"_push$", r"1 -> 0$", "the difference of a matrix and its transpose has no diagonal"),
    (r".*ops/plain", r"sizes_of$", r"0 -> 1$", "of no sizes none is negative, whichever number stands for the least"),
    (r".*ops/convolution", r"_is_pair$", r"return False", FALSY),
    (r".*ops/product", r"matmul$", r"type\(a\) is BVar -> type\(a\) is not BVar \(2\)", EITHER),
    (r".*ops/ravel", r"Layout\.__init__$", r"shape and of_part == np\.float32 -> of_part", "scalars count as float64"),
    (r".*arithmetic", r"_pull_index$", r"(2 \* g\.size >= |shape_of\(g\) and )", EITHER),
    (r".*arithmetic", r"Operand\.__init__$", r"True -> False$", FRESH),
    (r".*arithmetic", r"<lambda>$", r"(_times\(t, -r\[0\] / r\[1\]\)|matmul\(t, a\) -> matmul\(a, t\))", COMMUTES),
    (r".*arithmetic", r"_times$", r"type\(t\) not in FOUND or ", COMMUTES),
    (r".*ops/joining", r"(module|_filled)$", r"(8 -> [79]$|len\(arrays\) <= _FEW -> .*< _FEW)", EITHER),
    (r".*ops/joining", r"_operands$", r"False -> True$", COPY),
    (r".*ops/convolution", r"module$", r"\.\.\. b, 'full'\), lambda g, b, _: _VALID", TWIN),
    (r".*ops/convolution", r"_widths$", r"max\(", COMMUTES),
    (r".*ops/softmax", r"softmax_cross_entropy$", r"(2 -> 1$|x\.ndim > 2 -> x\.ndim >= 2)", EITHER),
    (
        r".*ops/mapping",
        r"gather\.joint\.push$",
        r"0\.0 -> -?[12]\.0 \(2\)$",
        "in forward mode each input has a tangent, and so each scalar",
    ),
    (r".*ops/linalg/solve", r"module$", r"48 -> ", EITHER),
    (r".*outer_sum", r"OuterSum\.add$", r"(1 -> 2|2 \* self\._room -> )", PAIRS_KEPT),
    (r".*ops/elementwise", r"module$", r".*apply=fused\.times_\w+, .* -> (?!.*apply=)", EITHER),
    (
        r".*arithmetic",
        r"scaled_by\.apply$",
        r"(.*d\.dtype is|type\(residual\)|.*d\.shape|d is not residual -> d is residual$)",
        NOT_KEPT,
    ),
    (r".*arithmetic", r"_pull_index$", r"2 -> [13]$", EITHER),
    (r".*ops/joining", r"_operands$", r"0 -> -1$", ONLY),
    (r".*ops/fused", r"cross_entropy_of_arrays$", r"len\(shape\) > 2 -> len\(shape\) >= 2", EITHER),
    (r".*ops/linalg/solve", r"_recorded\.joint$", r"True -> False$", FRESH),
    (
        r".*ops/activation",
        r"_parametric$",
        r"(True -> False$|.* scaled, scaled, fresh=True\) -> .*scaled, scaled\)$)",
        FRESH,
    ),
    (r".*arithmetic", r"power_slope$", r"0\.0 -> -1\.0 \(4\)$", "0 times any finite power"),
    (r".*arithmetic", r"_over$", r"type\(t\) not in FOUND or .* -> type\(d\) in FOUND or type\(d\) is int$", EITHER),
    (r".*arithmetic", r"plain$", r"not is_plain\(x\) and ", EITHER),
    (r".*ops/arrangement", r"module$", r".*, view=True\) -> (?!.*view=True)", FRESH),
    (r".*ops/reduction", r"weighted$", r"False -> True$", "who calls it says so each time"),
    (r".*ops/reduction", r"weighted$", r"call\.__name__ = ", "it is called by an object, which bears the name itself"),
    # The engine.
    (
        r".*tree",
        r"_Kind\.__eq__$",
        r"isinstance\(other, _Kind\) and (.*) -> ",
        "a kind stands first in each entry, so kinds alone meet",
    ),
    (r".*tree", r"Structure\.__eq__$", r"self is other or ", EITHER),
    (
        r".*tree",
        r"Structure\.__eq__$",
        r"\.\.\. == other\._program and len",
        "structures of one program hold as many static values",
    ),
    (r".*tree", r"(Structure\.__eq__|_same|_difference)$", r"(_same(_arrays)?|_equal|zip)\(", SAME),
    (r".*tree", r"_same_arrays$", r"np\.array_equal\(x, y, .* -> np\.array_equal\(y, x, ", SAME),
    (r".*tree", r"Structure\.leaves_of$", r"structure is not self and .* -> structure != self$", EITHER),
    (r".*tree", r"module$", r"(1 -> [02]$|0 -> -?1$|_Kind\((BVar, _LEAF|object, _ATOM)\) -> )", BY_IDENTITY),
    (r".*tree", r"(_flatten|_is_atom)$", r"_KINDS\.get\(cls\) or _kind_of\(cls\) -> _kind_of", CACHE),
    (r".*tree", r"module$", r"16 -> 1[57]$", LOOK),
    (r".*tree", r"_build$", r"0 -> -1 \([37]\)$", ONLY),
    (r".*tree", r"_described$", r"1 -> 0$", ONLY),
    (r".*tree", r"_hidden$", r"(1 -> 2$|0 -> -?1 \(2\)$|steps < 0 -> steps <= 0$)", SHORT),
    (r".*tree", r"module$", r"200 -> ", SHORT),
    (r".*tree", r"module$", r"(60 -> |_SHORT\.max\w+ = 60 -> pass$)", "how much of a static value a message shows"),
    (r".*tree", r"_place$", r"False -> True$", "of an entry no more than its kind and its keys is asked here"),
    (r".*tree", r"_kind_of$", r"(_KINDS\[cls\] = kind|_SLOTTED\[cls\] = .*) -> pass", CACHE),
    (r".*tree", r"_kind_of$", r"len\(_KINDS\) >= _MANY -> len\(_KINDS\) < _MANY", CACHE),
    (r".*tree", r"_kind_of$", r"0 -> -1$", EITHER),
    (r".*tree", r"_record$", r"kind\.setters = ", EITHER),
    (r".*tree", r"(_examine|_Kind\.__init__)$", r"1 -> 2$", "any negative number says that there is no __dict__"),
    (
        r".*(tree|nans)",
        r"(_may_hide|_equal|_is_plainly_made|_CheckedTape\._is_outer|_in_a_sweep)$",
        r"return False -> return None",
        FALSY,
    ),
    (r".*nans", r"_CheckedTape\._bad$", r"return '' -> return None( \([23]\))?$", FALSY),
    (r".*tree", r"_flatten$", r"0 -> (-1|1)( \([234]\))?$", "of the frame around the root no number is read"),
    (
        r".*tree",
        r"_flatten$",
        r"(1000 -> |2 -> 3$|len\(frames\) > many -> .*(>=|<=))",
        "how deep a tree is when a cycle is first looked for",
    ),
    (r".*tree", r"_flatten$", r"continue -> break( \([2-5]\))?$", "the loop around it goes on with the same iterator"),
    (r".*tree", r"_flatten$", r"len\(children\) > _LONG -> .*>= _LONG", LOOK),
    (
        r".*tree",
        r"_flatten$",
        r"(kind\.fields_in_dict >= 0 and len\(vars\(node\)\) > .* -> kind\.fields_in_dict >= 0$"
        r"|len\(vars\(node\)\) > kind\.fields_in_dict -> len\(vars\(node\)\) >= )",
        NOTHING,
    ),
    (
        r".*tree",
        r"(_all_atoms|_is_atom)$",
        r"(0 -> -?1$|return .* -> return None$|cls is not BVar|not _is_atom\(type\(values\[0\]\)\) -> _is_atom)",
        LOOK,
    ),
    (r".*tree", r"_build$", r"(1 -> 0$|0 -> -1$)", EITHER),
    (r".*tree", r"_hidden$", r"(_KINDS\.get\(type\(value\)\) or|depth < 2 and )", CACHE),
    (r".*tree", r"_parts$", r"(return -> pass|isinstance\(x, np\.ndarray\) and|\.\.\.p\.ndarray\))", NOTHING),
    (r".*tree", r"_refuse_other_attributes$", r"(len\(attributes\) <= |return -> pass)", NOTHING),
    (
        r".*tree",
        r"_refuse_cycle$",
        r"(id\(node\) in seen) and node is not None -> \1$",
        "only the frame around the root has no node",
    ),
    (r".*tree", r"_place$", r"0 -> -?1$", "a child is always among its parent's"),
    (r".*tree", r"_view$", r"0 -> -1$", ONLY),
    (
        r".*tree",
        r"_same_arrays$",
        r"x\.dtype == y\.dtype and x\.shape == y\.shape",
        "np.array_equal compares shapes, too",
    ),
    (r".*leaves", r"register$", r"_look_up\(known\) or", "what was found once is found again"),
    (r".*transform/(stop|checkpoint|implicit|jacobian)", r".*", r"0 -> -1( \([23]\))?$", ONLY),
    (r".*transform/gradient", r"(gradient_at|_steps\.gradient_of)$", r"0 -> -1$", ONLY),
    (r".*transform/gradient", r"_steps\.run_of$", r"0 -> -1$", EITHER),
    (r".*transform/implicit", r"_check_solution$", r"max\(1\.0, ", COMMUTES),
    (r".*transform/jacobian", r"jacobian\.jacobian_of_f$", r"rows <= columns -> rows < columns$", EITHER),
    (r".*transform/jacobian", r"jacobian\.jacobian_of_f$", r"k < last -> k <= last$", RELEASE),
    (r".*transform/stop", r"no_gradient\.undifferentiated$", r"(1 -> 0$|len\(values\) > 1 -> .*>= 1$)", EITHER),
    (r".*transform/run", r"Inputs\.__init__$", r"not leaves and (leaf_type.*) -> \1$", "who has leaves in it is none"),
    (r".*transform/run", r"Inputs\.build$", r"1 -> 0$", EITHER),
    (r".*transform/run", r"Inputs\.build$", r"0 -> -1$", ONLY),
    (r".*transform/run", r"Run$", r"False -> True$", RELEASE),
    (
        r".*transform/trace",
        r"Trace\.table$",
        r"(0 -> -1$|left_out > 0 -> left_out >= 0$)",
        "all are the slowest of all",
    ),
    (r".*transform/trace", r"Trace\.table$", r"0 -> -1 \(2\)$", ONLY),
    (
        r".*transform/nans",
        r"_in_a_sweep$",
        r"frame is not None and frame is not user -> frame is not user$",
        "the user's frame is among those above",
    ),
    (r".*(tape|watched)", r"(push_forward|WatchedTape\.pushed)$", r"added\(", COMMUTES),
    (r".*tape", r"module$", r"Rule\('(scale|\*|pass)', lambda g, .* -> Rule\('\1', lambda t, ", TWIN),
    (r".*tape", r"pull_back$", r"(3 -> [24] \(4\)$|rule\.fresh or \(rule\.view .* -> rule\.fresh( and .*)?$)", FRESH),
    (r".*tape", r"pull_back$", r"-1 -> 1$", "what was recorded after the outputs has no cotangent, and is passed over"),
    (r".*flat", r"Flat\.__init__$", r"8 -> 7$", "a float32 has 4 bytes, a float64 8"),
    (r".*op", r"elementwise$", r"apply or (.*) -> \1$", EITHER),
    (r".*op", r"elementwise$", r"True -> False$", FRESH),
    (
        r".*op",
        r"opened$",
        r"like is not None and .* -> like is not None$",
        "a dtype of the own byte order stays itself",
    ),
    (r".*op", r"decomposition\.", r"0 -> -1$", ONLY),
    (r".*op", r"opened$", r"like or _FLOAT64 -> like", DEFAULT),
    (r".*op", r"elementwise$", r"number or ", EITHER),
    (r".*op", r"checked_plain$", r"kind is float or ", EITHER),
    (r".*op", r"Linear\.__init__$", r"(.*)fresh=fresh, view=view\)", FRESH),
    (r".*transform/(products|checkpoint)", r".*", r"run\.output = None -> pass", RELEASE),
    (r".*transform/jacobian", r"jacobian\.jacobian_of_f$", r"(rows - 1 -> |1 -> 0$)", RELEASE),
    (
        r".*transform/jacobian",
        r"jacobian\.jacobian_of_f$",
        r"of_results or of_inputs or .* -> of_results or of_inputs$",
        DEFAULT,
    ),
    (r".*transform/jacobian", r"_bases$", r"1 -> 2", LEFT_OVER),
    (r".*transform/jacobian", r"_flat$", r"(1 -> 0|0 -> -1)", EITHER),
    (r".*transform/nans", r"(_CheckedTape\._is_outer|_in_a_sweep)$", r"1 -> [02]", FRAMES),
    (r".*transform/watched", r"frames$", r"1 -> [02]$", FRAMES),
    (
        r".*transform/watched",
        r"WatchedTape\.note$",
        r"_name\(called\) or _operator\(.* -> _name\(called\) or _SPOKEN",
        "an operator's frame has told it, unless the engine is compiled",
    ),
    (r".*transform/watched", r"frames$", r"frame\.f_back is not None and ", "the outermost frame is the user's"),
    (
        r".*transform/watched",
        r"WatchedTape\.note_of$",
        r"note is None (and|or) ",
        "nobody asks for what lies beyond the last entry",
    ),
    (
        r".*transform/nans",
        r"_CheckedTape\._constants$",
        r"\(not isinstance\(x, BVar\) or x\._tape is None\) and ",
        "a recorded one that is not finite was stopped at before",
    ),
    (r".*transform/nans", r"_CheckedTape\._operand$", r"node >(= self\.inputs|= )", "an input has a text"),
    (
        r".*transform/nans",
        r"_CheckedTape\._bad$",
        r"not isinstance\(x, np\.ndarray\) or ",
        "integers and masks are finite",
    ),
    (
        r".*transform/nans",
        r"_CheckedTape\.swept$",
        r"(self\.stopped = True|True -> False$)",
        "no sweep is left that would add its line",
    ),
    (r".*transform/trace", r"Trace\.by_line$", r"0 -> -1$", "all of these have one line"),
    (
        r".*transform/trace",
        r"Trace\.to_svg$",
        r"(graphviz\.Source|path is not None|return svg)",
        "it runs only where Graphviz' program is installed",
    ),
    (r".*transform/trace", r"Trace\.to_svg$", r"Path\(path\)", "the system's own encoding is UTF-8 as well"),
    (
        r".*transform/trace",
        r"_count$",
        r"isinstance\(x, .*\) or (id\(x\) in s\S*) -> id\(x\) in",
        "what holds no arrays is searched in vain",
    ),
    (r".*record", r"_field_text$", r"type\(x\) is BVar and x\.shape and ", "a scalar is always shown whole"),
    (
        r".*transform/run",
        r"separate$",
        r"(\(x\.base .*np\.may_share_memory|type\(x\) is NDARRAY and .* -> type\(x\) is NDARRAY$"
        r"|\.\.\.alue\.base is not None\) and np\.may_share_memory.* or np)",
        "it asks sooner or later what takes time to be asked; or a copy more",
    ),
    (r".*transform/run", r"Run\.result$", r"(output\._tape is None and own|own is value)", EITHER),
    (r".*transform/run", r"check_like$", r"type\((leaf|value)\) is ", EITHER),
    (r".*(bvar|run)", r"(BVar\.__init__|constant|record|Inputs\.gradient)$", r"-?1 -> ", NO_NODE),
    (r".*bvar", r"BVar\.__iter__$", r"-?1 -> ", "without a tape there is no entry, whose number this would be"),
    (r".*bvar", r"BVar$", r"1000\.0 -> ", "any priority above those of NumPy's own classes"),
    (
        r".*bvar",
        r"BVar\.reshape$",
        r"raise TypeError\(\"NumPy's bools",
        "newer releases of NumPy raise there themselves",
    ),
    (r".*bvar", r"At\._scattered$", r"False -> True$", COPY),
    (r".*bvar", r"lifted$", r"np\.array\((.*), subok=False\) -> np\.array\(\1\)$", DEFAULT),
    (r".*bvar", r"lifted$", r"kind not in _NATIVE and (.*) -> \1$", LOOK),
    (r".*bvar", r"beside$", r"FOUND and (.*) -> \1$", LOOK),
    (
        r".*bvar",
        r"(innermost|binary|product)$",
        r"((\w+)\.birth > tape\.birth -> \2\.birth >= tape\.birth$|tape is not tape_b and (.*) -> \3$"
        r"|other is not None and other is not tape and .* -> other is not None and \(tape is None or )",
        BIRTHS,
    ),
    (
        r".*bvar",
        r"binary$",
        r"op is not rules\.POWER( or type\(y\) is not int -> type\(y\) is not int$| -> op is rules\.POWER$)",
        EITHER,
    ),
    (r".*bvar", r"binary$", r"op\.keeps and tape is not None -> (op\.keeps|tape is not None)", COPY),
    (
        r".*bvar",
        r"binary$",
        r"FOUND and type\(value\) is BVar and .* -> (FOUND and type\(plain|type\(value\) is BVar and)",
        LOOK,
    ),
    (r".*tape", r"Parts\.add$", r"added\(", COMMUTES),
    (r".*tape", r"pull_back$", r"True -> False", FRESH),
    (
        r".*bvar",
        r"BVar\.__(r?add|r?sub|r?mul|abs)__$",
        r"(type\(x\) is float and type\(y\) is float and \(tape is not None\) -> type\(x\) is float and type\(y\) "
        r"is float$"
        r"|tape is not None -> tape is None( \(2\))?$"
        r"|type\(x\) is float and type\(other\) is float and \(tape is not None\) -> type\(x\) is float and "
        r"type\(other\))",
        EITHER,
    ),
    (
        r".*bvar",
        r"binary$",
        r"(.*both is not None|type_[ab] is float or type_[ab] is int -> "
        r"|type_[ab] is NDARRAY and type_[ab] is BVar -> type_[ab] is NDARRAY$"
        r"|type_[ab] is BVar -> type_[ab] is not BVar$"
        r"|type_([ab]) is not BVar and type\([xy]\) is not float -> type_[ab] is not BVar$)",
        EITHER,
    ),
    (r".*bvar", r"_array_of$", r"return x", EITHER),
    (r".*bvar", r"own_data$", r"dtype is like or ", EITHER),
    (r".*bvar", r"_own_index$", r"kind is int or ", EITHER),
    (r".*bvar", r"_stretch$", r"tape\.check_open", "the operation that stretches asks, too"),
)


def reason_of(entry: dict[str, Any]) -> str | None:
    """The reason why a mutant is allowed to live, or None."""
    scope, _, change = entry["mutant"].removeprefix(f"{entry['module']}: ").partition(": ")
    for module, where, what, reason in REASONS:
        if re.match(module, entry["module"]) and re.match(where, scope) and re.match(what, change):
            return reason
    return None
