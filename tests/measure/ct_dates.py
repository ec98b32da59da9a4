"""One simulated trunk at two dates with known changes, read as the truth has it."""

from __future__ import annotations

from functools import cache

from osteoscope.domain.reading import Reading
from osteoscope.measure.lesion_change import CtDate
from osteoscope.reading.known import read_known
from osteoscope.simulate.ct import CtLesion, CtPatient, CtRecipe, CtSimulation, Scanner, simulate_ct
from osteoscope.simulate.ct_followup import Change, FollowUp, Pose, follow_up

POSE = Pose((4, -3, 6), (7, -9, 5), bend_deg=8)
_RECIPE = CtRecipe(
    CtPatient(bone_density=1.4), "lumbar", (3, 2, 2), Scanner(noise_hu=12),
    lesions=(
        CtLesion("vertebra_L1", "lytic", 14), CtLesion("vertebra_L2", "lytic", 18),
        CtLesion("vertebra_L3", "lytic", 16), CtLesion("vertebra_L4", "blastic", 16),
        CtLesion("vertebra_L5", "lytic", 16),
    ),
)  # fmt: skip
_CHANGES = {
    "lesion-1": Change(grow_mm=3), "lesion-2": Change(grow_mm=-3), "lesion-3": Change(gone=True),
    "lesion-5": Change(hu=350, kind="blastic"),
}  # fmt: skip
CALLED = {
    "vertebra_L1": "grown", "vertebra_L2": "shrunk", "vertebra_L3": "gone", "vertebra_L4": "stable",
    "vertebra_L5": "turned_sclerotic", "sacrum": "new",
}  # fmt: skip


@cache
def simulations() -> tuple[CtSimulation, CtSimulation]:
    """Both dates."""
    first = simulate_ct(_RECIPE, 4)
    return first, follow_up(first, FollowUp(POSE, _CHANGES, (("sacrum", 14.0),)), 1)


def reading_of(made: CtSimulation) -> Reading:
    """A Reading that finds what is there, and measures it."""
    return read_known(made.study, made.mapped, made.reading.findings)


@cache
def dates() -> tuple[CtDate, CtDate]:
    """Both dates with their images."""
    first, second = simulations()
    return _date("before", first), _date("now", second)


def _date(name: str, made: CtSimulation) -> CtDate:
    return CtDate(name, reading_of(made), made.mapped, made.study.images["ct"])
