"""Candidates to learn the second look from: what the detector calls a lesion in scans whose lesions are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.errors import UnsuitableStudyError
from osteoscope.find.ct_lesion_spots import spots
from osteoscope.find.ct_lesion_windows import STEP_MM, Array, Mask, look
from osteoscope.find.ct_second_look import FEATURE, SIDE, Around
from osteoscope.find.ct_twins import Coarse, compared
from osteoscope.find.model import Model
from osteoscope.train.ct_held_out import with_more
from osteoscope.train.ct_lesion_export import WEIGHED, is_lesion
from osteoscope.train.ct_lesion_patches import deep_place, thin_place
from osteoscope.train.ct_scans import Scan, of_lesion
from osteoscope.train.ct_slices import thick_slices
from osteoscope.train.written import written

Kind = Literal["", "thin", "thick"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# What a confidence follows from beside the second look.
BESIDE = tuple(name for name in WEIGHED if name != FEATURE)
# Of the wrong candidates of a scan, the surest are kept, and some of the others.
_SUREST, _SOME = 14, 10
# In half of the scans all that is bright counts as bone, as vessels and organs full of contrast do at times.
_BRIGHT_HU, _BRIGHT_SIGMA = 130, 1.2 / STEP_MM


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates of a scan, or of many.

    Args:
        hu: int16 (n, SIDE, SIDE, SIDE).
        own: uint8 (n, SIDE**3 / 8), packed bits.
        lesion: bool (n,), whether it is one.
        beside: float32 (n, 2), the features ``BESIDE``.
    """

    hu: NDArray[np.int16]
    own: NDArray[np.uint8]
    lesion: Mask
    beside: Array

    def save(self, path: Path) -> None:
        """Write a compressed .npz, whole or not at all."""
        with written(path) as unfinished:
            np.savez_compressed(unfinished, **vars(self))

    @classmethod
    def load(cls, paths: Sequence[Path]) -> Candidates:
        """All that `save` wrote to some files.

        Raises:
            UnsuitableStudyError: a version that kept other things wrote one of them.
        """
        parts: dict[str, list[NDArray[Any]]] = {name: [] for name in cls.__dataclass_fields__}
        for path in paths:
            with np.load(path) as stored:
                if set(stored.files) != set(parts):
                    found = f"candidates with {', '.join(stored.files)}, of another version"
                    raise UnsuitableStudyError(f"learn from {path}", found, "Remove it: it is made again")
                for name, held in parts.items():
                    held.append(stored[name])
        return cls(**{name: np.concatenate(held) for name, held in parts.items()})

    def picture(self, number: int) -> Array:
        """What the network is shown of a candidate."""
        return Around(self.hu[number], np.unpackbits(self.own[number]).reshape((SIDE,) * 3).astype(bool)).picture()


@dataclass(frozen=True)
class Copy:
    """A prepared scan as it is (number 0), or with lesions put in.

    Args:
        path: of `osteoscope.train.ct_scans.Scan.save`.
        number: of the copy.
        kind: "thin": lesions go into thin bones; "thick": all is then seen in thick slices.
    """

    path: Path
    number: int
    kind: Kind = ""

    @property
    def name(self) -> str:
        """Of the file of its candidates."""
        return "_".join(part for part in (self.path.stem, self.kind, str(self.number)) if part)

    def made(self, rng: np.random.Generator) -> Scan:
        """The copy itself."""
        scan = Scan.load(self.path)
        if self.number:
            scan = with_more(scan, rng, thin_place if self.kind == "thin" else deep_place)
        if self.kind == "thick":
            scan = replace(scan, hu=np.rint(thick_slices(scan.hu.astype(np.float32), rng)).astype(np.int16))
        return scan


def write_candidates(copy: Copy, folder: Path, model: Model) -> Path:
    """The candidates of a copy of a scan, unless they are there."""
    target = folder / f"{copy.name}.npz"
    if not target.exists():
        rng = np.random.default_rng((int.from_bytes(copy.path.stem.encode()[-6:]), copy.number, KINDS.index(copy.kind)))
        folder.mkdir(parents=True, exist_ok=True)
        _candidates(copy.made(rng), model, rng).save(target)
    return target


def _candidates(scan: Scan, model: Model, rng: np.random.Generator) -> Candidates:
    bone = scan.bone
    if rng.random() < 0.5:
        bone = bone | (ndimage.gaussian_filter(scan.hu.astype(np.float32), _BRIGHT_SIGMA) > _BRIGHT_HU)
    seen = look(scan.hu, bone, model)
    found = sorted(spots(seen, scan.hu, bone), key=lambda spot: -spot.features["mean"])
    right = [spot for spot in found if is_lesion(spot, scan)]
    # What holds a little of a lesion is neither right nor wrong.
    wrong = [spot for spot in found if not of_lesion(scan.label[spot.box][spot.mask]).any()]
    others = wrong[_SUREST:]
    some = [others[n] for n in rng.permutation(len(others))[:_SOME]]
    coarse = Coarse.of(scan.hu, STEP_MM)
    kept = [compared(spot, coarse) for spot in (*right, *wrong[:_SUREST], *some)]
    around = [Around.of(spot, scan.hu, STEP_MM) for spot in kept]
    return Candidates(
        np.array([a.hu for a in around], dtype=np.int16).reshape(-1, *(SIDE,) * 3),
        np.array([np.packbits(a.own) for a in around], dtype=np.uint8).reshape(-1, SIDE**3 // 8),
        np.arange(len(kept)) < len(right),
        np.array([[s.features[name] for name in BESIDE] for s in kept], dtype=np.float32).reshape(-1, len(BESIDE)),
    )
