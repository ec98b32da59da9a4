"""A hospital's cohort for an adaptation: a CSV of levels, and for each row the study or a Reading of it."""

from __future__ import annotations

import csv
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from osteoscope.deliver.exams import take
from osteoscope.deliver.ratings import Problem, Rated
from osteoscope.deliver.ratings_csv import read_csv
from osteoscope.deliver.ratings_text import lines
from osteoscope.dicom.load import IntakeOptions
from osteoscope.domain.reading import Reading
from osteoscope.errors import IntakeError, OsteoscopeError
from osteoscope.measure.adaptation_card import Base, other_choices
from osteoscope.measure.adaptation_evidence import Evidence, evidence
from osteoscope.measure.score_choices import chosen, stated
from osteoscope.measure.score_tables import ScoreOptions
from osteoscope.stats.ratings import SCALES
from osteoscope.train.adaptation_fit import Sample

Progress = Callable[[str, int, int], None]

FEWEST_STUDIES, FEWEST_PATIENTS = 15, 10
_SIOPEN = SCALES["siopen"]
_SHOWN_ROWS = 8
_LINE_BREAKS = re.compile(r"\s*[\r\n]\s*")
_CHECK_PATIENTS = "Check the patient column: scans of one child that are taken for several make intervals too narrow"


@dataclass(frozen=True)
class Member:
    """A row that can be used: what the program found, what the reader said.

    Args:
        rated: the row.
        uid: of the study.
        patient: id in the Reading, "" where it states none.
        base: that found it.
        pairs: evidence of a segment and the reader's level, where both are there.
    """

    rated: Rated
    uid: str
    patient: str
    base: Base
    pairs: tuple[tuple[Evidence, int], ...]


@dataclass(frozen=True)
class CohortRead:
    """All rows that can be used, and what is wrong with the others."""

    members: tuple[Member, ...]
    problems: tuple[Problem, ...]

    @property
    def patients(self) -> tuple[str, ...]:
        """The patient of each member: as the row names it, else as other rows name that of its Reading, else the id in
        the Reading, else the row itself."""
        named = {m.patient: m.rated.patient for m in reversed(self.members) if m.patient and m.rated.patient}
        return tuple(m.rated.patient or named.get(m.patient, m.patient) or f"row {m.rated.row}" for m in self.members)

    @property
    def sample(self) -> Sample:
        """What is fitted to, without names."""
        people = np.unique(self.patients, return_inverse=True)[1]
        pairs = [(e, level, people[n], n) for n, m in enumerate(self.members) for e, level in m.pairs]
        found, levels, patients, studies = zip(*pairs, strict=True)
        return Sample(found, *(np.asarray(v, dtype=np.intp) for v in (levels, patients, studies)))


def read_cohort(path: Path, options: IntakeOptions, progress: Progress) -> CohortRead:
    """The cohort of a CSV; a row that cannot be used is a problem, the others stand.

    Args:
        path: a CSV as for `osteoscope agree`, whose column ``study`` names, relative to it, DICOM of one study or a
            reading.json or its folder.
        options: of the intake of DICOM.
        progress: told of each row.

    Raises:
        IntakeError: the file is no such CSV, or too few of its rows can be used.
    """
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        ratings = read_csv(_without_row_ids(path, Path(scratch)), "reader")
    problems = list(ratings.problems)
    if ratings.rated and not any("siopen" in one.levels for one in ratings.rated):
        raise IntakeError(f"train on {path}", "no SIOPEN levels", "Give all 12 segments as columns")
    members: list[Member] = []
    for number, rated in enumerate(ratings.rated):
        progress(f"read {rated.study or rated.label}", number, len(ratings.rated))
        try:
            members.append(_member(path, rated, options))
        except OsteoscopeError as error:
            problems.append(Problem(path.name, rated.row, "study", error.found, error.remedy))
    kept, faults = _agreeing(members, path.name)
    read = CohortRead(kept, (*problems, *faults, *_patient_doubts(kept, path.name)))
    _check_size(path, read)
    return read


def _without_row_ids(path: Path, scratch: Path) -> Path:
    """The CSV without its id column, which is of the row and names no patient; rows keep their line numbers."""
    rows = list(lines(path))
    header = [cell.lower() for cell in rows[0][1]] if rows else []
    if "study" not in header:
        found = f"no column 'study' in the header ({', '.join(header[:6]) or 'an empty first line'})"
        raise IntakeError(f"train on {path}", found, "Name the study or reading.json of each row in a column 'study'")
    if "id" not in header:
        return path
    position, copy = header.index("id"), scratch / path.name
    with copy.open("w", encoding="utf-8", newline="") as stream:
        writer, at = csv.writer(stream, lineterminator="\n"), 1
        for number, cells in rows:
            stream.write("\n" * (number - at))
            # A row of the wrong length keeps it, to be told as such. Line breaks would move the rows that follow.
            writer.writerow([_LINE_BREAKS.sub(" ", cell) for n, cell in enumerate(cells) if n != position])
            at = number + 1
    return copy


