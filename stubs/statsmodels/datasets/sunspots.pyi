import numpy.typing as npt

class Dataset:
    # A series, one row a year: what np.asarray takes.
    endog: npt.ArrayLike

def load() -> Dataset: ...
