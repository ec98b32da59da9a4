"""A body that a function describes -> tetrahedra with a smooth surface: isosurface stuffing.

After Labelle and Shewchuk 2007, "Isosurface stuffing" (ACM Trans. Graph. 26:57): the tetrahedra of a body-centred
cubic lattice are kept where they lie inside and cut where the surface crosses them; a lattice point that the surface
passes closely moves onto it, so that no cut leaves a sliver. Nothing can fail, whatever the shape: what is thinner than
about half an edge is lost. Quads on shared faces are halved from the point that comes first in the lattice, which fits
on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
# How near (share of an edge) the surface may pass a point: along edges of the lattice's cubes, and to their centres.
_NEAR_LONG, _NEAR_SHORT, _HALVINGS = 0.24999, 0.41189, 24
_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
_FACES = ((0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3))


def stuff(inside: Callable[[Floats], Floats], low: Floats, high: Floats, edge: float) -> tuple[Floats, Ints]:
    """Tetrahedra of the largest piece of a body.

    Args:
        inside: value at points [n, 3], above 0 in the body.
        low, high: corners of the box that it fills; flat ends of the body that lie on its faces are met exactly.
        edge: of the lattice's cubes, stretched to fit; tetrahedra have edges of about this length.

    Returns:
        Points [n, 3] and tetrahedra [m, 4] of positive volume; none of both where the body is too thin.
    """
    counts = np.ceil((high - low) / edge - 1e-9).astype(int)
    step = (high - low) / counts
    counts += 2
    corners = _lattice(low - step, counts + 1, step)
    points = np.concatenate([corners, _lattice(low - step / 2, counts, step)])
    sign = np.where(inside(points) > 0, 1, -1).astype(np.int8)
    cells = np.concatenate(list(_cells(sign, counts)))
    points, sign, cut = _warped(points, sign, _crossings(inside, points, sign, cells), len(corners))
    cells = np.concatenate(list(_inner(cells, sign, cut)))
    if not len(cells):
        return np.empty((0, 3)), cells
    shape = points[cells[:, 1:]] - points[cells[:, :1]]
    cells[np.linalg.det(shape) < 0, 2:] = cells[np.linalg.det(shape) < 0, 2:][:, ::-1]
    used, cells = np.unique(_largest(cells), return_inverse=True)
    return points[used], cells.reshape(-1, 4)


def volumes(points: Floats, cells: Ints) -> Floats:
    """Signed volume of each tetrahedron."""
    return np.asarray(np.linalg.det(points[cells[:, 1:4]] - points[cells[:, :1]]) / 6)


def quadratic(points: Floats, cells: Ints) -> tuple[Floats, Ints]:
    """With nodes in the middle of edges: [n, 3], and [m, 10] in the order of Abaqus' C3D10 and of VTK."""
    pairs = np.sort(cells[:, [[0, 1], [1, 2], [2, 0], [0, 3], [1, 3], [2, 3]]], axis=2)
    edges, number = np.unique(pairs.reshape(-1, 2), axis=0, return_inverse=True)
    middles = points[edges].mean(axis=1)
    return np.concatenate([points, middles]), np.hstack([cells, len(points) + number.reshape(-1, 6)])


def _lattice(start: Floats, counts: Ints, step: Floats) -> Floats:
    return np.asarray(start + step * np.moveaxis(np.indices(tuple(counts.tolist())), 0, -1).reshape(-1, 3))


