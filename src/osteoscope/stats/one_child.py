"""Whether Readings are dates of one patient that can be compared: errors where not, notes where it is in doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from types import MappingProxyType

from osteoscope.domain.anatomy import SIOPEN
from osteoscope.domain.finding import Finding
from osteoscope.domain.study import StudyKind
from osteoscope.errors import UnsuitableStudyError
from osteoscope.stats.lesion_identity import Exam
from osteoscope.stats.lesion_matching import IdentityOptions

Pair = tuple[Exam, Exam]
# What a study and its patient are called, by kind.
_WORDS: Mapping[StudyKind, tuple[str, str, str]] = MappingProxyType(
    {
        "nm-planar": ("a planar scan", "planar mIBG scans", "child"),
        "ct": ("a CT", "CTs", "patient"),
    }
)


def check_together(exams: Sequence[Exam], same_patient: bool = False, kind: StudyKind = "nm-planar") -> tuple[str, ...]:
    """Notes on what differs between the dates.

    Args:
        exams: in the order given, meant to be oldest first.
        same_patient: whether the user vouches that different patient ids are one patient.
        kind: of all studies.

    Raises:
        UnsuitableStudyError: a study of another kind, one study twice, two patients, two tracers, or dates in the
            wrong order; the text names the files.
    """
    one, many, who = _WORDS[kind]
    for exam in exams:
        if exam.reading.study.kind != kind:
            found = f"it is {_WORDS[exam.reading.study.kind][0]}, not {one}"
            raise UnsuitableStudyError(f"compare {exam.name}", found, f"Give {many} of one {who}")
    notes: list[str] = []
    for pair in combinations(exams, 2):
        _check_twice(pair, who)
        notes += _check_patient(pair, same_patient, who)
        _check_tracer(pair)
    for pair in pairwise(exams):
        notes += _check_dates(pair, who)
        notes += _differences(pair)
        notes += _settings(pair)
        notes += _faint_rises(pair)
    notes += [note for exam in exams for note in _unknown(exam, who)]
    return tuple(dict.fromkeys(notes))


def _names(pair: Pair) -> str:
    return f"compare {pair[0].name} with {pair[1].name}"


def _check_twice(pair: Pair, who: str) -> None:
    a, b = (exam.reading for exam in pair)
    shared = {i.sha256 for i in a.provenance.inputs} & {i.sha256 for i in b.provenance.inputs}
    if a.study.uid == b.study.uid or shared:
        found = "the same file" if shared else f"the same study {a.study.uid}"
        raise UnsuitableStudyError(_names(pair), f"{found} twice", f"Give another date of the {who}")


def _check_patient(pair: Pair, same_patient: bool, who: str) -> Iterator[str]:
    a, b = (exam.reading.study.patient for exam in pair)
    if a.id and b.id and a.id != b.id:
        if not same_patient:
            raise UnsuitableStudyError(
                _names(pair),
                f"two patients, {a.id!r} and {b.id!r}",
                f"Give scans of one {who}, or vouch with --same-patient that both ids are one {who}",
            )
        yield f"Patient ids {a.id!r} and {b.id!r} were vouched to be one {who}"
    elif a.name and b.name and a.name != b.name:
        yield f"One patient id with two names, {a.name!r} and {b.name!r}: check that this is one {who}"
    if a.sex and b.sex and a.sex != b.sex:
        yield f"Sex {a.sex} in {pair[0].name} and {b.sex} in {pair[1].name}: check that this is one {who}"


def _check_tracer(pair: Pair) -> None:
    a, b = (exam.reading.study.acquisition.tracer for exam in pair)
    if a and b and a != b:
        raise UnsuitableStudyError(
            _names(pair), f"two tracers, {a!r} and {b!r}", "Give scans with one tracer; scores of two do not compare"
        )


def _check_dates(pair: Pair, who: str) -> Iterator[str]:
    (a, b), (old, young) = (e.reading.study.date for e in pair), (e.reading.study.patient.age_years for e in pair)
    if a and b and a > b:
        raise UnsuitableStudyError(_names(pair), f"{a} comes before {b}", "Give the studies oldest first")
    if a and a == b:
        yield f"{pair[0].name} and {pair[1].name} have one date, {a}: taken in the order given"
    if old is not None and young is not None and old > young + 1e-9:
        yield f"The {who} is older in {pair[0].name} than in {pair[1].name}: check the order and the patient"


_ACQUISITION: tuple[tuple[str, Callable[[Exam], str]], ...] = (
    ("radionuclides", lambda exam: exam.reading.study.acquisition.radionuclide),
    ("collimators", lambda exam: exam.reading.study.acquisition.collimator),
    ("views", lambda exam: " and ".join(sorted(exam.reading.study.images))),
    (
        "readers",
        lambda exam: f"{exam.reading.reader.name} {exam.reading.reader.version} ({exam.reading.reader.kind})",
    ),
)
# What a level rests on, by the names of `measure.score_tables.ScoreOptions`: other settings of a Reading, such as the
# comment of a reviewer, are no part of how it was scored.
SCORING: tuple[str, ...] = (
    "denominator", "half_reaches_5", "whole_above", "foci_beside_patch", "confluence", "count_once", "sacrum", "level",
    "accepted", "accepted_beside", "accepted_throughout", "missed", "missed_beside", "fraction_error", "together",
)  # fmt: skip
_BY_RULE = "What changed between them may be the way of reading, not the disease: read both in one way"


def _differences(pair: Pair) -> Iterator[str]:
    models = [_models(exam) for exam in pair]
    if models[0] != models[1] and all(exam.reading.reader.kind == "program" for exam in pair):
        yield f"Different models: {models[0]} in {pair[0].name}, {models[1]} in {pair[1].name}. {_BY_RULE}"
    for what, of in _ACQUISITION:
        a, b = of(pair[0]), of(pair[1])
        if a and b and a != b:
            yield f"Different {what}: {a} in {pair[0].name}, {b} in {pair[1].name}"


def _models(exam: Exam) -> str:
    return ", ".join(f"{m.name} {m.version} ({m.sha256[:12]})" for m in exam.reading.reader.models) or "none"


def _settings(pair: Pair) -> Iterator[str]:
    """Settings of scoring that differ; a reader that states none has none to compare."""
    stated = [exam.reading.provenance.settings for exam in pair]
    a, b = ({name: of[name] for name in SCORING if name in of} for of in stated)
    differ = [name for name in SCORING if a.get(name) != b.get(name)]
    if a and b and differ:
        here, there = (", ".join(f"{name}={of.get(name, 'not stated')}" for name in differ) for of in (a, b))
        yield f"Different scoring settings: {here} in {pair[0].name}, {there} in {pair[1].name}. {_BY_RULE}"


def _faint_rises(pair: Pair) -> Iterator[str]:
    """Segments whose level rose on findings too faint to be called lesions.

    That is: on faint findings, with no more lesions than before and none whose extent could have raised the level.
    """
    accepted = IdentityOptions().accepted
    for segment in SIOPEN:
        levels = [level for exam in pair if (level := _siopen(exam, segment)) is not None]
        before, now = (_findings(exam, segment) for exam in pair)
        sure = [f for f in now if f.confidence >= accepted]
        no_more = len(sure) <= sum(1 for f in before if f.confidence >= accepted)
        faint_alone = no_more and len(sure) < len(now) and not any(f.kind == "diffuse" for f in sure)
        if len(levels) == len(pair) and levels[0] < levels[1] and faint_alone:
            yield (
                f"The SIOPEN level of {segment.replace('_', ' ')} rose from {levels[0]:g} in {pair[0].name} to "
                f"{levels[1]:g} in {pair[1].name} on findings below a confidence of {accepted:g}, which are not called "
                "new lesions: look whether they are there"
            )


def _siopen(exam: Exam, segment: str) -> float | None:
    said = exam.reading.site(segment)
    level = said.measure("siopen") if said else None
    return level.value if level else None


def _findings(exam: Exam, segment: str) -> list[Finding]:
    said = exam.reading.site(segment)
    return [f for f in exam.reading.findings if said and f.id in said.evidence]


def _unknown(exam: Exam, who: str) -> Iterator[str]:
    study = exam.reading.study
    if not study.date:
        yield f"{exam.name} states no date: taken in the order given"
    if not study.patient.id:
        yield f"{exam.name} states no patient id: that it is the same {who} was not checked"
    if study.kind == "nm-planar" and not study.acquisition.tracer:
        yield f"{exam.name} states no tracer: taken for mIBG"
