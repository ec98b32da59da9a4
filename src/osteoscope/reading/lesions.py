"""Lesions of a CT by a hospital's own model, in place of whoever finds them by the plan."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from osteoscope.domain.reading import Gap, ModelRecord
from osteoscope.errors import ModelError
from osteoscope.find import ct_lesion_network, ct_lesion_windows, ct_lesions
from osteoscope.find.model import Model
from osteoscope.reading.plan import Plan

_DETECTORS = frozenset({ct_lesions.find_lesions, ct_lesion_network.find_lesions})


def by_model(plan: Plan, path: Path) -> Plan:
    """The plan with lesions by a model of `osteoscope train ct`; plans that look for none on CT stay as they are.

    Args:
        plan: of a study.
        path: the folder of the model, or its card.

    Raises:
        ModelError: there is none, or it finds something else.
    """
    if plan.detect not in _DETECTORS:
        return plan
    model = Model.load(path / f"{ct_lesion_windows.MODEL}.json" if path.is_dir() else path)
    if model.card.name != ct_lesion_windows.MODEL:
        raise ModelError(f"read with {path}", f"a model of {model.card.name}", "Give one made by `osteoscope train ct`")

    def models() -> tuple[ModelRecord, ...]:
        others = (record for record in plan.models() if record.name != ct_lesion_windows.MODEL)
        return (*others, model.card.record)

    kept = tuple(gap for gap in plan.limits if gap.step != "detect")
    return replace(
        plan,
        name=f"{plan.name.removesuffix('-baseline')}, own lesion model",
        detect=partial(ct_lesion_network.find_lesions, model=model),
        limits=(*kept, *(Gap("study", "detect", limit) for limit in model.card.limits)),
        models=models,
    )
