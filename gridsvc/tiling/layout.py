"""What stands where in a lattice's tables: rows of cells, and marks where h3-py must be asked.

A face's table is cut into blocks, of which only those are kept that can matter to one of the cells; a
directory tells where each block is. Block 0 is empty and stands for all others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.tiling.faces import FRONT, GUARD, basis, depth, frames, step

__all__ = ["ASK", "SIDE", "Layout", "layouts"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ASK = -2  # the answer for a point which h3-py must place
SIDE = 32  # lattice positions along a block; a power of two

# Distances are in steps between lattice points unless said otherwise.
_RESIDUAL = 1e-7  # how far a cell's centre may lie from its lattice point, or there is no lattice
# H3 finds a point's distance r from the face's centre by an arc cosine, with an error of up to 6e-17 / r
# radians (all its other errors: below 2e-15). Nearer than this many radians to the centre, times the guard
# and the step, h3 is asked. Four times the error and half the guard.
_BLUR = 5e-16
# Lattice points so near to a face's edge are h3's, as their cells may bend over it. Cells reach 0.58 from
# their centre; lattice points lie at multiples of 0.5 from the edge, or of 0.189, so none is just at 0.85.
_EDGE = 0.85
_REACH = 2.0  # how far beyond a face's edges cells may lie and still have a part on the face
_NEAR = 3  # lattice positions between such a cell's and any its points may be rounded to
_SPARE = 4, 1 << 20  # directories may have so many entries a cell, and so many more


@dataclass(frozen=True, slots=True)
class Layout:
    """One face's table.

    Attributes
    ----------
    to_lattice : float64 array, shape (3, 3)
        Unit vector -> two lattice coordinates times w, and w.
    first : (int, int)
        Lattice position of the first entry of the directory's first block.
    directory : int32 array, shape (height, width)
        Block which stands there; all around the border it is 0.
    blocks : int32 array, shape (n_blocks, SIDE, SIDE)
        Row, -1 or `ASK`, for blocks 1 and up.
    """

    to_lattice: Floats
    first: tuple[int, int]
    directory: NDArray[np.int32]
    blocks: NDArray[np.int32]


def layouts(resolution: int, xyz: Floats) -> list[Layout] | None:
    """The tables of all faces with cells.

    Parameters
    ----------
    xyz : float64 array, shape (3, n_cells), unit vectors of the cells' centres

    Returns
    -------
    list of Layout, or None
        None where cells lie strewn so far apart that the directories would be large, or off their lattice.
    """
    room = _SPARE[0] * xyz.shape[1] + _SPARE[1]
    made = []
    for frame in frames():
        plan = _Plan.of(frame, resolution, xyz)
        if plan is None:
            continue
        room -= plan.size
        if room < 0 or plan.residual > _RESIDUAL:
            return None
        made.append(plan.layout())
    return made


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to stand in one face's table."""

    to_lattice: Floats
    basis: Floats  # shape (2, 2): lattice coordinates -> plane, in steps
    step: float
    rows: Ints  # cells which lie on this face alone
    at: Ints  # shape (2, n): their lattice positions
    others: Ints  # shape (2, n): positions of cells which only touch the face
    residual: float  # farthest of `rows` from its lattice point

    @classmethod
    def of(cls, frame: Floats, resolution: int, xyz: Floats) -> _Plan | None:
        """None where no cell has a part on the face."""
        axes, width = basis(resolution), step(resolution)
        to_lattice = np.vstack([np.linalg.inv(axes) @ frame[:2] / width, frame[2:]])
        seen = np.flatnonzero(frame[2] @ xyz > FRONT)
        projected = to_lattice @ xyz[:, seen]
        at = projected[:2] / projected[2]
        inside = depth(axes @ at, width)
        touching, own = inside > -_REACH, inside > _EDGE
        if not touching.any():
            return None
        whole = np.rint(at).astype(np.int64)
        residual = float(np.abs(at - whole)[:, own].max(initial=0.0))
        others = whole[:, touching & ~own]
        return cls(to_lattice, axes, width, seen[own], whole[:, own], others, residual)

    @property
    def blurred(self) -> int:
        """Positions so near to the face's centre, along either axis, are h3's: it blurs distances there."""
        reach = _BLUR / (GUARD * self.step) / self.step + 1.0
        return math.ceil(reach * 2.0 / math.sqrt(3.0))  # the rhombus around that circle

    @property
    def _corners(self) -> tuple[Ints, Ints]:
        """First and last position used, shape (2, 1) each."""
        all_ = np.concatenate([self.at, self.others], axis=1)
        return all_.min(axis=1, keepdims=True) - _NEAR, all_.max(axis=1, keepdims=True) + _NEAR

    @property
    def size(self) -> int:
        """Entries of the directory."""
        first, last = self._corners
        return int(np.prod((last - first) // SIDE + 4))

    def layout(self) -> Layout:
        first, last = self._corners
        first -= SIDE  # an empty block all around, where positions beyond the table are taken to stand
        height, width = ((last - first) // SIDE + 2).ravel().tolist()
        directory = np.zeros((height, width), np.int32)
        directory[tuple(self._used(first))] = 1
        y, x = np.nonzero(directory)
        directory[y, x] = np.arange(1, len(y) + 1)
        blocks = np.full((len(y), SIDE, SIDE), -1, np.int32)
        i, j = (self.at - first) // SIDE
        i_in, j_in = (self.at - first) % SIDE
        blocks[directory[i, j] - 1, i_in, j_in] = self.rows
        self._mark(blocks, np.array([y, x]) * SIDE + first)
        corner = first.ravel().tolist()
        return Layout(self.to_lattice, (corner[0], corner[1]), directory, blocks)

    def _used(self, first: Ints) -> Ints:
        """Blocks which hold a position that a point of one of the cells may be rounded to, shape (2, n)."""
        # Away from edges and the blurred centre a cell's points come to its own position.
        blurred = np.abs(self.at).max(axis=0, initial=0) <= self.blurred + _NEAR
        around = np.concatenate([self.others, self.at[:, blurred]], axis=1)
        moves = np.array([(i, j) for i in (-_NEAR, 0, _NEAR) for j in (-_NEAR, 0, _NEAR)]).T
        spread = (around[:, :, None] + moves[:, None, :]).reshape(2, -1)
        return (np.concatenate([self.at, spread], axis=1) - first) // SIDE

    def _mark(self, blocks: NDArray[np.int32], corner: Ints) -> None:
        """Mark what is near an edge of the face, or its blurred centre. Beyond is another face's table."""
        i, j = np.mgrid[:SIDE, :SIDE].reshape(2, -1)
        reach = self.blurred
        for block, at in zip(blocks.reshape(len(blocks), -1), corner.T, strict=True):
            if self._plain(at, reach):
                continue
            place = np.array([i + at[0], j + at[1]])
            block[np.abs(depth(self.basis @ place, self.step)) <= _EDGE] = ASK
            block[np.abs(place).max(axis=0) <= reach] = ASK

    def _plain(self, at: Ints, reach: int) -> bool:
        """Whether no position of the block beginning `at` can need a mark."""
        # The farthest position from the middle is 0.87 of a side away.
        middle = at[:, None] + SIDE / 2.0
        off_edge = abs(float(depth(self.basis @ middle, self.step)[0])) > SIDE + _EDGE
        return off_edge and bool(np.abs(middle).max() > reach + SIDE)
