"""What is found: a Region on an image, Measures with intervals, a Finding at a site."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.geometry import Box, Frame, Grid, Turn, Unit
from osteoscope.errors import InvalidValueError

FindingKind = Literal["lytic", "blastic", "mixed", "focal", "diffuse"]
# Findings below this confidence are called doubtful and drawn dashed; the scores' own default (`ScoreOptions`).
DOUBTFUL_BELOW = 0.5


@dataclass(frozen=True)
class Measure:
    """A number with its unit, method and interval.

    Args:
        name: one of the names of docs/reference/reading.md, such as "volume".
        value: the number itself.
        unit: UCUM code ("mL", "mm", "[hnsf'U]", "N"; "1" for a pure number, "{score}" for a score).
        method: the rule that made it, in a few words or as an id.
        interval: the range that the value could have under the uncertainties the method knows of.

    Raises:
        InvalidValueError: a text is empty, a number is not finite, or the interval misses the value.
    """

    name: str
    value: float
    unit: str
    method: str
    interval: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not (self.name and self.unit and self.method):
            raise InvalidValueError(f"build measure {self.name!r}", "an empty name, unit or method", "Give all three")
        numbers = (self.value, *(self.interval or ()))
        if not all(math.isfinite(v) for v in numbers):
            raise InvalidValueError(f"build measure {self.name!r}", f"numbers {numbers}", "Give finite numbers")
        if self.interval and not self.interval[0] <= self.value <= self.interval[1]:
            raise InvalidValueError(
                f"build measure {self.name!r}",
                f"value {self.value} {self.unit} outside {self.interval}",
                "Widen the interval",
            )
        object.__setattr__(self, "value", float(self.value))
        if self.interval:
            object.__setattr__(self, "interval", (float(self.interval[0]), float(self.interval[1])))


@dataclass(frozen=True, eq=False)
class Part:
    """A mask on one image, kept within its bounding box.

    Args:
        image: name of the image in the Study ("ct", "anterior", "posterior").
        offset: array index of ``mask[0, ...]`` in that image.
        mask: boolean array, at least one element set.

    Raises:
        InvalidValueError: the mask is empty or its axes differ from those of the offset.
    """

    image: str
    offset: tuple[int, ...]
    mask: NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.mask.ndim != len(self.offset) or min(self.offset) < 0:
            raise InvalidValueError(
                f"build a region on {self.image!r}",
                f"offset {self.offset} for {self.mask.ndim} axes",
                "Give one index per axis",
            )
        if not self.mask.any():
            raise InvalidValueError(f"build a region on {self.image!r}", "an empty mask", "Leave empty regions out")
        mask = np.ascontiguousarray(self.mask, dtype=bool)
        mask.setflags(write=False)
        object.__setattr__(self, "mask", mask)

    @classmethod
    def from_mask(cls, image: str, mask: NDArray[Any], offset: tuple[int, ...] | None = None) -> Part:
        """The tight Part of a mask that begins at ``offset`` (default: the image's origin)."""
        axes = range(mask.ndim)
        spans = [np.flatnonzero(mask.any(axis=tuple(a for a in axes if a != axis))) for axis in axes]
        if any(span.size == 0 for span in spans):
            raise InvalidValueError(f"build a region on {image!r}", "an empty mask", "Leave empty regions out")
        box = tuple(slice(int(span[0]), int(span[-1]) + 1) for span in spans)
        origin = offset or (0,) * mask.ndim
        start = tuple(o + s.start for o, s in zip(origin, box, strict=True))
        return cls(image, start, mask[box].astype(bool))

    @property
    def box(self) -> Box:
        """The bounding box as slices of the image's array."""
        return tuple(slice(o, o + n) for o, n in zip(self.offset, self.mask.shape, strict=True))

    def turned(self, turn: Turn, shape: tuple[int, ...]) -> Part:
        """The Part on the array that a Turn makes of an image of that shape."""
        ends = [shape[axis] - self.offset[axis] - self.mask.shape[axis] for axis in turn.axes]
        starts = [self.offset[axis] for axis in turn.axes]
        offset = (end if flip else start for start, end, flip in zip(starts, ends, turn.flipped, strict=True))
        return Part(self.image, tuple(offset), turn.array(self.mask))

    def full(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """The mask on the whole image of that shape."""
        whole = np.zeros(shape, dtype=bool)
        whole[self.box] = self.mask
        return whole

    def within(self, box: Box) -> NDArray[np.bool_]:
        """The mask within a box of the image's array, empty where they do not meet."""
        mask = np.zeros([s.stop - s.start for s in box], dtype=bool)
        spans = [(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(self.box, box, strict=True)]
        if all(low < high for low, high in spans):
            into = tuple(slice(low - b.start, high - b.start) for (low, high), b in zip(spans, box, strict=True))
            out_of = tuple(slice(low - o, high - o) for (low, high), o in zip(spans, self.offset, strict=True))
            mask[into] = self.mask[out_of]
        return mask

    def overlap(self, other: Part) -> int:
        """Number of elements that both Parts hold; 0 on different images."""
        if self.image != other.image:
            return 0
        pairs = list(zip(self.box, other.box, strict=True))
        low = [max(a.start, b.start) for a, b in pairs]
        high = [min(a.stop, b.stop) for a, b in pairs]
        if any(lo >= hi for lo, hi in zip(low, high, strict=True)):
            return 0

        def cut(part: Part) -> NDArray[np.bool_]:
            return part.mask[tuple(slice(lo - o, hi - o) for lo, hi, o in zip(low, high, part.offset, strict=True))]

        return int(np.count_nonzero(cut(self) & cut(other)))

    def centroid(self) -> NDArray[np.float64]:
        """Mean array index on the image."""
        return np.asarray(np.argwhere(self.mask).mean(axis=0) + np.asarray(self.offset), dtype=float)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Part):
            return NotImplemented
        return (self.image, self.offset) == (other.image, other.offset) and np.array_equal(self.mask, other.mask)

    def __hash__(self) -> int:
        return hash((self.image, self.offset, self.mask.shape, self.mask.tobytes()))


@dataclass(frozen=True)
class Region:
    """One or more Parts, at most one per image (a planar focus may show in both views)."""

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        images = [part.image for part in self.parts]
        if not images or len(set(images)) != len(images):
            raise InvalidValueError(
                "build a Region", f"parts on images {images}", "Give one part per image, at least one"
            )

    def on(self, image: str) -> Part | None:
        """The Part on that image, if any."""
        return next((part for part in self.parts if part.image == image), None)

    def overlap(self, other: Region) -> int:
        """Number of elements shared, summed over images."""
        return sum(a.overlap(b) for a in self.parts for b in other.parts)

    @property
    def size(self) -> int:
        """Number of elements, summed over images."""
        return sum(int(np.count_nonzero(part.mask)) for part in self.parts)


@dataclass(frozen=True)
class Point:
    """A place: millimetres of the patient system (LPS), or pixels (row, column) of a planar view."""

    frame: Frame
    unit: Unit
    position: tuple[float, ...]

    @classmethod
    def centre_of(cls, part: Part, grid: Grid) -> Point:
        """Centroid of a Part: LPS millimetres on a volume, (row, column) pixels on a planar view."""
        index = part.centroid()
        position = grid.to_position(index) if grid.ndim == 3 else index
        unit: Unit = "mm" if grid.ndim == 3 else "pixel"
        return cls(grid.frame, unit, tuple(round(float(v), 3) for v in position))


@dataclass(frozen=True)
class Finding:
    """A lesion: where it is, of which kind, how sure.

    Args:
        id: unique within a Reading.
        site: id of a site of `osteoscope.domain.anatomy`.
        kind: lytic / blastic / mixed on CT; focal / diffuse on a planar view.
        confidence: 0..1.
        region: its elements.
        centre: its centroid, on the first Part's image.
        measures: what was measured of it.
    """

    id: str
    site: str
    kind: FindingKind
    confidence: float
    region: Region
    centre: Point
    measures: tuple[Measure, ...] = field(default=())

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise InvalidValueError(
                f"build finding {self.id}", f"confidence {self.confidence}", "Give a number in 0..1"
            )

    def measure(self, name: str) -> Measure | None:
        """The measure of that name, if any."""
        return next((m for m in self.measures if m.name == name), None)


@dataclass(frozen=True)
class SetAside:
    """Something seen and, with a reason, not counted: physiological uptake, metal, contamination."""

    what: str
    reason: str
    region: Region
