"""The lattice's arithmetic as compiled kernels. Imported by who asks for them only: numba is heavy.

Work goes in strips which stay in the processor's nearest cache, in loops without branches, so that the
compiler turns them into vector instructions. For the same reason sines and cosines are polynomials.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import float64, int32, int64, njit, types, void
from numpy.typing import NDArray

from gridsvc.tiling.hexlookup import HexLookup

__all__ = ["STRIP", "look", "sines", "warm", "workspace"]

Floats = NDArray[np.float64]
_F = TypeVar("_F", bound=Callable[..., Any])

STRIP = 1024  # points a round
# Adding and taking off 1.5 * 2**52 rounds a number below 2**51 to the nearest integer, in two instructions.
_ROUND = 6755399441055744.0
_ONE_DEGREE = 0.017453292519943295

# Kernels get all arrays from Python and make none, so numba need not count who holds which. In sums of
# products a * b + c may be rounded once, as one instruction does.
_COMMON: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,
    "fastmath": {"contract"},
}
_WITHIN: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def _build(function: _F, signature: Any = None, **options: Any) -> _F:
    """Compile, and keep what comes out where numba may write."""
    try:
        return cast(_F, njit(signature, cache=True, **_COMMON, **options)(function))
    except RuntimeError:  # there is no such place
        return cast(_F, njit(signature, **_COMMON, **options)(function))


def _compiled(signature: Any) -> Callable[[_F], _F]:
    """For callers in Python; compiled, or read from the cache, when this module is imported."""
    return lambda function: _build(function, signature)


def _inner(function: _F) -> _F:
    """For other kernels alone, in their midst."""
    return _build(function, inline="always", **_WITHIN)


def _step(function: _F) -> _F:
    """For other kernels, as a function of its own: the compiler sees more in short ones."""
    return _build(function, **_WITHIN)


@_inner
def _sine(x: float) -> float:
    """Taylor's series to the 17th power.

    Within 45 degrees the next term bounds the error: (pi/4)**19 / 19! < 9e-20.
    """
    z = x * x
    tail = 1.0 / 6227020800.0 + z * (-1.0 / 1307674368000.0 + z * (1.0 / 355687428096000.0))
    tail = 1.0 / 362880.0 + z * (-1.0 / 39916800.0 + z * tail)
    return x + x * z * (-1.0 / 6.0 + z * (1.0 / 120.0 + z * (-1.0 / 5040.0 + z * tail)))


@_inner
def _cosine(x: float) -> float:
    """Taylor's series to the 16th power; within 45 degrees its error is below (pi/4)**18 / 18! < 3e-18."""
    z = x * x
    tail = 1.0 / 479001600.0 + z * (-1.0 / 87178291200.0 + z * (1.0 / 20922789888000.0))
    tail = 1.0 / 40320.0 + z * (-1.0 / 3628800.0 + z * tail)
    return 1.0 + z * (-0.5 + z * (1.0 / 24.0 + z * (-1.0 / 720.0 + z * tail)))


@_compiled(void(float64[::1], float64[::1], float64[::1]))
def sines(degrees: Floats, sine: Floats, cosine: Floats) -> None:
    """Sines and cosines of angles within 180 degrees, all arrays of shape (n,).

    The quarter turn is taken off in degrees, without rounding; then one rounding to radians, at most half a
    unit in the last place of pi/4 (5.6e-17), and some of the polynomials of up to 1.2e-16 each. In sum the
    results are within 3e-16 of the true ones; the guard at the finest resolution is 1.7e-13.
    """
    for k in range(len(degrees)):
        turn = (degrees[k] * (1.0 / 90.0) + _ROUND) - _ROUND  # -2 to 2
        x = (degrees[k] - 90.0 * turn) * _ONE_DEGREE
        s, c = _sine(x), _cosine(x)
        odd = turn * turn == 1.0
        s, c = (c if odd else s), (s if odd else c)
        sine[k] = -s if (turn == -1.0) | (turn * turn == 4.0) else s
        cosine[k] = -c if (turn == 1.0) | (turn * turn == 4.0) else c


@_step
def _pending(
    lon: Floats, lat: Floats, out: NDArray[np.int64], start: int, where: Floats, x: Floats, y: Floats
) -> int:
    """Take aside the points of a strip which are places and still have no row; gives their number."""
    m = 0
    for k in range(start, min(len(lon), start + STRIP)):
        where[m], x[m], y[m] = k, lon[k], lat[k]
        m += (out[k] == -1) & (abs(lon[k]) <= 180.0) & (abs(lat[k]) <= 90.0)
    return m


