"""A hospital's levels in, an adaptation of the shipped scorer out: adaptation.json and adaptation.html."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

from osteoscope.deliver.adaptation_cohort import CohortRead, read_cohort
from osteoscope.deliver.agreement_files import listing
from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.writable import make_writable
from osteoscope.dicom.load import IntakeOptions
from osteoscope.measure.adaptation import Coefficients
from osteoscope.measure.adaptation_card import NAME, Card, Cohort
from osteoscope.measure.adaptation_evidence import TOP
from osteoscope.report.adaptation import build_adaptation
from osteoscope.report.adaptation_figure import Way, calibration
from osteoscope.report.html import write_html
from osteoscope.report.parts import Figure
from osteoscope.stats.resampling import Resampling
from osteoscope.train.adaptation_folds import Tried, choose, out_of_fold
from osteoscope.train.adaptation_judge import Compared, judge, verdict

Progress = Callable[[str, int, int], None]
CARD_FILE, REPORT_FILE = "adaptation.json", "adaptation.html"
PURPOSE = (
    "Adapts SIOPEN levels of planar 123I-mIBG scans to the readers of one hospital, on top of the base named here. "
    "Research use only, not a medical device; does not replace a physician's reading."
)
_LIMITS = (
    "It learns how one hospital reads, its errors included: agreement with its reader is no accuracy.",
    "It changes levels, not findings: what the base did not find stays without evidence.",
    "It holds for the base, camera, protocol and readers of the cohort only, and under the default choices of scoring.",
)
_SMALL = 60


@dataclass(frozen=True)
class AdaptOptions:
    """How an adaptation is made.

    Args:
        version: written on the card.
        intake: of DICOM.
        resampling: of the intervals by patient.
    """

    version: str = "1"
    intake: IntakeOptions = field(default_factory=IntakeOptions)
    resampling: Resampling = field(default_factory=Resampling)


@dataclass(frozen=True)
class Adapted:
    """A finished adaptation, and what of its input could not be used or should be known."""

    card: Card
    problems: tuple[Problem, ...]

    @property
    def lossless(self) -> bool:
        """Whether every row of the input was used."""
        return not any(problem.lost for problem in self.problems)


def train_adaptation(path: Path, folder: Path, options: AdaptOptions, progress: Progress) -> Adapted:
    """Adapt the shipped scorer to the levels of a CSV and write the card and its report.

    Args:
        path: see `read_cohort`.
        folder: for adaptation.json and adaptation.html; made if absent.
        options: version, intake and resampling.
        progress: told of each step.

    Raises:
        IntakeError: the CSV cannot be used, or too few of its rows can.
        OutputError: the folder cannot be written.
    """
    make_writable(folder)
    cohort = read_cohort(path, options.intake, progress)
    tried = out_of_fold(cohort.sample, progress)
    progress("fit", 0, 1)
    card = _card(cohort, tried, options)
    done = Adapted(card, cohort.problems)
    document = build_adaptation(card, _figure(cohort, tried), listing((), done.problems)[1:])
    card.write(folder / CARD_FILE)
    write_html(document, folder / REPORT_FILE)
    return done


def _card(cohort: CohortRead, tried: Tried, options: AdaptOptions) -> Card:
    sample = cohort.sample
    coefficients, penalty = choose(sample)
    gains = judge(Compared(sample, tried.levels), options.resampling)
    studies, patients = len(cohort.members), len(set(cohort.patients))
    levels = np.bincount(sample.levels, minlength=TOP + 1).tolist()
    unnamed = sum(1 for m in cohort.members if not m.rated.patient and not m.patient)
    said = (
        (patients < _SMALL, f"Only {patients} patients: intervals are wide."),
        (
            unnamed > 0,
            f"{unnamed} of {studies} studies name no patient: repeated scans of one child would count as independent.",
        ),
    )
    return Card(
        name=NAME,
        version=options.version,
        purpose=PURPOSE,
        software=f"osteoscope {version('osteoscope')}",
        base=cohort.members[0].base,
        cohort=Cohort(studies, patients, tuple(levels)),
        coefficients=coefficients,
        penalty=penalty if math.isfinite(penalty) else None,
        gains=gains,
        verdict=verdict(gains),
        limits=(*_LIMITS, *(text for there, text in said if there)),
    )


def _figure(cohort: CohortRead, tried: Tried) -> Figure:
    sample, shipped = cohort.sample, Coefficients()
    before = Way("shipped", Compared(sample, tried.levels).before, np.array([shipped.chances(e) for e in sample.found]))
    return calibration(sample.levels, before, Way("adapted", tried.levels, tried.chances))
