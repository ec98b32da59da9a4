"""The table that says how each kind of Study is read. A new capability is a row or a cell here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, update_wrapper
from types import MappingProxyType

from osteoscope.domain.anatomy import CURIE, siopen_members
from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.reading import Case, Gap, MappedSite, ModelRecord
from osteoscope.domain.study import Study
from osteoscope.errors import UnsuitableStudyError
from osteoscope.find import (
    ct_bone_maps,
    ct_bones_network,
    ct_lesion_network,
    ct_lesion_windows,
    ct_lesions,
    planar_network,
    planar_segments,
    planar_uptake,
)
from osteoscope.find.ct_names import map_bones
from osteoscope.find.detection import Detection
from osteoscope.find.model import is_shipped, shipped
from osteoscope.find.planar_caveats import caveats
from osteoscope.find.planar_maps import MODEL
from osteoscope.measure.burden import burden, burden_of_site, skeleton_share
from osteoscope.measure.femur import femoral_place
from osteoscope.measure.intensity import attenuation, cortical_contact
from osteoscope.measure.lesion_type import type_fractions
from osteoscope.measure.long_bone import cortical_involvement
from osteoscope.measure.score import curie, siopen, totals
from osteoscope.measure.score_choices import in_words
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.measure.size import size
from osteoscope.measure.stability import highest_scores, mirels, sins
from osteoscope.measure.uptake import uptake
from osteoscope.measure.vertebra import vertebral_place

Sites = tuple[MappedSite, ...]
_DEFAULT = ScoreOptions()


@dataclass(frozen=True)
class Plan:
    """How one kind of Study is read.

    Args:
        name: shown in the provenance.
        suits: whether this plan is for that Study; the first row that suits is taken.
        map_sites: where each site lies.
        reported: which sites are reported, and the mapped sites that each is made of.
        detect: the findings.
        of_finding, of_site, of_study: measures at the three scopes, each with one signature.
        limits: what this plan does not do, written into every Reading made by it.
        caveats: what makes this Study less fit for it.
        models: trained models that it uses.
        settings: choices that its numbers rest on, kept with every Reading made by it.
    """

    name: str
    suits: Callable[[Study], bool]
    map_sites: Callable[[Study], Sites]
    reported: Callable[[Sites], Mapping[str, tuple[str, ...]]]
    detect: Callable[[Study, Sites], Detection]
    of_finding: tuple[Callable[[Case, Finding], tuple[Measure, ...]], ...] = ()
    of_site: tuple[Callable[[Case, str], tuple[Measure, ...]], ...] = ()
    of_study: tuple[Callable[[Case], tuple[Measure, ...]], ...] = ()
    limits: tuple[Gap, ...] = field(default=())
    caveats: Callable[[Study], tuple[Gap, ...]] = lambda _: ()
    models: Callable[[], tuple[ModelRecord, ...]] = tuple
    settings: Mapping[str, str] = field(default_factory=dict)


def _each_site(sites: Sites) -> Mapping[str, tuple[str, ...]]:
    return {mapped.site: (mapped.site,) for mapped in sites}


def _scored_segments(_: Sites, options: ScoreOptions = _DEFAULT) -> Mapping[str, tuple[str, ...]]:
    segments, regions = siopen_members(options.sacrum), CURIE
    names = dict.fromkeys([*segments, *regions])
    return {n: tuple(dict.fromkeys([*segments.get(n, ()), *regions.get(n, ())])) for n in names}


def _nothing_found(_study: Study, _sites: Sites) -> Detection:
    return Detection(())


def _is_mibg(study: Study) -> bool:
    return study.kind == "nm-planar" and study.acquisition.tracer == "mIBG"


def _is_unnamed_iodine(study: Study) -> bool:
    made = study.acquisition
    return study.kind == "nm-planar" and not made.tracer and made.radionuclide == "I-123"


def _planar_model() -> tuple[ModelRecord, ...]:
    return (shipped(MODEL).card.record,)


_MIBG = Plan(
    name="mibg-planar",
    suits=_is_mibg,
    map_sites=planar_network.map_segments,
    reported=_scored_segments,
    detect=planar_network.find_uptake,
    of_finding=(uptake,),
    of_site=(siopen, curie),
    of_study=(totals,),
    limits=(Gap("study", "score", "trained and judged on simulated children only"),),
    caveats=caveats,
    models=_planar_model,
    settings=in_words(_DEFAULT),
)


def _ct_model() -> tuple[ModelRecord, ...]:
    return (shipped(ct_lesion_windows.MODEL).card.record,)


_CT_CLASSICAL = Plan(
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

_CT = replace(
    _CT_CLASSICAL,
    name="ct",
    detect=ct_lesion_network.find_lesions,
    limits=(
        Gap(
            "study", "detect", "trained on simulated lesions, in simulated and in a few real scans, never on real ones"
        ),
    ),
    models=_ct_model,
)


def scored_by(plan: Plan, options: ScoreOptions) -> Plan:
    """The plan with SIOPEN and Curie under other choices; a plan that does not score stays as it is."""
    if siopen not in plan.of_site:
        return plan

    def bound(act: Callable[..., tuple[Measure, ...]]) -> Callable[..., tuple[Measure, ...]]:
        scores = act in {siopen, curie, totals}
        return update_wrapper(partial(act, options=options), act) if scores else act

    return replace(
        plan,
        reported=partial(_scored_segments, options=options),
        of_site=tuple(bound(act) for act in plan.of_site),
        of_study=tuple(bound(act) for act in plan.of_study),
        settings=in_words(options),
    )


def bones_by_network(plan: Plan) -> Plan:
    """The plan with bones by the package's network."""

    def models() -> tuple[ModelRecord, ...]:
        return (shipped(ct_bone_maps.MODEL).card.record, *plan.models())

    return replace(plan, name="ct", map_sites=ct_bones_network.map_bones, models=models)


