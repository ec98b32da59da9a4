"""Lesions as connected places of the network's chances: their masks, and how sure each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import cc3d
import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from osteoscope.domain.finding import FindingKind
from osteoscope.find.ct_lesion_windows import Array, Chances, Mask

FEATURES = ("peak", "mean", "volume", "look_alike", "in_bone", "contrast")
CONSTANT = "constant"


@dataclass(frozen=True)
class SpotOptions:
    """Choices of what is one lesion.

    Args:
        least: chance below which nothing is looked for, ...
        peak: ... and that a candidate reaches somewhere.
        inside: places are parted at this chance, or at half of their peak where that is less, ...
        mean: ... those of a lesser mean chance are no candidates: of 130 lesions of tuning scans none was found at up
            to two false positives per scan through one, and a scan has half as many candidates without, ...
        outline: ... and a voxel belongs to a lesion from this chance on, or from this share of its peak where that is
            less. At 0.5 the volumes of 46 lesions of tuning scans were off by 23 % in the median, at 0.6 by 18 %.
        least_mm3: smaller places are no lesions.
        beyond_mm: a lesion reaches no farther than this out of bone, ...
        least_in_bone: ... and at least this share of it lies within: soft tissue that looks like tumour is none. Of
            candidates of training scans with 0.1 to 0.3 in bone, 18 of 517 were lesions.
        ring_mm: width of the bone around a lesion that its contrast is taken to.
        lytic_hu, blastic_hu: below, above: lytic, blastic voxels (project reference, section 3.1: 130, 300).
        inside_voxels, inside_share: the type is that of a lesion without its outermost layer, which is half cortex or
            marrow, where so many voxels, and so much of it, are left.
        pure_lytic: share of lytic among lytic and blastic voxels from which a lesion is lytic: inside, 13 lytic lesions
            of tuning scans reached 0.97, 5 mixed ones 0.86 at most.
        thin_lytic: the same for a lesion without an inside (section 3.1: 2/3).
        pure_blastic: share of blastic ones from which it is blastic: inside, 15 blastic lesions reached 0.91, mixed
            ones 0.63 at most.
    """

    least: float = 0.1
    peak: float = 0.25
    inside: float = 0.5
    mean: float = 0.4
    outline: float = 0.6
    least_mm3: float = 13.5
    beyond_mm: float = 9.0
    least_in_bone: float = 0.25
    ring_mm: float = 4.5
    lytic_hu: float = 130.0
    blastic_hu: float = 300.0
    inside_voxels: int = 20
    inside_share: float = 0.2
    pure_lytic: float = 0.9
    thin_lytic: float = 2 / 3
    pure_blastic: float = 0.8


@dataclass(frozen=True, eq=False)
class Spot:
    """A candidate.

    Args:
        box: where ``mask`` lies in the volume.
        mask: bool, its voxels.
        kind: by its HU, and by its contrast where those lie between lytic and blastic.
        features: by name, what its confidence follows from: `FEATURES`, and those of later looks.
    """

    box: tuple[slice, ...]
    mask: Mask
    kind: FindingKind
    features: Mapping[str, float]

    def confidence(self, weights: Mapping[str, float]) -> float:
        """Chance of being a lesion, 0..1, by a logistic model over the features that have weights, and "constant"."""
        total = sum(weight * self.features[name] for name, weight in weights.items() if name != CONSTANT)
        return float(expit(weights[CONSTANT] + total))

    def knowing(self, feature: str, value: float) -> Spot:
        """The same with one more feature."""
        return replace(self, features={**self.features, feature: value})


def spots(seen: Chances, hu: NDArray[np.int16], bone: Mask, options: SpotOptions = SpotOptions()) -> Iterator[Spot]:
    """All candidates with enough of them in bone.

    A place of low chance that holds several surer ones is parted into them: it is cut at half of its own peak.
    """
    near = edt.edt(~bone, anisotropy=(seen.step_mm,) * 3) <= options.beyond_mm
    labels = cc3d.connected_components(((seen.lesion >= options.least) & near).astype(np.uint8), connectivity=26)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        chance = np.where(labels[box] == number, seen.lesion[box], 0)
        if chance.max() < options.peak:
            continue
        cut = min(options.inside, float(chance.max()) / 2)
        pieces = cc3d.connected_components((chance >= max(cut, options.least)).astype(np.uint8), connectivity=26)
        for piece, inner in enumerate(ndimage.find_objects(pieces), start=1):
            place = pieces[inner] == piece
            said = chance[inner][place].astype(np.float32)
            if said.mean() < options.mean:
                continue
            mask = place & (chance[inner] >= options.outline * min(1.0, float(said.max())))
            whole = tuple(slice(b.start + s.start, b.start + s.stop) for b, s in zip(box, inner, strict=True))
            size, inside = np.count_nonzero(mask), np.count_nonzero(bone[whole] & mask)
            if size * seen.step_mm**3 >= options.least_mm3 and inside > options.least_in_bone * size:
                yield _spot(whole, mask, said, (seen, hu, bone), options)


def _spot(
    box: tuple[slice, ...],
    mask: Mask,
    chance: Array,
    volumes: tuple[Chances, NDArray[np.int16], Mask],
    options: SpotOptions,
) -> Spot:
    seen, hu, bone = volumes
    inside = hu[box][mask].astype(np.float32)
    contrast = float(inside.mean() - np.median(_ring(box, mask, hu, bone, round(options.ring_mm / seen.step_mm))))
    features = (
        _logit(float(chance.max())),
        _logit(float(chance.mean())),
        float(np.log(np.count_nonzero(mask))),
        float(seen.look_alike[box][mask].mean(dtype=np.float32)),
        float(bone[box][mask].mean()),
        min(abs(contrast) / 100, 5.0),
    )
    return Spot(box, mask, _kind(hu[box], mask, contrast, options), dict(zip(FEATURES, features, strict=True)))


def _ring(box: tuple[slice, ...], mask: Mask, hu: NDArray[np.int16], bone: Mask, width: int) -> Array:
    """HU of the bone right around a mask; its own where there is none."""
    wide = tuple(slice(max(0, s.start - width), s.stop + width) for s in box)
    held = np.zeros(hu[wide].shape, dtype=bool)
    held[tuple(slice(s.start - w.start, s.stop - w.start) for s, w in zip(box, wide, strict=True))] = mask
    ring = ndimage.binary_dilation(held, iterations=width) & ~held & bone[wide]
    return np.asarray(hu[wide][ring] if ring.any() else hu[box][mask], dtype=np.float32)


def _kind(hu: NDArray[np.int16], mask: Mask, contrast: float, options: SpotOptions) -> FindingKind:
    inside = ndimage.binary_erosion(mask, np.ones((3, 3, 3)))
    thin = np.count_nonzero(inside) < max(options.inside_voxels, options.inside_share * np.count_nonzero(mask))
    values = hu[mask if thin else inside]
    low, high = np.count_nonzero(values < options.lytic_hu), np.count_nonzero(values > options.blastic_hu)
    if low + high < len(values) / 4:
        return "blastic" if contrast > 0 else "lytic"
    share = low / (low + high)
    if share >= (options.thin_lytic if thin else options.pure_lytic):
        return "lytic"
    return "blastic" if share <= 1 - options.pure_blastic else "mixed"


def _logit(chance: float) -> float:
    bounded = min(max(chance, 1e-4), 1 - 1e-4)
    return float(np.log(bounded / (1 - bounded)))
