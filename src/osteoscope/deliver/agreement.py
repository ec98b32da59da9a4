"""Readers in, a folder of figures of their agreement out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from osteoscope.deliver.agreement_files import listing, write_all
from osteoscope.deliver.matched import Matched
from osteoscope.deliver.matching import coverage, match, panel
from osteoscope.deliver.ratings import Problem, Ratings, scales_of
from osteoscope.deliver.ratings_source import Source, open_readers
from osteoscope.domain import codec
from osteoscope.errors import IntakeError
from osteoscope.report.agreement import Scored, build_agreement
from osteoscope.report.agreement_figures import drawings
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.parts import Document, Fact, Table
from osteoscope.report.wording import count
from osteoscope.stats.ratings import Panel
from osteoscope.stats.readers import agree
from osteoscope.stats.resampling import Resampling

SCHEMA = "osteoscope/agreement/1"
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class AgreementOptions:
    """How readers are compared.

    Args:
        reference: name of the reader that the others are compared with, "" for the first.
        resampling: of the intervals by patient.
        planar_only: whether Readings of other kinds in folders are passed over without a word.
    """

    reference: str = ""
    resampling: Resampling = field(default_factory=Resampling)
    planar_only: bool = False


@dataclass(frozen=True)
class Comparison:
    """A finished comparison.

    Args:
        document: as written to agreement.json.
        report: as written to agreement.html.
        problems: what could not be used, and what the user should know.
        scored: every scale compared.
    """

    document: dict[str, Any]
    report: Document
    problems: tuple[Problem, ...]
    scored: tuple[Scored, ...]

    @property
    def lossless(self) -> bool:
        """Whether every row of the input was used."""
        return not any(problem.lost for problem in self.problems)

    @property
    def printed(self) -> tuple[Table, ...]:
        """The table of every scale that a paper would print."""
        return tuple(one.tables()[0] for one in self.scored)


def compare_readers(
    sources: Sequence[Source], folder: Path, options: AgreementOptions, progress: Progress
) -> Comparison:
    """Compare readers and write agreement.json, agreement.html, tables and figures into a folder.

    Args:
        sources: of each reader a path, "NAME=PATH", or both apart.
        folder: for the results; made if absent.
        options: reference and resampling.
        progress: told of each step.

    Raises:
        IntakeError: a source cannot be read at all, or no two readers share a study or a score.
        OutputError: the folder cannot be written.
    """
    ratings = open_readers(sources, options.reference, progress, options.planar_only)
    matched = match(ratings)
    scales = scales_of(ratings)
    if not scales:
        raise IntakeError("compare readers", "no score that two readers gave", "Give SIOPEN or Curie levels of both")
    scored = []
    for scale in scales:
        found = agree(panel(matched, scale), options.resampling, progress)
        scored.append(Scored(found, coverage(matched, scale), tuple(drawings(found))))
    problems = (*(problem for reader in ratings for problem in reader.problems), *matched.problems)
    document = _document(ratings, matched, scored, options) | {"problems": codec.encode(problems)}
    limits = _limits(matched, problems)
    report = build_agreement(scored, _facts(ratings, matched), limits, listing(matched.unmatched, problems))
    comparison = Comparison(document, report, problems, tuple(scored))
    write_all(document, report, comparison.scored, folder)
    return comparison


def _document(
    ratings: Sequence[Ratings], matched: Matched, scored: Sequence[Scored], options: AgreementOptions
) -> dict[str, Any]:
    agreements = [one.agreement for one in scored]
    plain = {
        "schema": SCHEMA,
        "disclaimer": DISCLAIMER,
        "software": f"osteoscope {version('osteoscope')}",
        "reference": matched.readers[0],
        "settings": {"matched_by": matched.key, **codec.encode(options.resampling)},
        "readers": [{"name": r.reader, "source": r.source, "studies": len(r.rated)} for r in ratings],
        "cases": _cases(matched, [a.panel for a in agreements]),
        "unmatched": matched.unmatched,
        "coverage": {one.agreement.panel.scale.name: one.coverage for one in scored},
        "statistics": [s for a in agreements for s in a.statistics],
        "confusions": [c for a in agreements for c in a.confusions],
        "cuts": [c for a in agreements for c in a.cuts],
    }
    return {key: codec.encode(value) for key, value in plain.items()}


def _cases(matched: Matched, panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Of each case its patient and totals, None where a segment is missing."""
    rows: list[dict[str, Any]] = [{"case": case.label, "patient": case.patient} for case in matched.cases]
    for made in panels:
        totals = made.totals(made.readers)
        for number, row in enumerate(rows):
            by_reader = zip(made.readers, totals[:, number].tolist(), strict=True)
            row[f"{made.scale.name}_total"] = {name: None if math.isnan(t) else int(t) for name, t in by_reader}
    return rows


def _facts(ratings: Sequence[Ratings], matched: Matched) -> tuple[Fact, ...]:
    patients = len({case.patient for case in matched.cases})
    others = ", ".join(f"{r.reader} ({count(len(r.rated), 'study', 'studies')})" for r in ratings[1:])
    return (
        Fact("Reference", f"{ratings[0].reader} ({count(len(ratings[0].rated), 'study', 'studies')})"),
        Fact("Compared with it", others),
        Fact("Cases", f"{len(matched.cases)} of {count(patients, 'patient')}"),
        Fact("Matched by", matched.key),
        Fact("Software", f"osteoscope {version('osteoscope')}"),
    )


def _limits(matched: Matched, problems: Sequence[Problem]) -> tuple[str, ...]:
    lost = sum(problem.lost for problem in problems)
    nameless = not any(one and one.patient for case in matched.cases for one in case.rated)
    said = (
        (lost, f"{count(lost, 'fault')} in the input cost a row, a file or a score: see Input."),
        (len(problems) - lost, f"{count(len(problems) - lost, 'remark')} on the input: see Input."),
        (
            len(matched.unmatched),
            f"{count(len(matched.unmatched), 'study was', 'studies were')} not read by all: see Input.",
        ),
        (nameless, "No patient ids were given: repeated scans of one patient would count as independent."),
    )
    return tuple(text for there, text in said if there)