def _member(path: Path, rated: Rated, options: IntakeOptions) -> Member:
    asked = f"train on {path}"
    if not rated.study:
        raise IntakeError(asked, "no study in this row", "Name its folder, file or reading.json relative to the CSV")
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        reading = take(path.parent / rated.study, Path(scratch), options, lambda *_: None).exam.reading
    if reading.study.kind != "nm-planar" or reading.reader.kind != "program":
        found = f"a Reading of kind {reading.study.kind!r} by a {reading.reader.kind}"
        raise IntakeError(asked, found, "Give the planar study, or what `osteoscope read` made of it")
    choices = chosen(stated(reading.provenance.settings))
    if others := other_choices(choices):
        found = f"scored under {others}, and an adaptation is learnt under the default choices"
        raise IntakeError(asked, found, "Read the study again without --score")
    pairs = tuple(_pairs(reading, rated, choices))
    if not pairs:
        found = "no segment with both a level of the reader and one of the program"
        raise IntakeError(asked, found, "Give levels of segments on the images; --tracer mIBG insists on scoring")
    study = reading.study
    return Member(replace(rated, file=path.name), study.uid, study.patient.id, Base.of_reading(reading), pairs)


def _pairs(reading: Reading, rated: Rated, choices: ScoreOptions) -> Iterator[tuple[Evidence, int]]:
    for segment, level in zip(_SIOPEN.sites, rated.levels["siopen"], strict=True):
        site = reading.site(segment)
        assessed = site if site and site.status == "assessed" else None
        found = evidence(segment, assessed.measures, reading.findings, choices) if assessed else None
        if found is not None and isinstance(level, int):
            yield found, level


def _agreeing(members: Sequence[Member], file: str) -> tuple[tuple[Member, ...], tuple[Problem, ...]]:
    """Members of the most frequent base, each study once."""
    usual = Counter(m.base for m in members).most_common(1)
    times = Counter(m.uid for m in members)
    kept, problems = [], []
    for member in members:
        found, remedy = "", ""
        if times[member.uid] > 1:
            found, remedy = "the same study as another row; none of them is used", "Keep one row per study"
        elif member.base != usual[0][0]:
            found = f"read by {member.base}, most others by {usual[0][0]}"
            remedy = "Read it again with the version of the others"
        if found:
            problems.append(Problem(file, member.rated.row, "study", found, remedy))
        else:
            kept.append(member)
    return tuple(kept), tuple(problems)


def _patient_doubts(members: Sequence[Member], file: str) -> Iterator[Problem]:
    """Rows whose patient nobody names, and rows whose CSV tells patients apart in another way than their Readings.

    No patient is named in what is said: it goes into the report.
    """
    both = {(m.patient, m.rated.patient) for m in members if m.patient and m.rated.patient}
    by_reading, by_row = Counter(theirs for theirs, _ in both), Counter(ours for _, ours in both)
    doubts: tuple[tuple[Callable[[Member], bool], str, str], ...] = (
        (
            lambda m: not m.patient and not m.rated.patient,
            "name no patient and neither do their Readings: each is taken as a child of its own",
            "Name the child of each, so that its scans are kept together",
        ),
        (
            lambda m: by_reading[m.patient] > 1,
            "are of one patient by their Readings and of several by this file, which is followed",
            _CHECK_PATIENTS,
        ),
        (
            lambda m: by_row[m.rated.patient] > 1,
            "are of several patients by their Readings and of one by this file, which is followed",
            _CHECK_PATIENTS,
        ),
    )
    for doubtful, found, remedy in doubts:
        if rows := [f"{m.rated.row}" for m in members if doubtful(m)]:
            more = f" and {len(rows) - _SHOWN_ROWS} more" if len(rows) > _SHOWN_ROWS else ""
            yield Problem(
                file, None, "patient", f"rows {', '.join(rows[:_SHOWN_ROWS])}{more} {found}", remedy, lost=False
            )


def _check_size(path: Path, read: CohortRead) -> None:
    studies, patients = len(read.members), len(set(read.patients))
    if studies < FEWEST_STUDIES or patients < FEWEST_PATIENTS:
        faults = "; ".join(str(p) for p in read.problems if p.lost)
        found = f"{studies} usable studies of {patients} patients" + (f" ({faults})" if faults else "")
        raise IntakeError(
            f"train on {path}",
            found,
            f"Give at least {FEWEST_STUDIES} studies of {FEWEST_PATIENTS} patients: with fewer, nothing learned could "
            "be told from chance",
        )
