"""Scans with lesions put in, whole: to calibrate and to judge on."""

from __future__ import annotations

from dataclasses import replace

import cc3d
import numpy as np
from numpy.typing import NDArray

from osteoscope.train.ct_ground import LESION, LOOK_ALIKE, Ground
from osteoscope.train.ct_implants import LESIONS, add_lesion, add_nothing
from osteoscope.train.ct_lesion_patches import deep_place
from osteoscope.train.ct_look_alikes import LOOK_ALIKES, add_look_alike
from osteoscope.train.ct_scans import LOOK_ALIKE as FIRST_LOOK_ALIKE
from osteoscope.train.ct_scans import Scan, lesion_label, of_lesion

_TRIES = 8
# Put into a scan beside its own, by `with_more`.
_LESIONS, _LOOK_ALIKES = 8, 6


def with_implants(scan: Scan, rng: np.random.Generator, lesions: int = 6, look_alikes: int = 4) -> Scan:
    """A copy of a scan with lesions of every kind in turn and look-alikes; what it had of its own stays unmarked.

    Lesions that touch are one. Fewer are put in where a lesion would not show at any place tried.

    Args:
        scan: stays as it is.
        rng: of what is put in.
        lesions, look_alikes: how many.
    """
    zero = np.zeros(scan.hu.shape, dtype=np.uint8)
    ground = Ground(
        scan.hu.astype(np.float32), scan.bone, zero, np.ones(scan.hu.shape, dtype=np.float32),
        scan.blur, scan.noise, scan.grain, rng,
    )  # fmt: skip
    places = np.argwhere(scan.bone)
    for kind in rng.permutation(list(LOOK_ALIKES))[:look_alikes]:
        add_look_alike(ground, str(kind), places[int(rng.integers(len(places)))])
    add_nothing(ground, places[int(rng.integers(len(places)))])
    kinds = rng.permutation(list(LESIONS))
    for number in range(lesions):
        for _ in range(_TRIES):
            if add_lesion(ground, str(kinds[number % len(kinds)]), deep_place(ground, places)):
                break
    label = _numbered(ground.label == LESION)
    label[ground.label == LOOK_ALIKE] = FIRST_LOOK_ALIKE
    return replace(scan, hu=np.clip(np.rint(ground.hu), -1024, 3071).astype(np.int16), label=label)


def with_more(scan: Scan, rng: np.random.Generator) -> Scan:
    """A copy of a scan with lesions and look-alikes put in beside those of its own, which stay marked.

    Args:
        scan, rng: see `with_implants`.
    """
    made = with_implants(scan, rng, _LESIONS, _LOOK_ALIKES)
    label = np.where(made.label == 0, scan.label, made.label)
    numbered = np.where(label >= FIRST_LOOK_ALIKE, FIRST_LOOK_ALIKE, _numbered(of_lesion(label)))
    return replace(made, label=numbered.astype(np.uint8))


def _numbered(lesion: NDArray[np.bool_]) -> NDArray[np.uint8]:
    pieces = cc3d.connected_components(lesion.astype(np.uint8), connectivity=26)
    return np.where(lesion, lesion_label(pieces.astype(np.int32) - 1), 0).astype(np.uint8)
