"""Lesions on CT by the trained network: the plan's detector where a model is shipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from osteoscope.domain.reading import MappedSite, ModelRecord
from osteoscope.domain.study import Study
from osteoscope.errors import ModelError
from osteoscope.find.ct_findings import Draft, MetalOptions, as_findings, beside_metal, on_ct, site_labels
from osteoscope.find.ct_frame import ct_image, working_frame
from osteoscope.find.ct_lesion_spots import CONSTANT, FEATURES, SpotOptions, spots
from osteoscope.find.ct_lesion_windows import MODEL, look, reach_mm, step_of
from osteoscope.find.ct_twins import FEATURE as TWINS
from osteoscope.find.ct_twins import MOST, Coarse, compared
from osteoscope.find.detection import Detection
from osteoscope.find.model import Model, shipped


@dataclass(frozen=True)
class NetworkOptions:
    """Choices of what is reported (engineering choices, no published source).

    Args:
        least_confidence: candidates less sure are left out. From 0.35 on, 12 copies of four scans that training never
            met, of three patients and with lesions put in, show 0.42 wrong findings each and 48 % of the lesions of
            5 mm or more; from 0.4 on 0.33 and 43 %, from 0.3 on 0.92 and 49 %.
        spot: what is one lesion.
        metal: what metal spoils.
    """

    least_confidence: float = 0.35
    spot: SpotOptions = field(default_factory=SpotOptions)
    metal: MetalOptions = field(default_factory=MetalOptions)


def records() -> tuple[ModelRecord, ...]:
    """The model of the package that takes part in `find_lesions`."""
    return (shipped(MODEL).card.record,)


def _weights(model: Model) -> Mapping[str, float]:
    """Of the features that its confidences follow from.

    Raises:
        ModelError: one of them is not known.
    """
    weights: Mapping[str, float] = model.card.settings["confidence"]
    unknown = sorted(set(weights) - {CONSTANT, TWINS, *FEATURES})
    if unknown:
        found = f"confidences that follow from {', '.join(unknown)}, as an earlier version gave them"
        raise ModelError(f"use the model {model.card.name}", found, "Run `osteoscope train ct` again with its dataset")
    return weights


def find_lesions(
    study: Study,
    mapped: tuple[MappedSite, ...],
    options: NetworkOptions = NetworkOptions(),
    model: Model | None = None,
) -> Detection:
    """Lesions within, or grown out of, the mapped bones, the surest first; confidences are calibrated.

    Bone beside metal is set aside, with the reason.

    Args:
        study: a CT.
        mapped: its site map.
        options: see `NetworkOptions`.
        model: default: the one that the package ships.

    Raises:
        UnsuitableStudyError: the study has no CT volume in HU.
        ModelError: the weights are missing or not those of their card, or its confidences are of an earlier version.
    """
    image = ct_image(study)
    places = on_ct(mapped)
    chosen = model or shipped(MODEL)
    weights = _weights(chosen)
    whole = working_frame(image, step_of(chosen))
    mapped_there = whole.from_source(site_labels(places, image.grid.shape))
    if not mapped_there.any():
        return Detection((), ())
    box = whole.around(mapped_there > 0, reach_mm(chosen))
    frame, sites = whole.cropped(box), mapped_there[box].copy()  # a view would keep all of it
    del whole, mapped_there
    spoilt, metal = beside_metal(frame, sites, options.metal)
    bone = sites > 0
    seen = look(frame.hu, bone, chosen)
    seen.lesion[spoilt] = 0
    drafts = []
    coarse = Coarse.of(frame.hu, frame.step) if TWINS in weights else None
    for spot in spots(seen, frame.hu, bone, options.spot):
        judged = spot
        if coarse:
            if spot.knowing(TWINS, MOST).confidence(weights) < options.least_confidence:
                continue  # however unlike its twins
            judged = compared(spot, coarse)
        confidence = judged.confidence(weights)
        if confidence >= options.least_confidence:
            held = np.bincount(sites[spot.box][spot.mask], minlength=2)[1:]
            drafts.append(Draft(places[int(held.argmax())].site, spot.kind, confidence, spot.box, spot.mask))
    drafts.sort(key=lambda draft: -draft.confidence)
    return Detection(as_findings(drafts, frame, image.grid), metal)