_CT_BEST = _CT if is_shipped(ct_lesion_windows.MODEL) else _CT_CLASSICAL

PLANS: tuple[Plan, ...] = (
    bones_by_network(_CT_BEST) if is_shipped(ct_bone_maps.MODEL) else _CT_BEST,
    _MIBG,
    replace(
        _MIBG,
        name="mibg-planar, tracer not confirmed",
        suits=_is_unnamed_iodine,
        limits=(
            *_MIBG.limits,
            Gap(
                "study",
                "score",
                "the header names I-123 but no tracer: scored as if mIBG, to be confirmed with --tracer mIBG",
            ),
        ),
    ),
    Plan(
        name="planar-not-scored",
        suits=lambda study: study.kind == "nm-planar",
        map_sites=planar_segments.map_segments,
        reported=_scored_segments,
        detect=_nothing_found,
        limits=(
            Gap(
                "study",
                "score",
                "SIOPEN and Curie are defined for mIBG, and the header does not say that this is mIBG: not scored. "
                "A reader who knows better insists with --tracer mIBG",
            ),
        ),
    ),
)

_CLASSICAL = replace(
    _MIBG,
    map_sites=planar_segments.map_segments,
    detect=planar_uptake.find_uptake,
    limits=(Gap("study", "score", "classical baseline, judged on simulated children only"),),
    models=tuple,
)

# What reads without a trained model where `PLANS` uses one: what every model has to beat.
BASELINES: Mapping[str, Plan] = MappingProxyType(
    {_CT.name: _CT_CLASSICAL}
    | {
        plan.name: replace(
            _CLASSICAL,
            name=f"{plan.name}, baseline",
            suits=plan.suits,
            limits=(*_CLASSICAL.limits, *plan.limits[1:]),
        )
        for plan in PLANS
        if plan.models is _planar_model
    }
)
PLAN_NAMES: Mapping[str, Plan] = MappingProxyType({plan.name: plan for plan in (*PLANS, *BASELINES.values())})


def plan_for(study: Study, baseline: bool = False) -> Plan:
    """The first plan that suits the Study; with ``baseline``, its classical counterpart where it uses a model.

    Raises:
        UnsuitableStudyError: no plan does.
    """
    for plan in PLANS:
        if plan.suits(study):
            return BASELINES.get(plan.name, plan) if baseline else plan
    raise UnsuitableStudyError(f"read study {study.uid}", f"kind {study.kind!r}", f"Send one of {sorted(PLAN_NAMES)}")
