"""The answer in a few sentences, and the limits that go with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from osteoscope.domain.finding import DOUBTFUL_BELOW
from osteoscope.domain.reading import Reading, SiteReading
from osteoscope.domain.study import IMAGE_NAMES, StudyKind
from osteoscope.measure.lesion_type import kinds_of
from osteoscope.report.wording import count, label, percent, quantity, sentence_case, site_name, where

_COUNT = "lesion_count"
_MOST_REASONS = 2
_SHOWN_NOTES = ("warning", "refused")


@dataclass(frozen=True)
class Question:
    """What a kind of study is asked.

    Args:
        title: of the report.
        asked: the question.
        finding, findings: what one and several are called.
        totals: measures of the study that answer it, with what they are out of ("" for no bound).
        cuts: highest value of a total that counts as favourable (docs/background/mibg.md: SIOPEN S5; Curie S9, S12).
    """

    title: str
    asked: str
    finding: str
    findings: str
    totals: Mapping[str, str]
    cuts: Mapping[str, int]


QUESTIONS: Mapping[StudyKind, Question] = MappingProxyType(
    {
        "ct": Question(
            "Bone lesions on CT",
            "Which bones hold lesions, of which type, and how large are they?",
            "bone lesion",
            "bone lesions",
            {"lesion_volume": ""},
            {},
        ),
        "nm-planar": Question(
            "Skeletal uptake on planar scintigraphy",
            "Where is there skeletal uptake, and what are the SIOPEN and Curie scores?",
            "focus of uptake",
            "foci of uptake",
            {"siopen_total": "of 72", "curie_total": "of 30"},
            {"siopen_total": 3, "curie_total": 2},
        ),
    }
)


def summary(reading: Reading) -> tuple[str, ...]:
    """Two or three sentences: what was found, and its amount with interval, or why there is no answer."""
    question = QUESTIONS[reading.study.kind]
    amounts = _amounts(reading, question.totals)
    reasons = _reasons(reading)[:_MOST_REASONS]
    if not reading.findings and (not amounts or reading.unsearched):
        return (f"No statement on {question.findings} can be made.", *reasons)
    if not amounts:
        return (_found(reading, question), "The amount could not be measured.", *reasons)
    return (_found(reading, question), "; ".join(amounts) + ".")


def _amounts(reading: Reading, totals: Mapping[str, str]) -> list[str]:
    """The totals that were measured; where there is none, all else that was measured of the study."""
    measured = [measure for measure in reading.measures if measure.name != _COUNT]
    wanted = [measure for measure in measured if measure.name in totals] or measured
    return [f"{sentence_case(label(m.name))} {quantity(m, totals.get(m.name, ''))}" for m in wanted]


def _reasons(reading: Reading) -> tuple[str, ...]:
    gaps = (*reading.unsearched, *(gap for gap in reading.gaps if gap.where == "study"))
    return tuple(dict.fromkeys(f"{sentence_case(gap.reason.rstrip('.'))}." for gap in gaps))


def _found(reading: Reading, question: Question) -> str:
    if not reading.findings:
        return f"No {question.finding} was found where the images could be assessed."
    possible = "possible " if reading.reader.kind == "program" else ""
    total = count(len(reading.findings), possible + question.finding, possible + question.findings)
    sites = count(len({finding.site for finding in reading.findings}), "site")
    kinds = Counter(finding.kind for finding in reading.findings)
    split = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())
    doubtful = sum(finding.confidence < DOUBTFUL_BELOW for finding in reading.findings)
    doubt = f"; {doubtful} with a confidence below {percent(DOUBTFUL_BELOW)}" if doubtful else ""
    return f"{sentence_case(total)} at {sites}: {split}{doubt}."


def limits(reading: Reading) -> tuple[str, ...]:
    """What the reader must know before using the answer, the widest first, nothing twice."""
    widest = tuple(_image_limits(reading))
    headings = {line.split(":")[0] for line in widest}
    said = summary(reading)
    lines = (
        *widest,
        *_undecided(reading),
        *_types(reading),
        *(line for line in _site_limits(reading.sites) if line.split(":")[0] not in headings),
        *(line for line in _gap_limits(reading) if f"{line}." not in said),
        *(f"{sentence_case(n.problem)}: {n.action}" for n in reading.intake if n.level in _SHOWN_NOTES),
    )
    return tuple(dict.fromkeys(lines))


def _undecided(reading: Reading) -> Iterable[str]:
    """The cut-offs that lie within the interval of their total, so that the reader decides."""
    for name, cut in QUESTIONS[reading.study.kind].cuts.items():
        total = reading.measure(name)
        if total and total.interval and total.interval[0] <= cut < total.interval[1]:
            low, high = (round(end) for end in total.interval)
            score = label(name).removesuffix(" score")
            yield f"{score} <= {cut}: the threshold lies within the interval {low} to {high}"


def _types(reading: Reading) -> Iterable[str]:
    """The findings whose measured voxels do not bear out their type."""
    told = [(where(reading, f.id), f.kind, kinds_of(f) - {f.kind}) for f in reading.findings]
    open_types = [f"{name} ({kind} or {' or '.join(sorted(others))})" for name, kind, others in told if others]
    if open_types:
        yield f"Type not settled by attenuation: {_listed(open_types)}"


def _image_limits(reading: Reading) -> Iterable[str]:
    study = reading.study
    missing = sorted(IMAGE_NAMES[study.kind] - set(study.images))
    if missing:
        yield f"One view only: there is no {' or '.join(missing)} image"
    if study.acquisition.guessed:
        guessed = ", ".join(fact.replace("_", " ") for fact in study.acquisition.guessed)
        yield f"Guessed at intake, to be checked by the reader: {guessed}"
    if any(record.grid.unit == "pixel" for record in study.images.values()):
        yield "The size of a pixel is not known: no lengths in millimetres"


def _site_limits(sites: tuple[SiteReading, ...]) -> Iterable[str]:
    for status, words in (("not_acquired", "Not acquired"), ("not_assessable", "Not assessable")):
        names = [site_name(s.site) for s in sites if s.status == status]
        if names:
            yield f"{words}: {_listed(names)}"
    by_note: dict[str, list[str]] = {}
    for reading in sites:
        for note in dict.fromkeys(reading.notes):
            by_note.setdefault(note, []).append(site_name(reading.site))
    for note, names in by_note.items():
        yield f"{sentence_case(note)}: {_listed(names)}"


def _listed(names: list[str], most: int = 6) -> str:
    shown = [names[0], *(name[:1].lower() + name[1:] for name in names[1:most])]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _gap_limits(reading: Reading) -> Iterable[str]:
    for gap in reading.gaps:
        prefix = "" if gap.where == "study" else f"{where(reading, gap.where)}: "
        reason = gap.reason.rstrip(".")
        yield prefix + (reason if prefix else sentence_case(reason))
