"""Whether Readings are dates of one patient that can be compared: errors where not, notes where it is in doubt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from types import MappingProxyType

from osteoscope.domain.study import StudyKind
from osteoscope.errors import UnsuitableStudyError
from osteoscope.stats.lesion_identity import Exam

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


def _differences(pair: Pair) -> Iterator[str]:
    for what, of in _ACQUISITION:
        a, b = of(pair[0]), of(pair[1])
        if a and b and a != b:
            yield f"Different {what}: {a} in {pair[0].name}, {b} in {pair[1].name}"


def _unknown(exam: Exam, who: str) -> Iterator[str]:
    study = exam.reading.study
    if not study.date:
        yield f"{exam.name} states no date: taken in the order given"
    if not study.patient.id:
        yield f"{exam.name} states no patient id: that it is the same {who} was not checked"
    if study.kind == "nm-planar" and not study.acquisition.tracer:
        yield f"{exam.name} states no tracer: taken for mIBG"
