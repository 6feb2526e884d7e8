from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.gaussian_process.kernels import Kernel

class GaussianProcessRegressor:
    kernel_: Kernel
    log_marginal_likelihood_value_: float
    def __init__(
        self, kernel: Kernel, *, alpha: float = 1e-10, optimizer: Literal["fmin_l_bfgs_b"] | None = "fmin_l_bfgs_b"
    ) -> None: ...
    def fit(self, X: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Self: ...
    def log_marginal_likelihood(
        self, theta: npt.NDArray[np.float64], eval_gradient: Literal[True]
    ) -> tuple[float, npt.NDArray[np.float64]]: ...
    def predict(
        self, X: npt.NDArray[np.float64], return_std: Literal[True]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]: ...
