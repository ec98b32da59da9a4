"""Lesion candidates on CT: places that do not look like the same kind of bone elsewhere in this patient.

The baseline that a trained network must beat: no learning, no atlas. Rule of type from the project's CT reference,
section 3.1 (a proposal there, hence options here).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import edt
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.finding import Finding, Part, Point, Region, SetAside
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.find.ct_candidate import Candidate, CandidateOptions, candidates_in, near_other_site
from osteoscope.find.ct_frame import Frame, ct_image, smoothed, working_frame
from osteoscope.find.ct_reference import ReferenceOptions, deviation, layers_of
from osteoscope.find.ct_typical import Comparison, TypicalOptions
from osteoscope.find.detection import Detection

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RatingOptions:
    """Choices of the confidence, each a design choice: none is calibrated.

    Args:
        contrast: deviation, in spreads, at which contrast alone gives 63 %.
        diameter_mm: diameter at which size alone gives half.
        analogue: factor for each matching place that looks alike, not below ``least_rarity`` in all.
        joint_mm: bone of another site within this distance: a joint, where wear is usual.
        joint: loss of confidence of a candidate wholly beside a joint.
    """

    contrast: float = 3.0
    diameter_mm: float = 8.0
    analogue: float = 0.55
    least_rarity: float = 0.3
    joint_mm: float = 9.0
    joint: float = 0.6


@dataclass(frozen=True)
class LesionOptions:
    """Choices of the lesion search; design choices unless a source is named.

    Args:
        spacing_mm: of the working frame.
        smooth_mm: sigma of the smoothing against noise.
        least_spread: voxels at least so many spreads away from the usual belong to a lesion (section 3.1) ...
        seed_spread: ... that somewhere deviates as much as this (lytic, blastic).
        lytic_hu: (least, greatest) HU of tumour that replaces marrow; fat lies below (section 3.1: below 130).
        blastic_hu: least HU of a blastic voxel (section 3.1: 300).
        skin_mm: outer layer of the bone where partial volume hides lesions.
        metal_hu: voxels above are metal.
        metal_mm: streaks spoil bone this far around metal.
        least_confidence: candidates below are left out.
        rating, candidate, reference, typical: options of the steps.
    """

    spacing_mm: float = 1.5
    smooth_mm: float = 1.0
    least_spread: float = 2.0
    seed_spread: tuple[float, float] = (2.5, 3.5)
    lytic_hu: tuple[float, float] = (10.0, 130.0)
    blastic_hu: float = 300.0
    skin_mm: float = 2.9
    metal_hu: int = 2600
    metal_mm: float = 12.0
    least_confidence: float = 0.2
    rating: RatingOptions = field(default_factory=RatingOptions)
    candidate: CandidateOptions = field(default_factory=CandidateOptions)
    reference: ReferenceOptions = field(default_factory=ReferenceOptions)
    typical: TypicalOptions = field(default_factory=TypicalOptions)


def find_lesions(study: Study, mapped: tuple[MappedSite, ...], options: LesionOptions = LesionOptions()) -> Detection:
    """Lytic, blastic and mixed candidates within the mapped bones, the surest first.

    Confidence is 0..1 and rises with contrast, size and rarity; it is a heuristic and not calibrated. Bone beside metal
    is set aside, with the reason.

    Raises:
        UnsuitableStudyError: the study has no CT volume in HU.
    """
    image = ct_image(study)
    frame = working_frame(image, options.spacing_mm)
    places = [place for place in mapped if place.region is not None and place.region.on("ct") is not None]
    sites = frame.from_source(_labels(places, image.grid.shape))
    names = [place.site for place in places]
    spoilt, metal = _metal(frame, sites, options)
    usable = np.where(spoilt, 0, sites)
    hu = smoothed(frame, options.smooth_mm)
    layers = layers_of(sites > 0, (frame.step,) * 3, options.reference)
    score, _ = deviation(hu, usable, names, layers, frame.cell_ml, options.reference)
    deep = (usable > 0) & (layers.depth > options.skin_mm)
    lytic, blastic = _abnormal(hu, score, deep, options)
    compared = Comparison(score, sites, names, frame, options.typical)
    rated = [
        (_confidence(found, score, compared.analogues(found), sites, frame, options), found)
        for found in candidates_in(lytic, blastic, usable, frame, options.candidate)
    ]
    kept = sorted((r for r in rated if r[0] >= options.least_confidence), key=lambda r: -r[0])
    return Detection(_findings(kept, frame, image.grid, names), metal)


def _labels(places: Sequence[MappedSite], shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """1 + the index of the place of each voxel, on the scan's own grid."""
    labels = np.zeros(shape, dtype=np.uint16)
    for number, place in enumerate(places, start=1):
        part = place.region.on("ct") if place.region else None
        if part is not None:
            labels[part.box][part.mask] = number
    return labels


