"""Bones of a CT by a local nnU-Net, in place of whoever finds them by the plan."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from osteoscope.domain.reading import Gap, ModelRecord
from osteoscope.find import ct_bones_network, ct_bones_nnunet, ct_names
from osteoscope.reading.plan import Plan

_SHOWN = 8
_MAPPERS = frozenset({ct_names.map_bones, ct_bones_network.map_bones})


def by_choice(plan: Plan, choice: str) -> Plan:
    """The plan with bones by "totalsegmentator" or "nnunet:PATH"; plans that map no bones stay as they are.

    Raises:
        InvalidValueError: another choice.
        DependencyError: nnU-Net is not installed.
        ModelError: there are no such weights on this machine, or they know no bone.
    """
    if plan.map_sites not in _MAPPERS:
        return plan
    ct_bones_nnunet.check(choice)

    def models() -> tuple[ModelRecord, ...]:
        return (*ct_bones_nnunet.records(choice), *plan.models())

    return replace(
        plan,
        name=f"{plan.name}, bones by {choice.partition(':')[0]}",
        map_sites=partial(ct_bones_nnunet.map_bones, choice=choice),
        models=models,
        limits=(*plan.limits, *_left_out(choice)),
    )


def _left_out(choice: str) -> tuple[Gap, ...]:
    """A class whose name is not known for a bone may be one all the same: say which."""
    names = ct_bones_nnunet.left_out(choice)
    if not names:
        return ()
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    said = f"classes of the model that are not taken for bone: {', '.join(names[:_SHOWN])}{more}"
    return (Gap("study", "bones", said),)
