"""Size and contrast of a planar finding."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from osteoscope.domain.finding import Finding, Measure, Part
from osteoscope.domain.reading import Case

_CONFIDENCE_95 = 1.96


@dataclass(frozen=True)
class RingOptions:
    """The background of a finding: a ring around it, other findings left out. Design choices.

    Args:
        gap_pixels: distance from the finding, so that its blur stays outside.
        width_pixels: of the ring.
    """

    gap_pixels: int = 2
    width_pixels: int = 4


def uptake(case: Case, finding: Finding, options: RingOptions = RingOptions()) -> tuple[Measure, ...]:
    """ "area" (cm2, or pixels where their size is unknown) and "uptake_ratio" of a planar finding.

    The ratio is mean counts per pixel over those of the surrounding ring, in the view where it is larger;
    its 95 % interval is that of two Poisson counts (delta method on the log ratio). The area is the larger
    one of the views.
    """
    ratios = [ratio for part in finding.region.parts if (ratio := _ratio(case, part, options))]
    largest = max(finding.region.parts, key=lambda part: np.count_nonzero(part.mask))
    grid = case.study.images[largest.image].grid
    elements = int(np.count_nonzero(largest.mask))
    known = grid.unit == "mm"
    area = Measure("area", elements * grid.cell / 100 if known else elements, "cm2" if known else "{pixel}", "pixels")
    return (area, *([max(ratios, key=lambda ratio: ratio.value)] if ratios else []))


def _ratio(case: Case, part: Part, options: RingOptions) -> Measure | None:
    values = case.study.images[part.image].values
    reach = options.gap_pixels + options.width_pixels
    low = [max(0, s.start - reach) for s in part.box]
    box = tuple(slice(lo, s.stop + reach) for lo, s in zip(low, part.box, strict=True))
    counts = values[box]
    inside = np.zeros(counts.shape, dtype=bool)
    inside[tuple(slice(s.start - lo, s.stop - lo) for lo, s in zip(low, part.box, strict=True))] = part.mask
    others = np.zeros(values.shape, dtype=bool)
    for finding in case.findings:
        if other := finding.region.on(part.image):
            others[other.box] |= other.mask
    near = ndimage.binary_dilation(inside, iterations=options.gap_pixels)
    ring = ndimage.binary_dilation(near, iterations=options.width_pixels) & ~near & ~others[box]
    hot, cold = float(counts[inside].sum()), float(counts[ring].sum())
    if hot <= 0 or cold <= 0:
        return None
    ratio = (hot / np.count_nonzero(inside)) / (cold / np.count_nonzero(ring))
    spread = math.exp(_CONFIDENCE_95 * math.sqrt(1 / hot + 1 / cold))
    return Measure("uptake_ratio", ratio, "1", f"over a ring, {part.image} view", (ratio / spread, ratio * spread))
