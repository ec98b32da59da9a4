"""What holds a model: pieces that no support touches are taken out, and pieces that may still slide are named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError
from osteoscope.fe.model import Loads, Supports, VoxelModel, nodes_of


def held_part(model: VoxelModel, supports: Supports, loads: Loads | None) -> tuple[VoxelModel, tuple[str, ...]]:
    """The model without pieces that no support touches, and notes on what was left out or may slide.

    Elements are of one piece where they share a node.

    Raises:
        InvalidValueError: a support or load is not at a node of an element, or a load acts on a loose piece.
    """
    _check_places(model, supports.nodes, "support")
    pieces = cc3d.connected_components((model.modulus > 0).astype(np.uint8), connectivity=26)
    touched = np.unique(_pieces_at(pieces, supports.nodes))
    if loads is not None:
        _check_places(model, loads.nodes, "load")
        lost = loads.nodes[~np.isin(_pieces_at(pieces, loads.nodes), touched)]
        if len(lost):
            raise InvalidValueError(
                "solve a VoxelModel",
                f"a load at node {tuple(map(int, lost[0]))} on a piece that no support holds",
                "Support that piece or leave the load out",
            )
    keep = np.isin(pieces, touched) & (pieces > 0)
    notes = [note for piece in touched if (note := _sliding(pieces == piece, supports, model.spacing))]
    gone = int(np.count_nonzero(pieces) - np.count_nonzero(keep))
    if not gone:
        return model, tuple(notes)
    notes.insert(0, f"{gone} elements in {int(pieces.max()) - len(touched)} pieces that no support holds were left out")
    return replace(model, modulus=np.where(keep, model.modulus, np.float32(0))), tuple(notes)


def _check_places(model: VoxelModel, nodes: NDArray[np.int64], noun: str) -> None:
    lattice = np.asarray(model.lattice)
    there = model.nodes[tuple(np.minimum(nodes, lattice - 1).T)]
    outside = np.any(nodes >= lattice, axis=1) | ~there
    if outside.any():
        raise InvalidValueError(
            "solve a VoxelModel",
            f"{np.count_nonzero(outside)} of {len(nodes)} {noun}s at nodes without an element, "
            f"the first at {tuple(map(int, nodes[outside][0]))}",
            "Choose nodes of elements, such as mask & model.nodes",
        )


def _pieces_at(pieces: NDArray[np.unsignedinteger[Any]], nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The piece that each node belongs to, from the eight voxels around it."""
    around = np.pad(pieces, 1)
    found = np.stack([around[tuple((nodes + corner).T)].astype(np.int64) for corner in np.ndindex(2, 2, 2)])
    highest: NDArray[np.int64] = found.max(axis=0)
    return highest


def _sliding(piece: NDArray[np.bool_], supports: Supports, spacing: tuple[float, float, float]) -> str:
    """A note where the supports of a piece leave rigid-body motions free."""
    on = nodes_of(piece)[tuple(supports.nodes.T)]
    arms = (supports.nodes[on] - supports.nodes[on].mean(0)) * spacing
    shift = np.eye(3)[supports.axis[on]]
    modes = np.hstack([shift, np.cross(arms, shift) / max(float(np.abs(arms).max(initial=0)), 1e-9)])
    left = 6 - int(np.linalg.matrix_rank(modes, tol=1e-6 * np.sqrt(len(modes))))
    return f"{np.count_nonzero(piece)} elements may still move in {left} rigid ways" if left else ""