def _metal(frame: Frame, sites: NDArray[np.integer], options: LesionOptions) -> tuple[Mask, tuple[SetAside, ...]]:
    """Bone that metal spoils, as a mask and as a statement."""
    metal = frame.hu > options.metal_hu
    if not metal.any():
        return metal, ()
    near = edt.edt(~metal, anisotropy=(frame.step,) * 3) <= options.metal_mm
    spoilt = near & (sites > 0)
    source = frame.to_source((near & ((sites > 0) | metal)).astype(np.uint8), linear=False)
    if not spoilt.any() or not source.any():
        return spoilt, ()
    reason = f"HU above {options.metal_hu}: bone within {options.metal_mm:g} mm is not searched for lesions"
    return spoilt, (SetAside("metal", reason, Region((Part.from_mask("ct", source > 0),))),)


def _abnormal(
    hu: NDArray[np.int16], score: NDArray[np.float32], deep: Mask, options: LesionOptions
) -> tuple[Mask, Mask]:
    """Lytic and blastic voxels: least deviation, joined to a seed of clear deviation."""
    low, high = options.lytic_hu
    soft = deep & (hu > low) & (hu < high)
    hard = deep & (hu > options.blastic_hu)
    lytic_seed, blastic_seed = options.seed_spread
    lytic = ndimage.binary_propagation(soft & (score < -lytic_seed), mask=soft & (score < -options.least_spread))
    blastic = ndimage.binary_propagation(hard & (score > blastic_seed), mask=hard & (score > options.least_spread))
    return lytic, blastic


def _confidence(
    found: Candidate,
    score: NDArray[np.float32],
    analogues: int,
    sites: NDArray[np.integer],
    frame: Frame,
    options: LesionOptions,
) -> float:
    """0..1, rising with contrast, size, roundness and rarity."""
    rating = options.rating
    contrast = float(np.median(np.abs(score[found.box][found.mask])))
    joint = near_other_site(found.mask, found.box, found.site, sites, frame, rating.joint_mm)
    factors = (
        1 - np.exp(-contrast / rating.contrast),
        found.diameter / (found.diameter + rating.diameter_mm),
        found.roundness,
        max(rating.analogue**analogues, rating.least_rarity),
        1 - rating.joint * joint,
    )
    return float(np.prod(factors))


def _findings(
    rated: Sequence[tuple[float, Candidate]], frame: Frame, grid: Grid, names: Sequence[str]
) -> tuple[Finding, ...]:
    labels = np.zeros(frame.hu.shape, dtype=np.uint16)
    for number, (_, found) in enumerate(rated, start=1):
        labels[found.box][found.mask] = number
    source = frame.to_source(labels, linear=False)
    boxes = ndimage.find_objects(source, max_label=len(rated))
    findings: list[Finding] = []
    for number, ((confidence, found), box) in enumerate(zip(rated, boxes, strict=True), start=1):
        if box is None:
            continue  # thinner than the scan's own slices: nothing of it lies on a slice
        part = Part.from_mask("ct", source[box] == number, tuple(s.start for s in box))
        findings.append(
            Finding(
                f"lesion-{len(findings) + 1}",
                names[found.site - 1],
                found.kind,
                round(confidence, 3),
                Region((part,)),
                Point.centre_of(part, grid),
            )
        )
    return tuple(findings)
