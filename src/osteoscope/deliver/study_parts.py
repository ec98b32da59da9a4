"""The parts of a study report that have results of their own: evaluation, agreement of scores, pairs of CT readers.

Each gets the readings of its kind: a cohort, and what another reader has, may be of CT and planar scans.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from pathlib import Path

from osteoscope.deliver.agreement import AgreementOptions, compare_readers
from osteoscope.deliver.evaluation import EvaluationOptions, evaluate
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.ratings_source import name_apart
from osteoscope.deliver.result_files import apart, slug
from osteoscope.deliver.study_files import kinds_below
from osteoscope.errors import IntakeError, OsteoscopeError
from osteoscope.report.parts import Document
from osteoscope.stats.detection import CRITERIA
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.ratings import Statistic

Progress = Callable[[str, int, int], None]
Reader = tuple[str, Path]
_COHORT = "cohort"
_CT, _PLANAR = "ct", "nm-planar"


@dataclass(frozen=True)
class StudyOptions:
    """What goes into a study report besides the cohort.

    Args:
        reference: readings or label maps that those of CT are evaluated against, None for none.
        marks: a CSV of readers' marks on findings.
        readers: other readers of the same studies, "PATH" or "NAME=PATH".
        detection: of the evaluation; its resampling is used everywhere.
    """

    reference: Path | None = None
    marks: Path | None = None
    readers: tuple[str, ...] = ()
    detection: DetectionOptions = field(default_factory=DetectionOptions)


@dataclass(frozen=True)
class Made:
    """A finished part: what could not be used, its report by title, figures of a pair of CT readers."""

    problems: tuple[Problem, ...]
    documents: Mapping[str, Document] = field(default_factory=dict)
    pairs: tuple[tuple[str, str, Sequence[Statistic]], ...] = ()


Part = tuple[str, Callable[[], Made]]


def parts(folder: Path, out: Path, options: StudyOptions, kinds: Collection[str], progress: Progress) -> Iterator[Part]:
    """What is asked for, by its title; making a part may raise any `OsteoscopeError`.

    Args:
        folder: the cohort.
        out: where the parts put their results.
        options: what is asked for.
        kinds: of the studies of the cohort.
        progress: told of each step.
    """
    if options.reference is not None:
        sources = (options.reference, folder)
        yield "Evaluation", lambda: _evaluation(sources, out / "evaluation", options, progress)
    if not options.readers:
        return
    try:
        cohort, *others = name_apart([(_COHORT, folder), *options.readers])
    except IntakeError as error:
        yield "Agreement", partial(_refuse, error)
        return
    read = {reader: kinds_below(reader[1]) or frozenset(kinds) for reader in others}
    yield from (_stranger(reader, kinds) for reader in others if not read[reader] & frozenset(kinds))
    planar, ct = ([reader for reader in others if kind in read[reader] and kind in kinds] for kind in (_PLANAR, _CT))
    if planar:
        yield "Agreement", lambda: _agreement((cohort, *planar), out / "agreement", options, progress)
    pairs = list(combinations((cohort, *ct), 2))
    names = apart(f"{slug(first)}-{slug(second)}" for (first, _), (second, _) in pairs)
    for pair, name in zip(pairs, names, strict=True):
        title = f"Agreement of {pair[0][0]} and {pair[1][0]}"
        yield title, partial(_pair, pair, out / "agreement-ct" / name, options, progress)


def _refuse(error: OsteoscopeError) -> Made:
    raise error


def _stranger(reader: Reader, kinds: Collection[str]) -> Part:
    found = f"no study of a kind that the cohort has ({', '.join(sorted(kinds))})"
    error = IntakeError(f"compare {reader[1]}", found, "Give readings of the studies of the cohort")
    return f"Agreement with {reader[0]}", partial(_refuse, error)


def _evaluation(sources: Sequence[Path], place: Path, options: StudyOptions, progress: Progress) -> Made:
    done = evaluate(sources, place, EvaluationOptions(options.detection, ct_only=True), progress)
    return Made(done.evaluation.problems, {"Evaluation": done.report})


def _agreement(readers: Sequence[Reader], place: Path, options: StudyOptions, progress: Progress) -> Made:
    chosen = AgreementOptions(resampling=options.detection.resampling, planar_only=True)
    done = compare_readers(readers, place, chosen, progress)
    return Made(done.problems, {"Agreement": done.report})


def _pair(readers: tuple[Reader, Reader], place: Path, options: StudyOptions, progress: Progress) -> Made:
    (first, reference), (second, reading) = readers
    chosen = EvaluationOptions(options.detection, ct_only=True)
    done = evaluate([reference, reading], place, chosen, progress)
    found = [s for s in done.evaluation.detection.statistics if s.scale == CRITERIA[0].name]
    return Made(done.evaluation.problems, {}, ((first, second, found),))
