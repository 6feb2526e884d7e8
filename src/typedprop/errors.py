"""What can go wrong, and what each error means.

Every message names the argument or the field, the sizes or types on both sides, and the way out. Each class is also
the built-in exception that NumPy or Python would raise in its place, so code that catches the built-in keeps working.
"""

from __future__ import annotations


class ShapeError(ValueError):
    """Sizes that should agree do not: operands of an operation, data and its declared size, a record's fields."""


class DTypeError(TypeError):
    """A value's type cannot be used here: integers, bools or complex numbers where floats are differentiated, or
    float32 beside float64."""


class EscapedBVarError(RuntimeError):
    """A BVar was computed with after the gradient that made it had ended, or inside an unrelated one."""


class NotDifferentiableError(TypeError):
    """A gradient was asked for something that has none: a loss that is not a scalar, an argument without BVars, an
    operation that declares no derivative."""


class NonFiniteError(FloatingPointError):
    """A NaN or an infinity appeared under `debug_nans`."""
