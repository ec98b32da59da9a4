"""How a CT is read: with the trained models that lie in the package, or by the classical methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from osteoscope.domain.reading import Gap, ModelRecord
from osteoscope.find import (
    ct_bone_maps,
    ct_bone_outline,
    ct_bones_network,
    ct_lesion_network,
    ct_lesion_windows,
    ct_lesions,
)
from osteoscope.find.ct_names import map_bones
from osteoscope.find.model import is_shipped, shipped
from osteoscope.measure.burden import burden, burden_of_site, skeleton_share
from osteoscope.measure.femur import femoral_place
from osteoscope.measure.intensity import attenuation, cortical_contact
from osteoscope.measure.lesion_type import type_fractions
from osteoscope.measure.long_bone import cortical_involvement
from osteoscope.measure.size import size
from osteoscope.measure.stability import highest_scores, mirels, sins
from osteoscope.measure.vertebra import vertebral_place
from osteoscope.reading.plan import Plan, Sites


def _each_site(sites: Sites) -> Mapping[str, tuple[str, ...]]:
    return {mapped.site: (mapped.site,) for mapped in sites}


CT_BASELINE = Plan(
    name="ct-baseline",
    suits=lambda study: study.kind == "ct",
    map_sites=map_bones,
    reported=_each_site,
    detect=ct_lesions.find_lesions,
    of_finding=(
        size,
        attenuation,
        type_fractions,
        cortical_contact,
        vertebral_place,
        femoral_place,
        cortical_involvement,
    ),
    of_site=(burden_of_site, sins, mirels),
    of_study=(burden, skeleton_share, highest_scores),
    limits=(Gap("study", "detect", "classical baseline: confidences are a ranking, not calibrated probabilities"),),
)

_NETWORK = replace(
    CT_BASELINE,
    name="ct",
    detect=ct_lesion_network.find_lesions,
    limits=(
        Gap(
            "study", "detect", "trained on simulated lesions, in simulated and in a few real scans, never on real ones"
        ),
    ),
    models=ct_lesion_network.records,
)


def bones_by_network(plan: Plan) -> Plan:
    """The plan with bones by the package's networks."""

    def models() -> tuple[ModelRecord, ...]:
        return (*(shipped(name).card.record for name in (ct_bone_maps.MODEL, ct_bone_outline.MODEL)), *plan.models())

    return replace(plan, name="ct", map_sites=ct_bones_network.map_bones, models=models)


_BY_LESIONS = _NETWORK if is_shipped(ct_lesion_windows.MODEL) else CT_BASELINE
CT_PLAN = bones_by_network(_BY_LESIONS) if is_shipped(ct_bone_maps.MODEL) else _BY_LESIONS
