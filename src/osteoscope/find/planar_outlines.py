"""What the outlines of the body on the planar views say against reading them as one whole child."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from osteoscope.domain.study import Study
from osteoscope.find.planar_body import Frame, Mask, Outline, binned, frame, outlines
from osteoscope.find.planar_square import squared

# Choices. Simulated children reach an overlap of 0.89 and more, a posterior view of another child 0.50 to 0.53.
POOR_PAIRING, NO_PAIRING = 0.7, 0.6
# Two children side by side are of about one size; an arm or a lower leg that looks separate is far smaller.
_AS_LARGE, _BESIDE = 0.4, 0.5
# A head or feet that end within the field taper to less of the body's greatest width.
_CUT_WIDTH = 0.2


def overlap(study: Study) -> float | None:
    """Overlap over union of the two outlines once laid on each other; None where they are not two."""
    body = _frame(study)
    return body.agreement if body else None


def fewest_counts(study: Study) -> int:
    """Counts on the body, of the view that has the fewest; 0 where a view shows no body."""
    found = _outlines(study)
    if len(found) < len(study.images):
        return 0
    return min(
        int(binned(image.values, found[view].bin)[found[view].mask].sum())
        for view, image in squared(study).images.items()
    )


def length_pixels(study: Study) -> int | None:
    """How many square pixels long the body is, whichever way it lies; None where there is no body."""
    body = _frame(study)
    if body is None or not (body.edge < 0).any():
        return None
    spans = [np.flatnonzero((body.edge < 0).any(axis=axis)) for axis in (0, 1)]
    return max(int(span[-1] + 1 - span[0]) for span in spans) * body.bin


def pixel_mm(study: Study) -> float | None:
    """The side of the square pixels that the study is read on; None where their size is not known."""
    grid = next(iter(squared(study).images.values())).grid
    return grid.spacing[0] if grid.unit == "mm" else None


def length_mm(study: Study) -> float | None:
    """How long the body is by its pixel size; None where there is no body or no pixel size."""
    length, side = length_pixels(study), pixel_mm(study)
    return None if length is None or side is None else length * side


def cut_ends(study: Study) -> tuple[str, ...]:
    """At which ends of the field the body is cut off on any view: "upper", "lower"."""
    found = [(body.mask, np.flatnonzero(body.seen.any(axis=1))) for body in _outlines(study).values()]
    ends = {"upper": 0, "lower": -1}
    return tuple(end for end, at in ends.items() if any(_wide(mask, rows[at]) for mask, rows in found))


def side_by_side(study: Study) -> bool:
    """Whether a view shows two bodies of about one size beside each other."""
    return any(_two(body.mask) for body in _outlines(study).values())


def _frame(study: Study) -> Frame | None:
    return frame(squared(study))


def _outlines(study: Study) -> Mapping[str, Outline]:
    return outlines(squared(study))


def _wide(mask: Mask, row: int) -> bool:
    widths = mask.sum(axis=1)
    return bool(widths[row] >= _CUT_WIDTH * widths.max())


def _two(mask: Mask) -> bool:
    labels, count = ndimage.label(mask)
    if count < 2:
        return False
    sizes = np.bincount(labels.ravel())
    largest, second = np.argsort(sizes[1:])[::-1][:2] + 1
    rows = [(labels == piece).any(axis=1) for piece in (largest, second)]
    shared = (rows[0] & rows[1]).sum() / min(rows[0].sum(), rows[1].sum())
    return bool(sizes[second] >= _AS_LARGE * sizes[largest] and shared >= _BESIDE)
