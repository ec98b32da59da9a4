"""Two or more dates of one child compared: segments, relative scores, new sites, INRC bone component.

Each later date is compared with the first (baseline) and with the one before it: the relative score of Ady 1995 and
the response are against the baseline, and progression after a good response shows against the date before. The score
that counts is of bone: the 12 SIOPEN segments, or the 9 bone regions of the original Curie score (soft tissue left
out). Cut-offs that are flagged: SIOPEN <= 3 (docs/background/mibg.md S5), Curie <= 2 (S9, S12, S17).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.errors import UnsuitableStudyError
from osteoscope.stats.inrc import PROGRESSION_AT, RESPONSE_AT, Relative, Score, judge, relative
from osteoscope.stats.lesion_identity import Exam, Lesion, follow
from osteoscope.stats.lesion_matching import IdentityOptions
from osteoscope.stats.new_sites import gone_sites, hidden_units, mistakable, new_sites
from osteoscope.stats.new_sites_by_hand import told_by_hand
from osteoscope.stats.response_record import (
    RULES,
    Comparison,
    Course,
    ExamRecord,
    Level,
    Response,
    Scored,
    ScoreName,
    ScoreRule,
)  # fmt: skip
from osteoscope.stats.score_totals import total


def compare(exams: Sequence[Exam], notes: Sequence[str] = (), options: IdentityOptions | None = None) -> Response:
    """Compare the dates of one child.

    Args:
        exams: two or more, oldest first; that they belong together is the caller's to check.
        notes: kept with the result, before notes of its own.
        options: limits of lesion identity.

    Raises:
        UnsuitableStudyError: fewer than two dates, or a date without any level.
    """
    chosen = options or IdentityOptions()
    if len(exams) < 2:
        raise UnsuitableStudyError("compare dates", f"{len(exams)} of them", "Give two or more studies of one child")
    for exam in exams:
        _check_scored(exam)
    lesions = follow(exams, chosen)
    return Response(
        exams[-1].reading.study.patient.id,
        tuple(_record(exam) for exam in exams),
        tuple(_course(exams, "siopen", site, SIOPEN[site], lesions) for site in SIOPEN),
        tuple(_course(exams, "curie", site, CURIE[site], lesions) for site in CURIE),
        lesions,
        tuple(_pair(exams, lesions, pair, chosen) for pair in _pairs(exams)),
        (*notes, *_notes(exams, lesions, chosen)),
    )


def _pairs(exams: Sequence[Exam]) -> Sequence[tuple[int, int]]:
    """Every later date with the first, and with the one before it."""
    later = range(1, len(exams))
    return sorted({(0, n) for n in later} | {(n - 1, n) for n in later}, key=_latest_first)


def _latest_first(pair: tuple[int, int]) -> tuple[int, int]:
    return -pair[1], pair[0]


def _check_scored(exam: Exam) -> None:
    if exam.reading.study.kind != "nm-planar":
        found = f"a study of kind {exam.reading.study.kind!r}"
        raise UnsuitableStudyError(f"compare {exam.name}", found, "Give planar mIBG scans of one child")
    if not any(site.measure("siopen") for site in exam.reading.sites):
        why = "; ".join(dict.fromkeys(gap.reason for gap in exam.reading.gaps if gap.where == "study"))
        found = f"no segment has a SIOPEN level ({why or 'no reason given'})"
        raise UnsuitableStudyError(f"compare {exam.name}", found, "Give a scan that was scored, or leave this date out")


def _record(exam: Exam) -> ExamRecord:
    study, reader = exam.reading.study, exam.reading.reader
    siopen, curie = (total(exam.reading, rule.name, rule.cut_places, rule.top) for rule in RULES)
    said = f"{reader.name} {reader.version} ({reader.kind})"
    return ExamRecord(exam.name, study.date, study.uid, said, siopen, curie, bool(exam.mapped))


def _course(
    exams: Sequence[Exam], score: ScoreName, site: str, units: Sequence[str], lesions: Sequence[Lesion]
) -> Course:
    levels = tuple(_level(exam, score, site) for exam in exams)
    first, last = levels[0].value, levels[-1].value
    change = None if first is None or last is None else last - first
    return Course(site, levels, change, tuple(lesion.id for lesion in lesions if _came(lesion, units)))


def _came(lesion: Lesion, units: Sequence[str]) -> bool:
    """Whether it was new in these units on some date, with a confidence that counts."""
    accepted = IdentityOptions().accepted
    return any(s.state == "new" and s.site in units and (s.confidence or 0.0) >= accepted for s in lesion.course)


def _level(exam: Exam, score: ScoreName, site: str) -> Level:
    said = exam.reading.site(site)
    measure = said.measure(score) if said else None
    if said is None or measure is None:
        return Level(said.status if said and said.status != "assessed" else "not_assessable")
    return Level(said.status, measure.value, measure.interval)


def _pair(
    exams: Sequence[Exam], lesions: Sequence[Lesion], pair: tuple[int, int], options: IdentityOptions
) -> Comparison:
    prior, current = exams[pair[0]], exams[pair[1]]
    fresh = new_sites(exams, lesions, pair, options)
    hidden = hidden_units(prior, current, options)
    scores = []
    for rule in RULES:
        before, now = (_open_total(exam, rule) for exam in (prior, current))
        shared, same = _shared(prior, current, rule)
        missing = "; ".join(line for exam in (prior, current) for line in _missing(exam, rule))
        verdict = judge(before, now, shared, fresh.verdict(bool(hidden)), missing)
        ratio = relative(before, now, same)
        scores.append(Scored(rule.name, before, now, ratio, verdict, _flags(rule, current, ratio)))
    return Comparison(*pair, fresh.new, fresh.possibly_new, gone_sites(lesions, pair), tuple(scores))


def _open_total(exam: Exam, rule: ScoreRule) -> Score:
    """The total over bone; what places that were seen in part could add is missing, as of places without a level."""
    known = total(exam.reading, rule.name, rule.places, rule.top)
    levels = (_level(exam, rule.name, place).value for place in rule.places if _not_whole(exam, rule, place))
    more = round(sum(rule.top - level for level in levels if level is not None))
    low, high = known.interval
    return replace(known, interval=(low, max(known.value, high - more)), missing=known.missing + more)


def _not_whole(exam: Exam, rule: ScoreRule, place: str) -> Sequence[str]:
    """The units of a place that were not assessed, or in part."""
    return [unit for unit in (SIOPEN if rule.name == "siopen" else CURIE)[place] if not exam.whole(unit)]


def _shared(prior: Exam, current: Exam, rule: ScoreRule) -> tuple[tuple[int, int], bool]:
    """Values over the places with a level on both dates, and whether these are all that have one on either."""
    both = [(_level(prior, rule.name, p).value, _level(current, rule.name, p).value) for p in rule.places]
    known = [(a, b) for a, b in both if a is not None and b is not None]
    same = all((a is None) == (b is None) for a, b in both)
    return (round(sum(a for a, _ in known)), round(sum(b for _, b in known))), same


def _missing(exam: Exam, rule: ScoreRule) -> Iterator[str]:
    levels = {place: _level(exam, rule.name, place) for place in rule.places}
    without = [f"{p.replace('_', ' ')} ({v.status.replace('_', ' ')})" for p, v in levels.items() if v.value is None]
    if without:
        yield f"{exam.name} has no level of {', '.join(without)}"
    units = [u for p, v in levels.items() if v.value is not None for u in _not_whole(exam, rule, p)]
    if units:
        yield f"{exam.name} does not show all of {', '.join(unit.replace('_', ' ') for unit in units)}"


def _flags(rule: ScoreRule, current: Exam, ratio: Relative) -> tuple[str, ...]:
    low, high = total(current.reading, rule.name, rule.cut_places, rule.top).range
    flags = []
    if low <= rule.cut < high:
        flags.append(f"{rule.title} <= {rule.cut}: the threshold lies within the interval {low} to {high}")
    if ratio.low is not None:
        upper = float("inf") if ratio.high is None else ratio.high
        span = f"relative {rule.title} score {ratio.low:.2f} to {upper:.2f}".replace("inf", "no bound")
        if ratio.low <= RESPONSE_AT < upper:
            flags.append(f"50 % reduction: the threshold lies within the {span}")
        if ratio.low < PROGRESSION_AT <= upper:
            flags.append(f"progression at {PROGRESSION_AT}: the threshold lies within the {span}")
    return tuple(flags)


def _notes(exams: Sequence[Exam], lesions: Sequence[Lesion], options: IdentityOptions) -> tuple[str, ...]:
    without = [exam.name for exam in exams if not exam.mapped]
    notes = []
    if without:
        notes.append(
            f"No outlines of the units for {', '.join(without)}: lesions were matched within each unit by number and "
            "arrangement, not by place, so that a new lesion beside a resolved one is not seen. Give the DICOM study, "
            "or the folder that `osteoscope read` made, for a match by place"
        )
    if any(sight.state == "not_known" for lesion in lesions for sight in lesion.course):
        notes.append(
            "Some lesions lie in units that were not assessed, or not as a whole, on one of the dates: whether new is "
            "not known"
        )
    pairs = [(n, n + 1) for n in range(len(exams) - 1)]
    notes += [note for exam in exams for note in told_by_hand(exam.name, exam.reading, options)]
    raised = {pair: new_sites(exams, lesions, pair, options).raised for pair in _pairs(exams)}
    titles: dict[str, str] = {rule.name: rule.title for rule in RULES}
    notes += [
        f"{place.site.replace('_', ' ')}: no uptake in {exams[a].name}, and its {titles[place.score]} level was set to "
        f"{place.level:g} by hand in {exams[b].name}, without a finding that shows it: counted as a new bone site"
        for (a, b), places in raised.items()
        for place in places
    ]
    twins = dict.fromkeys(twin for pair in pairs for twin in mistakable(exams, lesions, pair, options))
    notes += [
        f"{new} is new where {old} of the same unit is gone: look whether they are one lesion" for new, old in twins
    ]
    return tuple(notes)
