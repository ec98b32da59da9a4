"""How a planar scan is read and scored: mIBG, what may be mIBG, and what is not scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, update_wrapper
from types import MappingProxyType

from osteoscope.domain.anatomy import CURIE, siopen_members
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Gap, ModelRecord
from osteoscope.domain.study import Study
from osteoscope.find import planar_network, planar_segments, planar_uptake
from osteoscope.find.detection import Detection
from osteoscope.find.model import shipped
from osteoscope.find.planar_caveats import caveats
from osteoscope.find.planar_maps import MODEL
from osteoscope.measure.score import curie, siopen, totals
from osteoscope.measure.score_choices import in_words
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.measure.uptake import uptake
from osteoscope.reading.plan import Plan, Sites

_DEFAULT = ScoreOptions()


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

PLANAR_PLANS: tuple[Plan, ...] = (
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

PLANAR_BASELINES: Mapping[str, Plan] = MappingProxyType(
    {
        plan.name: replace(
            _CLASSICAL,
            name=f"{plan.name}, baseline",
            suits=plan.suits,
            limits=(*_CLASSICAL.limits, *plan.limits[1:]),
        )
        for plan in PLANAR_PLANS
        if plan.models is _planar_model
    }
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
