"""Lesion candidates on CT: places that do not look like the same kind of bone elsewhere in this patient.

The baseline that a trained network must beat: no learning, no atlas. Rule of type from the project's CT reference,
section 3.1 (a proposal there, hence options here).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.find.ct_candidate import Candidate, CandidateOptions, candidates_in, near_other_site
from osteoscope.find.ct_findings import Draft, MetalOptions, as_findings, beside_metal, on_ct, site_labels
from osteoscope.find.ct_frame import Frame, ct_image, smoothed, working_frame
from osteoscope.find.ct_reference import Deviation, ReferenceOptions, deviation, layers_of
from osteoscope.find.ct_typical import Comparison, TypicalOptions
from osteoscope.find.detection import Detection

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class RatingOptions:
    """Choices of the confidence, each a design choice: none is calibrated.

    Args:
        usual: deviation, in spreads, that says nothing.
        contrast: deviation beyond it at which contrast alone gives 63 %.
        diameter_mm: diameter at which size alone gives half.
        analogue: factor for each matching place that looks alike, not below ``least_rarity`` in all.
        joint_mm: bone of another site within this distance: a joint, where wear is usual.
        joint: loss of confidence of a candidate wholly beside a joint.
    """

    usual: float = 1.0
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
        seed_spread: a lesion (lytic, blastic) stands out somewhere by so many spreads.
        least_hu: ... and there differs from the usual HU by at least this.
        grow_mm: it reaches no farther than this from there.
        lytic_hu: (least, greatest) HU of tumour that replaces marrow; fat lies below (section 3.1: below 130).
        blastic_hu: least HU of a blastic voxel (section 3.1: 300).
        skin_mm: outer layer of the bone where partial volume hides lesions ...
        rim_mm: ... and the layer that they do not grow into.
        least_confidence: candidates below are left out.
        metal, rating, candidate, reference, typical: options of the steps.
    """

    spacing_mm: float = 1.5
    smooth_mm: float = 1.0
    seed_spread: tuple[float, float] = (2.5, 3.0)
    least_hu: float = 40.0
    grow_mm: float = 12.0
    lytic_hu: tuple[float, float] = (10.0, 130.0)
    blastic_hu: float = 300.0
    skin_mm: float = 2.9
    rim_mm: float = 1.6
    least_confidence: float = 0.15
    metal: MetalOptions = field(default_factory=MetalOptions)
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
    places = on_ct(mapped)
    sites = frame.from_source(site_labels(places, image.grid.shape))
    names = [place.site for place in places]
    spoilt, metal = beside_metal(frame, sites, options.metal)
    usable = np.where(spoilt, 0, sites)
    hu = smoothed(frame, options.smooth_mm)
    layers = layers_of(sites > 0, (frame.step,) * 3, options.reference)
    deviant = deviation(hu, usable, names, layers, frame.step, options.reference)
    score = deviant.score
    deep = np.where(usable > 0, layers.depth, 0)
    lytic, blastic = _abnormal(frame, hu, deviant, deep, options)
    compared = Comparison(score, sites, names, frame, options.typical)
    rated = [
        (_confidence(found, score, compared.analogues(found), sites, frame, options), found)
        for found in candidates_in(lytic, blastic, usable, frame, options.candidate)
    ]
    kept = sorted((r for r in rated if r[0] >= options.least_confidence), key=lambda r: -r[0])
    drafts = [Draft(names[found.site - 1], found.kind, sure, found.box, found.mask) for sure, found in kept]
    return Detection(as_findings(drafts, frame, image.grid), metal)


def _abnormal(
    frame: Frame, hu: NDArray[np.int16], deviant: Deviation, depth: NDArray[np.float32], options: LesionOptions
) -> tuple[Mask, Mask]:
    """Lytic and blastic voxels: seeds of clear contrast, grown to half of the way to the usual HU."""
    low, high = options.lytic_hu
    lytic_seed, blastic_seed = options.seed_spread
    deep = depth > options.skin_mm
    soft, hard = (hu > low) & (hu < high), hu > options.blastic_hu
    lytic = _grown(
        deep & soft & (deviant.score < -lytic_seed) & (hu < deviant.usual - options.least_hu),
        soft & (depth > options.rim_mm),
        frame,
        hu,
        deviant.usual,
        options,
    )
    blastic = _grown(
        deep & hard & (deviant.score > blastic_seed) & (hu > deviant.usual + options.least_hu),
        hard & (depth > options.rim_mm),
        frame,
        hu,
        deviant.usual,
        options,
    )
    return lytic, blastic


def _grown(
    seeds: Mask, allowed: Mask, frame: Frame, hu: NDArray[np.int16], usual: NDArray[np.float32], options: LesionOptions
) -> Mask:
    """Each seed grown over voxels whose HU is nearer to its own than to the usual."""
    labels = cc3d.connected_components(seeds, connectivity=26)
    margin = frame.voxels(options.grow_mm)
    grown = np.zeros_like(seeds)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        wide = tuple(slice(max(0, s.start - margin), s.stop + margin) for s in box)
        seed = labels[wide] == number
        own = float(np.median(hu[wide][seed]))
        like = allowed[wide] & (np.abs(hu[wide] - own) < np.abs(hu[wide] - usual[wide]))
        grown[wide] |= ndimage.binary_propagation(seed, mask=like | seed)
    return grown


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
    signed = score[found.box][found.mask] * found.sign if found.sign else np.abs(score[found.box][found.mask])
    contrast = float(np.percentile(signed, 90)) - rating.usual
    joint = near_other_site(found.mask, found.box, found.site, sites, frame, rating.joint_mm)
    factors = (
        1 - np.exp(-max(0.0, contrast) / rating.contrast),
        found.diameter / (found.diameter + rating.diameter_mm),
        found.roundness,
        max(rating.analogue**analogues, rating.least_rarity),
        1 - rating.joint * joint,
    )
    return float(np.prod(factors))
