from typing import Any

class Dataset:
    # A pandas DataFrame; pandas comes without types.
    data: Any

def load_pandas() -> Dataset: ...
