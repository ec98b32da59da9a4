"""Examples without end from prepared scans: a piece, what is put into it, how it lies, how it was scanned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.find.ct_cutting import cut
from osteoscope.find.ct_frame import AIR
from osteoscope.find.ct_lesion_windows import STEP_MM, planes
from osteoscope.train.ct_ground import LESION, LOOK_ALIKE, Array, Ground
from osteoscope.train.ct_implants import add_lesion, add_nothing, random_kind, weight_of
from osteoscope.train.ct_look_alikes import add_look_alike, random_look_alike
from osteoscope.train.ct_scans import LOOK_ALIKE as FIRST_LOOK_ALIKE
from osteoscope.train.ct_scans import Scan, of_lesion
from osteoscope.train.ct_slices import coarse_pixels, thick_slices
from osteoscope.train.ct_variety import vary

PATCH = 48
_WIDER = 70  # voxels cut where the piece is turned and bent afterwards
_BENT, _MOST_TURN, _MOST_SCALE = 0.6, np.radians(15.0), 0.18
# Greatest standard deviation of the bending, mm, and distance of its knots.
_MOST_BENT_MM, _KNOTS_MM = 3.0, (14.0, 30.0)
_OF_THIN = 6
# Voxels: width around bone that counts fully; blur of a softer picture; most blur of noise.
_NEAR, _SOFTER, _NOISE_BLUR = 2 * round(4.5 / STEP_MM) + 1, 1.2 / STEP_MM, 1.05 / STEP_MM
# Weight of what lies far from bone, where nothing is ever marked but muscle may look like tumour.
_FAR_WEIGHT, _ANY = 0.3, 0.001
# How often a piece is centred on a lesion, a look-alike, any bone, or anything in the body.
_CENTRES = (0.47, 0.15, 0.32, 0.06)
_BODY_HU = -300
# How many lesions, and how many look-alikes, are put in: 0, 1, 2 ... and how often, into scans with findings of their
# own, and without. Many more than patients have, since each voxel without any teaches little.
_COUNTS = {True: (0.4, 0.3, 0.2, 0.1), False: (0.3, 0.25, 0.22, 0.15, 0.08)}


@dataclass(frozen=True, eq=False)
class Patch:
    """An example.

    Args:
        picture: float32 (2, PATCH, PATCH, PATCH), see `osteoscope.find.ct_lesion_windows.planes`.
        label: uint8 (PATCH, PATCH, PATCH), index into `osteoscope.find.ct_lesion_windows.CLASSES`.
        weight: float32 of the same shape, how much each voxel counts.
    """

    picture: Array
    label: NDArray[np.uint8]
    weight: Array


class Pool:
    """Some scans held in memory and replaced one by one, since reading one takes longer than drawing from it.

    Args:
        paths: of all scans.
        often: how often each is taken up, relative to the others.
        size: scans held.
        draws: examples per replacement.
    """

    def __init__(self, paths: Sequence[Path], often: Sequence[float], size: int = 8, draws: int = 6) -> None:
        self.paths, self.size, self.draws = list(paths), size, draws
        self.often = np.array(often, dtype=float) / np.sum(often)
        self._held: list[Scan] = []
        self._left = draws

    def scan(self, rng: np.random.Generator) -> Scan:
        """Any of the scans held now."""
        if len(self._held) < min(self.size, len(self.paths)) or not self._left:
            if len(self._held) >= self.size:
                self._held.pop(0)
            self._held.append(Scan.load(self.paths[int(rng.choice(len(self.paths), p=self.often))]))
            self._left = self.draws
        self._left -= 1
        return self._held[int(rng.integers(len(self._held)))]


def pool_of(sources: Mapping[str, Sequence[Path]], shares: Mapping[str, float]) -> Pool:
    """Scans of several kinds, each taken up by the share of its kind; large scans more often, which show more."""
    paths: list[Path] = []
    often: list[float] = []
    for name, some in sources.items():
        sizes = np.array([path.stat().st_size for path in some], dtype=float) ** 0.5
        paths += some
        often += (shares[name] * sizes / sizes.sum()).tolist()
    return Pool(paths, often)


class Pieces:
    """Examples from pieces that are kept a while, since one takes longer to make than to learn from.

    Args:
        pool: of scans.
        make: a piece of a scan.
        kept: pieces held.
        seen: how often each is seen, on average.
    """

    def __init__(
        self, pool: Pool, make: Callable[[Scan, np.random.Generator], Ground], kept: int = 40, seen: int = 2
    ) -> None:
        self.pool, self.make, self.kept, self.seen = pool, make, kept, seen
        self._held: list[Ground] = []

    def example(self, rng: np.random.Generator) -> Mapping[str, NDArray[Any]]:
        """What a `osteoscope.train.fitting.Task` draws."""
        if len(self._held) < self.kept or rng.random() < 1 / self.seen:
            self._held = [*self._held[1 - self.kept :], self.make(self.pool.scan(rng), rng)]
            drawn = seen(self._held[-1], rng)
        else:
            drawn = seen(self._held[int(rng.integers(len(self._held)))], rng)
        return {"picture": drawn.picture, "label": drawn.label, "weight": drawn.weight}


def draw(scan: Scan, rng: np.random.Generator) -> Patch:
    """An example from a scan."""
    return seen(piece(scan, rng), rng)


def piece(scan: Scan, rng: np.random.Generator) -> Ground:
    """A piece of a scan with what is put into it; where most of the time of an example goes."""
    ground = cut_piece(scan, rng, _CENTRES)
    far = ndimage.uniform_filter(ground.bone.astype(np.float32), _NEAR) <= _ANY
    ground.weight[far & (ground.label != LESION)] = _FAR_WEIGHT
    vary(ground)
    add_findings(ground, bool(len(scan.numbers)))
    bend(ground)
    return ground


def cut_piece(scan: Scan, rng: np.random.Generator, centres: Sequence[float]) -> Ground:
    """A piece as it is, wider than an example where `bend` will turn and bend it.

    Args:
        centres: how often it is centred on a lesion, a look-alike, any bone, or anything in the body.
    """
    return _cut(scan, _centre(scan, rng, centres), _WIDER if rng.random() < _BENT else PATCH, rng)


def seen(ground: Ground, rng: np.random.Generator) -> Patch:
    """A piece as one scanner would show it, one way round; a piece may be seen many times."""
    way = (slice(None), *(slice(None, None, int(rng.choice((1, -1)))) for _ in range(2)))
    picture = planes(_rescanned(ground.hu[way], rng))
    return Patch(picture, np.ascontiguousarray(ground.label[way]), np.ascontiguousarray(ground.weight[way]))


def add_findings(ground: Ground, has_own: bool) -> None:
    """Put look-alikes, edits without meaning and lesions into a piece; more where it has no findings of its own."""
    rng = ground.rng
    places = np.argwhere(ground.bone)
    if not len(places):
        return
    counts = _COUNTS[has_own]
    for _ in range(int(rng.choice(len(counts), p=counts))):
        add_look_alike(ground, random_look_alike(rng), _some(places, rng))
    if rng.random() < 0.3:
        add_nothing(ground, _some(places, rng))
    for _ in range(int(rng.choice(len(counts), p=counts))):
        kind = random_kind(rng)
        for _attempt in range(3):
            if add_lesion(ground, kind, deep_place(ground, places)):
                break


def deep_place(ground: Ground, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """The deepest of two places in the bone, so that marrow is not rarer than surface."""
    some = places[ground.rng.integers(len(places), size=2)]
    return np.asarray(some[int(np.argmax(ground.depth[tuple(some.T)]))])


def thin_place(ground: Ground, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of some places in the bone, that in the thinnest bone: ribs, scapulae, arches."""
    some = places[ground.rng.integers(len(places), size=_OF_THIN)]
    return np.asarray(some[int(np.argmin(ground.thickness[tuple(some.T)]))])