@_step
def _nearest(
    turned: tuple[Floats, Floats, Floats, Floats],
    to_lattice: tuple[float, ...],
    first: tuple[float, float],
    last: tuple[float, float],
    front: float,
    found: tuple[Floats, Floats, Floats],
) -> None:
    """The lattice point nearest to each point, and how far out it is: -1 behind the globe, edges are at 1.

    See `gridsvc.tiling.lattice`, which does the same. Numbers are handed in as such: of arrays the compiler
    must suspect that what is written changes them.
    """
    s_lon, c_lon, s_lat, c_lat = turned
    a_x, a_y, a_z, b_x, b_y, b_z, w_x, w_y, w_z = to_lattice
    x, y, far = found
    for k in range(len(far)):
        u, v, t = c_lon[k] * c_lat[k], s_lon[k] * c_lat[k], s_lat[k]
        w = w_x * u + w_y * v + w_z * t
        behind = w <= front
        w = 1.0 / (front if behind else w)
        a, b = (a_x * u + a_y * v + a_z * t) * w, (b_x * u + b_y * v + b_z * t) * w
        i, j = (a + _ROUND) - _ROUND, (b + _ROUND) - _ROUND
        a, b = a - i, b - j
        s, t = a + a + b, b + b + a
        along = abs(a) >= abs(b)
        di = 1.0 if s > 1.0 else (-1.0 if s < -1.0 else 0.0)
        dj = 1.0 if t > 1.0 else (-1.0 if t < -1.0 else 0.0)
        di, dj = (di if along else 0.0), (0.0 if along else dj)
        i, j = i + di - first[0], j + dj - first[1]
        i, j = (i if i > 0.0 else 0.0), (j if j > 0.0 else 0.0)
        x[k], y[k] = (i if i < last[0] else last[0]), (j if j < last[1] else last[1])
        s, t = s - (di + di + dj), t - (di + dj + dj)
        a, b, s = abs(s), abs(t), abs(s - t)
        a = a if a > b else b
        a = a if a > s else s
        far[k] = -1.0 if behind else a


@_step
def _read(
    found: tuple[Floats, Floats, Floats],
    where: Floats,
    directory: NDArray[np.int32],
    blocks: NDArray[np.int32],
    limit: float,
    out: NDArray[np.int64],
) -> None:
    """The rows which stand at lattice points."""
    x, y, far = found
    for k in range(len(far)):
        i, j = np.int64(x[k]), np.int64(y[k])
        block = np.int64(directory[i >> 5, j >> 5])
        row = np.int64(blocks[(block << 10) + ((i & 31) << 5) + (j & 31)])
        row = np.int64(-2) if far[k] > limit else row
        out[np.int64(where[k])] = -1 if far[k] < 0.0 else row


# One signature, also for arrays which may not be written, as those of mapped files.
_types: Any = types  # numba has no annotations there
_READ = [_types.Array(kind, n, "C", readonly=True) for kind, n in ((float64, 1), (int32, 2), (int32, 1))]
_SIGNATURE = void(
    _READ[0],
    _READ[0],
    int64[::1],
    _types.UniTuple(float64, 9),
    _types.UniTuple(float64, 2),
    *_READ[1:],
    float64,
    float64,
    float64[:, ::1],
)


@_compiled(_SIGNATURE)
def look(
    lon: Floats,
    lat: Floats,
    out: NDArray[np.int64],
    to_lattice: tuple[float, ...],
    first: tuple[float, float],
    directory: NDArray[np.int32],
    blocks: NDArray[np.int32],
    limit: float,
    front: float,
    work: Floats,
) -> None:
    """Fill in the rows of points on one face where they are -1 as yet; see `gridsvc.tiling.lattice`.

    Parameters
    ----------
    lon, lat : float64 arrays, shape (n,), degrees
        What is out of range or not finite stays -1.
    out : int64 array, shape (n,)
    to_lattice : the nine numbers of the matrix, line by line
    first : (float, float)
    directory : int32 array, shape (height, width)
    blocks : int32 array, shape (n_blocks * 32 * 32,)
    limit : float
        Farther out in its hexagon, where edges are at 1, a point is h3's.
    front : float
        Smallest cosine of the angle to the face's centre.
    work : float64 array, shape (8, STRIP)
    """
    last = directory.shape[0] * 32.0 - 1.0, directory.shape[1] * 32.0 - 1.0
    for start in range(0, len(lon), STRIP):
        m = _pending(lon, lat, out, start, work[0], work[1], work[2])
        sines(work[1][:m], work[3][:m], work[4][:m])
        sines(work[2][:m], work[5][:m], work[6][:m])
        turned = work[3][:m], work[4][:m], work[5][:m], work[6][:m]
        found = work[1][:m], work[2][:m], work[7][:m]
        _nearest(turned, to_lattice, first, last, front, found)
        _read(found, work[0], directory, blocks, limit, out)


def workspace() -> Floats:
    """What `look` works in; one for each thread."""
    return np.empty((8, STRIP))


def warm() -> None:
    """Let all lookups of this process use the kernels."""
    HexLookup.kernels = sys.modules[__name__]
