"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

__all__ = ["Int", "inner", "jit"]

_F = TypeVar("_F", bound=Callable[..., Any])
Int = int | np.integer[Any]


# Kernels get all arrays from Python and make none. So numba need not count who holds which, which it would at
# each call with atomic operations, two for each array: that took two thirds of the engine's time.
_COMMON: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}


def jit(function: _F) -> _F:
    """Compile for callers in Python; the cache is where NUMBA_CACHE_DIR says."""
    return cast(_F, njit(**_COMMON)(function))


def inner(function: _F) -> _F:
    """Compile into other kernels alone: without a way in from Python, which takes most of the time."""
    options = _COMMON | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}
    return cast(_F, njit(**options)(function))