def _some(places: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    return np.asarray(places[int(rng.integers(len(places)))])


def _centre(scan: Scan, rng: np.random.Generator, centres: Sequence[float]) -> NDArray[np.int64]:
    """A voxel to cut around; not always in the middle."""
    numbers = scan.numbers
    groups = [numbers[numbers < FIRST_LOOK_ALIKE], numbers[numbers >= FIRST_LOOK_ALIKE]]
    way = int(rng.choice(4, p=centres))
    if way < 2 and len(groups[way]):
        inside = np.flatnonzero(scan.label.ravel() == rng.choice(groups[way]))
    else:
        inside = np.flatnonzero((scan.hu > _BODY_HU if way == 3 else scan.bone).ravel())
    at = np.array(np.unravel_index(inside[int(rng.integers(len(inside)))], scan.bone.shape))
    return np.asarray(at + rng.integers(-PATCH // 4, PATCH // 4 + 1, size=3))


def _cut(scan: Scan, centre: NDArray[np.int64], size: int, rng: np.random.Generator) -> Ground:
    start, shape = centre - size // 2, (size,) * 3
    hu = cut(scan.hu, start, shape, AIR).astype(np.float32)
    bone, own = cut(scan.bone, start, shape, False), cut(scan.label, start, shape, 0)
    label, weight = np.zeros(shape, dtype=np.uint8), np.ones(shape, dtype=np.float32)
    label[of_lesion(own)] = LESION
    label[own >= FIRST_LOOK_ALIKE] = LOOK_ALIKE
    for number in np.unique(own[label == LESION]):
        weight[own == number] = weight_of(int(np.count_nonzero(own == number)))
    return Ground(hu, bone, label, weight, scan.blur, scan.noise, scan.grain, rng)


def bend(ground: Ground) -> None:
    """Turn, scale and bend a wider piece, and cut the middle."""
    if ground.hu.shape[0] == PATCH:
        return
    rng = ground.rng
    matrix = np.eye(3) * np.exp(rng.uniform(-_MOST_SCALE, _MOST_SCALE, 3))
    for a, b in ((0, 1), (0, 2), (1, 2)):
        angle = float(rng.uniform(-_MOST_TURN, _MOST_TURN))
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ turn
    box, pitch = (slice(0, PATCH),) * 3, float(rng.uniform(*_KNOTS_MM))
    at = np.tensordot(matrix, np.indices((PATCH,) * 3) - (PATCH - 1) / 2, 1) + (_WIDER - 1) / 2
    for axis in range(3):
        at[axis] += rng.uniform(0, _MOST_BENT_MM) / STEP_MM * ground.waves(box, pitch)
    for name, order, fill in (("hu", 1, AIR), ("label", 0, 0), ("weight", 0, _FAR_WEIGHT)):
        moved = ndimage.map_coordinates(getattr(ground, name), at, order=order, cval=fill, prefilter=False)
        setattr(ground, name, moved)


def _rescanned(hu: Array, rng: np.random.Generator) -> Array:
    """As if from another scanner: thicker slices, larger pixels, softer or sharper, noisier, a little off in HU."""
    made = np.array(hu, dtype=np.float32)
    if rng.random() < 0.35:
        made = thick_slices(made, rng)
    if rng.random() < 0.12:
        made = coarse_pixels(made, rng)
    if rng.random() < 0.4:
        # Above 0 towards the softer picture, below 0 away from it.
        made += np.float32(rng.uniform(-0.6, 0.7)) * (ndimage.gaussian_filter(made, _SOFTER) - made)
    if rng.random() < 0.5:
        white, blur = rng.standard_normal(made.shape, dtype=np.float32), float(rng.uniform(0, _NOISE_BLUR))
        noise = ndimage.gaussian_filter(white, blur)
        made += np.float32(rng.uniform(3, 30) / max(float(noise.std()), 1e-3)) * noise
    if rng.random() < 0.5:
        made = made * np.float32(rng.normal(1, 0.03)) + np.float32(rng.normal(0, 8))
    return made
