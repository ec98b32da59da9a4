"""From labelled voxels of the working frame to the site map on the scan's own grid, slab by slab."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Part, Region
from osteoscope.domain.reading import MappedSite
from osteoscope.find.ct_bone_outline import Outline
from osteoscope.find.ct_frame import Frame
from osteoscope.find.ct_names import CUT, Name

Sites = NDArray[np.uint16]
_SLAB = 64  # slices written at once, bounds memory


def voxels_on_source(
    frame: Frame, voxels: Sites, names: Sequence[Name], outline: Outline | None = None
) -> tuple[MappedSite, ...]:
    """The site map of voxels of the working frame.

    Args:
        frame: the working frame.
        voxels: 0 or 1 + the number of a name.
        names: one each; those without a voxel on the scan are left out.
        outline: decides, at the resolution of the scan, which of them is bone; None: all are.
    """
    shape = frame.source.shape
    labels = np.zeros(shape, dtype=np.uint16)
    for start in range(0, shape[0], _SLAB):
        box = (slice(start, min(start + _SLAB, shape[0])), slice(0, shape[1]), slice(0, shape[2]))
        slab = Frame(frame.hu, frame.grid, frame.source.crop(box))
        named = slab.to_source(voxels, linear=False)
        if outline is not None:
            named[~outline.bone_on(slab.source)] = 0
        labels[box] = named
    return tuple(_mapped(labels, names))


def _mapped(labels: Sites, names: Sequence[Name]) -> Iterator[MappedSite]:
    boxes = ndimage.find_objects(labels, max_label=len(names))
    for number, (name, box) in enumerate(zip(names, boxes, strict=True), start=1):
        if box is None:
            continue
        part = Part.from_mask("ct", labels[box] == number, tuple(s.start for s in box))
        cut = any(s.start == 0 or s.stop == n for s, n in zip(part.box, labels.shape, strict=True))
        notes = (*name.notes, CUT) if cut else name.notes
        yield MappedSite(name.site, Region((part,)), "assessed", name.confidence, notes)
