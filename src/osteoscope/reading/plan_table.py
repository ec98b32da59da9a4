"""The table that says how each kind of Study is read. A new capability is a row or a cell here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from osteoscope.domain.study import Study
from osteoscope.errors import UnsuitableStudyError
from osteoscope.reading.ct_plans import CT_BASELINE, CT_PLAN
from osteoscope.reading.plan import Plan
from osteoscope.reading.planar_plans import PLANAR_BASELINES, PLANAR_PLANS

PLANS: tuple[Plan, ...] = (CT_PLAN, *PLANAR_PLANS)

# What reads without a trained model where `PLANS` uses one: what every model has to beat.
BASELINES: Mapping[str, Plan] = MappingProxyType({"ct": CT_BASELINE, **PLANAR_BASELINES})
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
