"""The tables of a comparison of dates."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from osteoscope.domain.finding import DOUBTFUL_BELOW
from osteoscope.report.parts import Cell, Column, Table
from osteoscope.report.response_views import RESOLVED_NEXT, STATE_COLOURS
from osteoscope.report.style import level_colour
from osteoscope.report.wording import number, percent, sentence_case, site_name
from osteoscope.stats.inrc import Relative, Score
from osteoscope.stats.lesion_identity import Lesion, Sight
from osteoscope.stats.response_record import RULES, Comparison, Course, Level, Response, Scored, ScoreName

TITLES: Mapping[ScoreName, str] = MappingProxyType({rule.name: rule.title for rule in RULES})
_NO_BOUND = "no bound"


def date(response: Response, n: int) -> str:
    """The date of an exam, or its number where none is stated."""
    return response.exams[n].date or f"date {n + 1}"


def span(response: Response, comparison: Comparison) -> str:
    """ "2026-01-02 to 2026-05-03"."""
    return f"{date(response, comparison.prior)} to {date(response, comparison.current)}"


def bounds(relative: Relative) -> str:
    """ "0.4 to 1.3", with words where there is no bound."""
    low = _NO_BOUND if relative.low is None else number(relative.low)
    high = _NO_BOUND if relative.high is None else number(relative.high)
    return f"{low} to {high}"


def comparisons(response: Response) -> Table:
    """One row per pair of dates and score."""
    columns = (
        Column("Dates"), Column("Score"), Column("Before", numeric=True), Column("Now", numeric=True),
        Column("Relative", numeric=True), Column("INRC bone component"), Column("Possible"), Column("New lesions"),
        Column("Resolved"),
    )  # fmt: skip
    rows = tuple(_comparison(response, c, s) for c in response.comparisons for s in c.scores)
    note = (
        "Bone scores (Curie without soft tissue). Relative: now over before, its range as if both dates erred "
        "independently. Possible: every category that intervals, missing segments and doubtful lesions allow. In "
        "parentheses: possibly new. INRC 2017: CR no uptake left; PR relative score at most 0.5 and no new lesion; PD "
        "a new bone site or a relative score of at least 1.2; SD otherwise; NI not involved."
    )
    return Table("Comparisons", columns, rows, note)


def _comparison(response: Response, comparison: Comparison, scored: Scored) -> tuple[Cell, ...]:
    ratio, verdict = scored.relative, scored.verdict
    doubtful = f"({', '.join(comparison.possibly_new)})" if comparison.possibly_new else ""
    return (
        Cell(span(response, comparison)),
        Cell(TITLES[scored.score]),
        _score(scored.before),
        _score(scored.now),
        Cell(
            "undefined" if ratio.value is None else number(ratio.value), bounds(ratio) if ratio.low is not None else ""
        ),
        Cell(
            verdict.category or "not evaluable", "" if verdict.category else f"{verdict.by_assessed} by what was seen"
        ),
        Cell(" ".join(verdict.possible)),
        Cell(", ".join(comparison.new) or "none", doubtful),
        Cell(", ".join(comparison.resolved) or "none"),
    )


def _score(score: Score) -> Cell:
    low, high = score.range
    return Cell(str(score.value), f"{low} to {high}")


def levels(response: Response, score: ScoreName) -> Table:
    """Segments or regions by dates, the change, and the lesions new in each."""
    rule = next(rule for rule in RULES if rule.name == score)
    courses = response.segments if score == "siopen" else response.regions
    dates = [Column(date(response, n), numeric=True) for n in range(len(response.exams))]
    columns = (Column("Segment"), *dates, Column("Change", numeric=True), Column("New lesions"))
    totals = [exam.siopen if score == "siopen" else exam.curie for exam in response.exams]
    change = "" if any(t.missing for t in totals) else f"{totals[-1].value - totals[0].value:+d}".replace("-", "−")
    last = (Cell("Total"), *map(_score, totals), Cell(change), Cell(""))
    rows = tuple(_course(course, rule.top) for course in courses)
    note = f"Levels 0 to {rule.top}, below: interval. Change: last date less first. New: since the first date."
    return Table(f"{rule.title} score", columns, (*rows, last), note, total=True)


def _course(course: Course, top: int) -> tuple[Cell, ...]:
    change = "" if course.change is None else f"{course.change:+.0f}".replace("-", "−")
    levels = (_level(level, top) for level in course.levels)
    return (Cell(site_name(course.site)), *levels, Cell(change), Cell(", ".join(course.new)))


def _level(level: Level, top: int) -> Cell:
    if level.value is None:
        return Cell(level.status.replace("_", " "))
    low, high = level.interval or (level.value, level.value)
    detail = f"{number(low)} to {number(high)}" if low < high else ""
    return Cell(number(level.value), detail, level_colour(level.value, top))


def lesions(response: Response) -> Table:
    """One row per lesion, one column per date."""
    columns = (Column("Id"), Column("Site"), *(Column(date(response, n)) for n in range(len(response.exams))))
    rows = tuple(
        (Cell(lesion.id), Cell(site_name(lesion.site)), *(_sight(lesion, n) for n in range(len(lesion.course))))
        for lesion in response.lesions
    )
    note = (
        "Findings from 25 % confidence; they count as lesions from 50 %. Below a state: kind, confidence and the "
        "finding's id in its reading."
    )
    return Table("Lesions", columns, rows, note if rows else "")


def _sight(lesion: Lesion, n: int) -> Cell:
    sight: Sight = lesion.course[n]
    faint = "faint, " if sight.confidence is not None and sight.confidence < DOUBTFUL_BELOW else ""
    words = faint + sight.state.replace("_", " ")
    if sight.finding is None:
        into = f" into {', '.join(sight.into)}" if sight.into else ""
        return Cell(words + into, colour=RESOLVED_NEXT if sight.state == "resolved" else "")
    moved = f", in the {site_name(sight.site).lower()}" if sight.site and sight.site != lesion.site else ""
    placed = "" if sight.by_place or sight.state == "baseline" else ", not matched by place"
    detail = f"{sight.kind}, {percent(sight.confidence)}, {sight.finding}{moved}{placed}"
    parents = f" of {', '.join(lesion.parents)}" if lesion.parents and sight.state in {"confluent", "remnant"} else ""
    return Cell(words + parents, detail, STATE_COLOURS[sight.state])


def exams(response: Response) -> Table:
    """Where each date came from."""
    columns = (Column("Date"), Column("Given as"), Column("Read by"), Column("Outlines of the units"))
    rows = tuple(
        (
            Cell(date(response, n)),
            Cell(exam.name),
            Cell(sentence_case(exam.reader)),
            Cell("yes" if exam.outlines else "no"),
        )
        for n, exam in enumerate(response.exams)
    )
    return Table("Dates", columns, rows)