def _cells(sign: NDArray[np.int8], counts: Ints) -> Iterator[Ints]:
    """Tetrahedra of the lattice with a point inside: two neighbouring centres and an edge of the face between them."""
    number = np.arange(len(sign))
    n_corners = int(np.prod(counts + 1))
    corner, centre = number[:n_corners].reshape(counts + 1), number[n_corners:].reshape(counts)
    for axis in range(3):
        one, other = (k for k in range(3) if k != axis)
        lower, upper = (np.delete(centre, end, axis=axis) for end in (-1, 0))
        face = np.delete(corner, (0, -1), axis=axis)
        around = [_from(face, {one: a, other: b}, lower.shape) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
        for k in range(4):
            four = np.stack([lower, upper, around[k], around[(k + 1) % 4]], axis=-1).reshape(-1, 4)
            yield four[(sign[four] > 0).any(axis=1)]


def _from(face: Ints, place: Mapping[int, int], shape: tuple[int, ...]) -> Ints:
    """The corners of faces that lie at a place (axis -> 0, 1) of each."""
    return face[tuple(slice(place.get(k, 0), place.get(k, 0) + n) for k, n in enumerate(shape))]


def _crossings(
    inside: Callable[[Floats], Floats], points: Floats, sign: NDArray[np.int8], cells: Ints
) -> tuple[Ints, Floats]:
    """Edges [n, 2] that leave the body, the inner end first, and the share of each that is inside."""
    pairs = cells[(sign[cells] < 0).any(axis=1)][:, _EDGES].reshape(-1, 2)
    pairs = pairs[sign[pairs[:, 0]] != sign[pairs[:, 1]]]
    pairs = np.where((sign[pairs[:, 0]] > 0)[:, None], pairs, pairs[:, ::-1])
    edges = np.unique(pairs, axis=0)
    near, far = np.zeros(len(edges)), np.ones(len(edges))
    begin, way = points[edges[:, 0]], points[edges[:, 1]] - points[edges[:, 0]]
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        there = inside(begin + middle[:, None] * way) > 0
        near, far = np.where(there, middle, near), np.where(there, far, middle)
    return edges, (near + far) / 2


def _warped(
    points: Floats, sign: NDArray[np.int8], crossings: tuple[Ints, Floats], n_corners: int
) -> tuple[Floats, NDArray[np.int8], Callable[[Ints, Ints], Ints]]:
    """Points with those moved that the surface passes closely (sign 0) and one more for each edge still cut; and the
    number of the cut of an edge."""
    edges, share = crossings
    places = points[edges[:, 0]] + share[:, None] * (points[edges[:, 1]] - points[edges[:, 0]])
    long = (edges < n_corners).all(axis=1) | (edges >= n_corners).all(axis=1)
    limit = np.where(long, _NEAR_LONG, _NEAR_SHORT)
    length = np.linalg.norm(points[edges[:, 1]] - points[edges[:, 0]], axis=1)
    off = np.concatenate([share, 1 - share])
    close = off < np.tile(limit, 2)
    who, where, far = edges.T.ravel()[close], np.tile(places, (2, 1))[close], (off * np.tile(length, 2))[close]
    order = np.lexsort([far, who])
    moved, first = np.unique(who[order], return_index=True)
    points, sign = points.copy(), sign.copy()
    points[moved], sign[moved] = where[order][first], 0
    still = (sign[edges] != 0).all(axis=1)
    keys = edges[still, 0] * len(sign) + edges[still, 1]
    ranked = np.argsort(keys)
    base, total = len(points), len(sign)

    def cut(inner: Ints, outer: Ints) -> Ints:
        return np.asarray(base + ranked[np.searchsorted(keys, inner * total + outer, sorter=ranked)])

    return np.concatenate([points, places[still]]), sign, cut


def _inner(cells: Ints, sign: NDArray[np.int8], cut: Callable[[Ints, Ints], Ints]) -> Iterator[Ints]:
    """The parts of tetrahedra that are inside, by how many of their points are."""
    cells = np.sort(cells, axis=1)
    cells = np.take_along_axis(cells, np.argsort(-sign[cells], axis=1, kind="stable"), axis=1)
    plus, minus = (sign[cells] > 0).sum(axis=1), (sign[cells] < 0).sum(axis=1)
    yield cells[(plus > 0) & (minus == 0)]
    for n_minus in (1, 2, 3):
        one = cells[(plus == 1) & (minus == n_minus)].copy()
        for k in range(4 - n_minus, 4):
            one[:, k] = cut(one[:, 0], one[:, k])
        yield one
    a, b, rim, out = cells[(plus == 2) & (minus == 1)].T
    yield from _columns([a, b, cut(b, out), rim], [a, cut(b, out), cut(a, out), rim])
    a, b, m, n = cells[(plus == 2) & (minus == 2)].T
    am, an, bm, bn = cut(a, m), cut(a, n), cut(b, m), cut(b, n)
    yield from _columns([a, b, bm, bn], [a, am, an, bn], [a, am, bn, bm])
    a, b, c, out = cells[plus == 3][minus[plus == 3] == 1].T
    low, mid, top = cut(a, out), cut(b, out), cut(c, out)
    yield from _columns([a, b, c, top], [a, b, mid, top], [a, low, mid, top])


def _columns(*parts: list[Ints]) -> Iterator[Ints]:
    yield from (np.column_stack(part) for part in parts)


def _largest(cells: Ints) -> Ints:
    """The tetrahedra of the largest piece that hangs together by faces."""
    faces = np.sort(cells[:, _FACES], axis=2).reshape(-1, 3)
    order = np.lexsort(faces.T)
    same = np.flatnonzero((faces[order][1:] == faces[order][:-1]).all(axis=1))
    one, other = order[same] // 4, order[same + 1] // 4
    graph = sparse.coo_matrix((np.ones(len(one)), (one, other)), shape=(len(cells), len(cells)))
    _, piece = sparse.csgraph.connected_components(graph, directed=False)
    return np.asarray(cells[piece == np.argmax(np.bincount(piece))])
