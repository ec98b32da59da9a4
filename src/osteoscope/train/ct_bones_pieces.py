"""Label maps of scans whose pieces of bone, as the baseline parts them, somebody named in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.study import Patient, Study
from osteoscope.errors import InvalidValueError
from osteoscope.find.ct_bone_maps import LABEL_OF, UNKNOWN
from osteoscope.find.ct_frame import AIR, ct_image, working_frame
from osteoscope.find.ct_names import map_bones
from osteoscope.train.ct_bones_maps import DRAWN_MM, LabelMap, coarse
from osteoscope.train.ct_bones_sources import ct_of, lines_of
from osteoscope.train.made_of import key_of

COLUMNS = ("ct", "from_slice", "piece", "name")
_CLOSED = 3  # voxels of 1.5 mm: marrow that thin walls did not close off


def write_pieces(table: Path, folder: Path) -> list[Path]:
    """Label maps of the scans of a CSV of `COLUMNS`, unless they are there; named by what the scans and rows hold.

    Args:
        table: a line for each piece: scan (relative path), first slice to learn from, the baseline's name for the
            piece, its right name, one of `osteoscope.find.ct_bone_maps.LABELS`. Pieces without a line are not learned.
        folder: for the maps.

    Raises:
        InvalidValueError: a column is missing, a name is unknown, or a scan cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scans: dict[tuple[str, int], dict[str, str]] = {}
    for row in lines_of(table, COLUMNS):
        if row["name"] not in LABEL_OF:
            raise InvalidValueError(f"read {table}", f"name {row['name']!r}", "Use a site, or a kind of bone")
        scans.setdefault((row["ct"], int(row["from_slice"])), {})[row["piece"]] = row["name"]
    made = []
    for (ct, first), names in scans.items():
        path = folder / f"named_{key_of((table.parent / ct,), (first, names))}.npz"
        if not path.exists():
            pieces_map(table.parent / ct, first, names).save(path)
        made.append(path)
    return made


def pieces_map(ct: Path, first: int, names: Mapping[str, str]) -> LabelMap:
    """A scan from slice ``first`` on, its baseline pieces renamed; those without a name are not learned from."""
    study = Study("1", "ct", "", Patient("1"), {"ct": ct_of(ct)})
    image = ct_image(study)
    frame = working_frame(image, DRAWN_MM)
    labels = np.zeros(image.grid.shape, dtype=np.uint8)
    for site in map_bones(study):
        for part in site.region.parts if site.region else ():
            labels[part.box][part.mask] = LABEL_OF[names.get(site.site, UNKNOWN)]
    labels[:first][labels[:first] > 0] = LABEL_OF[UNKNOWN]
    named = _closed(frame.from_source(labels), [LABEL_OF[name] for name in names.values()])
    return coarse(np.maximum(frame.hu, AIR), named)


def _closed(labels: NDArray[np.uint8], names: Sequence[int]) -> NDArray[np.uint8]:
    """Each named bone with what it encloses."""
    made = labels.copy()
    for name in sorted(set(names)):
        closed = ndimage.binary_closing(np.pad(labels == name, _CLOSED), iterations=_CLOSED)
        inner = closed[(slice(_CLOSED, -_CLOSED),) * 3]
        made[inner & (made == 0)] = name
    return made
