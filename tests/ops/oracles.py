"""Libraries that know derivatives or special functions from elsewhere. They come without types."""

from __future__ import annotations

from importlib import import_module
from typing import Any

autograd: Any = import_module("autograd")
autograd_numpy: Any = import_module("autograd.numpy")
autograd_special: Any = import_module("autograd.scipy.special")
mp: Any = import_module("mpmath")
scipy_special: Any = import_module("scipy.special")
