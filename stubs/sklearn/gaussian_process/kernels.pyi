from typing import Literal

import numpy as np
import numpy.typing as npt

_Bounds = tuple[float, float] | Literal["fixed"]

class Kernel:
    # The logarithms of the parameters that are not fixed.
    theta: npt.NDArray[np.float64]
    def __add__(self, other: Kernel) -> Kernel: ...
    def __mul__(self, other: Kernel) -> Kernel: ...

class ConstantKernel(Kernel):
    def __init__(self, constant_value: float, constant_value_bounds: _Bounds) -> None: ...

class WhiteKernel(Kernel):
    def __init__(self, noise_level: float, noise_level_bounds: _Bounds) -> None: ...

class RBF(Kernel):
    def __init__(self, length_scale: float, length_scale_bounds: _Bounds) -> None: ...

class RationalQuadratic(Kernel):
    def __init__(
        self, length_scale: float, alpha: float, length_scale_bounds: _Bounds, alpha_bounds: _Bounds
    ) -> None: ...

class ExpSineSquared(Kernel):
    def __init__(
        self, length_scale: float, periodicity: float, length_scale_bounds: _Bounds, periodicity_bounds: _Bounds
    ) -> None: ...
