"""A segment or region of a planar Reading counted from its findings once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from osteoscope.deliver.review.by_hand import emptied, in_part
from osteoscope.deliver.review.draft import TOPS, Draft, blank_study
from osteoscope.deliver.review.one_lesion import Lesions
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Case, Reading, SiteReading
from osteoscope.measure.score import curie, siopen
from osteoscope.measure.score_choices import chosen, stated
from osteoscope.measure.score_extent import counting_from
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.reading.plan_table import PLAN_NAMES
from osteoscope.reading.planar_plans import scores

_SCORERS = {"siopen": siopen, "curie": curie}
COUNTED_FROM = "counted_from"


def counted_from(base: Reading) -> float:
    """The confidence from which findings count, as for the program's Reading: a person's are all sure, and move none.

    Kept in the settings of what a person makes of it (`COUNTED_FROM`), so that amendments count alike.
    """
    settings = base.provenance.settings
    if COUNTED_FROM in settings:
        return float(settings[COUNTED_FROM])
    return counting_from(Case(blank_study(base.study), (), base.findings), chosen(stated(settings)))


def options_of(base: Reading) -> ScoreOptions:
    """The choices that a base was scored under, with its threshold: an edit in one segment moves no other."""
    options, threshold = chosen(stated(base.provenance.settings)), counted_from(base)
    return replace(
        options, level="counted", accepted=threshold, accepted_beside=threshold, accepted_throughout=threshold
    )


@dataclass(frozen=True, eq=False)
class Counter:
    """Counts by the ladder, one lesion once.

    Args:
        draft: whose findings are counted.
        options: how.
        hidden: units that a person set to "not assessable": nothing there is counted.
    """

    draft: Draft
    options: ScoreOptions
    hidden: frozenset[str]

    def edited(self, said: SiteReading, score: str, units: Sequence[str]) -> SiteReading | None:
        """A site whose findings a person edited, who vouches for them; None where it cannot be counted.

        Its level has no interval but for what is not assessed of the site: the chances behind the program's are not
        the person's.
        """
        made = self._made(said, score, units)
        if not made:
            return None
        level, *others = (m for m in made if m.name != f"{score}_probability")
        interval = (level.value, TOPS[score]) if in_part(said, units) else None
        return self._with(said, score, [replace(level, interval=interval), *others], "findings edited by")

    def again(self, said: SiteReading, score: str, units: Sequence[str]) -> SiteReading | None:
        """A site whose level was lost; None where it cannot be counted, since none of it is known or was searched."""
        plan = PLAN_NAMES.get(str(self.draft.base.provenance.settings.get("plan")))
        made = self._made(said, score, units) if plan is None or scores(plan) else ()
        return self._with(said, score, made, "counted again for") if made else None

    def _made(self, said: SiteReading, score: str, units: Sequence[str]) -> tuple[Measure, ...]:
        if said.status != "assessed":
            return ()
        ground = self.draft.ground.units
        mapped = tuple(replace(p, status="not_assessable") if p.site in self.hidden else p for p in ground)
        counted = tuple(f for f in self.draft.findings if f.site not in self.hidden)
        lesions = Lesions(self.draft.base, ground, self.options.accepted).joined(counted, units)
        case = Case(blank_study(self.draft.base.study), mapped, lesions, self.draft.set_aside)
        return _SCORERS[score](case, said.site, self.options)

    def _with(self, said: SiteReading, score: str, made: Sequence[Measure], why: str) -> SiteReading:
        mine = (replace(m, method=f"{m.method}, {why} {self.draft.person}") for m in made)
        others = emptied(said, (score,)).measures
        return replace(said, measures=(*others, *mine))
