"""How a planar scan is read and scored: mIBG, what may be mIBG, and what is not scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial, update_wrapper
from types import MappingProxyType
from typing import Any

from osteoscope.domain.anatomy import CURIE, siopen_members
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Gap, ModelRecord
from osteoscope.domain.study import Study
from osteoscope.find import planar_network, planar_segments, planar_uptake
from osteoscope.find.detection import Detection
from osteoscope.find.model import shipped
from osteoscope.find.planar_caveats import caveats
from osteoscope.find.planar_maps import MODEL
from osteoscope.measure.level_head import level_head
from osteoscope.measure.score import curie, siopen, totals
from osteoscope.measure.score_choices import chosen, in_words, stated
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.measure.uptake import uptake
from osteoscope.reading.plan import Plan, Sites, origin

_COUNTED = ScoreOptions()
# What the network finds is followed by what was learnt of it; a classical finder's confidences mean something else.
# Of 1,040 simulated children left out of the fit by turns, intervals of totals that are no wider held 87 %.
_WEIGHED = replace(_COUNTED, level="likeliest", together=1.0)


def _scored_segments(_: Sites, options: ScoreOptions = _COUNTED) -> Mapping[str, tuple[str, ...]]:
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


def _models(finders: Sequence[str], options: ScoreOptions) -> tuple[ModelRecord, ...]:
    heads = (level_head().record,) if options.level == "likeliest" else ()
    return (*(shipped(name).card.record for name in finders), *heads)


def _scoring(options: ScoreOptions, finders: Sequence[str]) -> dict[str, Any]:
    """The parts of a plan that choices of scoring decide; its finders are models by name."""

    def bound(act: Callable[..., tuple[Measure, ...]]) -> Callable[..., tuple[Measure, ...]]:
        return update_wrapper(partial(act, options=options), act)

    return {
        "reported": partial(_scored_segments, options=options),
        "of_site": (bound(siopen), bound(curie)),
        "of_study": (bound(totals),),
        "models": partial(_models, finders, options),
        "settings": in_words(options),
    }


def scores(plan: Plan) -> bool:
    """Whether a plan gives SIOPEN levels."""
    return any(origin(act) is siopen for act in plan.of_site)


MIBG = Plan(
    name="mibg-planar",
    suits=_is_mibg,
    map_sites=planar_network.map_segments,
    detect=planar_network.find_uptake,
    of_finding=(uptake,),
    limits=(Gap("study", "score", "trained and judged on simulated children only"),),
    caveats=caveats,
    **_scoring(_WEIGHED, (MODEL,)),
)

PLANAR_PLANS: tuple[Plan, ...] = (
    MIBG,
    replace(
        MIBG,
        name="mibg-planar, tracer not confirmed",
        suits=_is_unnamed_iodine,
        limits=(
            *MIBG.limits,
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
    MIBG,
    map_sites=planar_segments.map_segments,
    detect=planar_uptake.find_uptake,
    limits=(Gap("study", "score", "classical baseline, judged on simulated children only"),),
    **_scoring(_COUNTED, ()),
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
        if scores(plan)
    }
)


def choices(plan: Plan) -> ScoreOptions:
    """Under which a plan scores."""
    return chosen(stated(plan.settings))


def scored_by(plan: Plan, words: Sequence[str]) -> Plan:
    """The plan with SIOPEN and Curie under other choices, such as "level=counted"; one that does not score is kept.

    Raises:
        InvalidValueError: no such choice, or not one of its values.
    """
    if not scores(plan):
        return plan
    options = chosen([*stated(plan.settings), *words])
    return replace(plan, **_scoring(options, (MODEL,) if plan.detect is planar_network.find_uptake else ()))
