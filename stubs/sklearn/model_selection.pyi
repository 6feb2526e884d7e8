from typing import Any

import numpy.typing as npt

def train_test_split(
    *arrays: npt.NDArray[Any],
    test_size: float | None = None,
    random_state: int | None = None,
    stratify: npt.NDArray[Any] | None = None,
) -> list[npt.NDArray[Any]]: ...
