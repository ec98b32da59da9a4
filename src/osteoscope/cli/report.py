"""`osteoscope report`: one document on a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osteoscope.cli.console import DISCLAIMER, fail, progress_bar, say
from osteoscope.cli.options import Confidence, Draws, Rate, Seed, Smallest

EXIT_SOME_NOT_USED = 3


def report(
    cohort: Annotated[Path, typer.Argument(help="Folder of results of `osteoscope read`, CT or planar mIBG or both.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the report; made if absent.")] = Path(
        "osteoscope-study"
    ),
    reference: Annotated[
        Path | None, typer.Option(help="Readings or label maps that the readings of CT are evaluated against.")
    ] = None,
    marks: Annotated[
        Path | None,
        typer.Option(help="A CSV of readers' marks: study, size, location, detection (yes / no), and finding, reader."),
    ] = None,
    reader: Annotated[
        list[str] | None,
        typer.Option(help="Another reader of the same studies: PATH or NAME=PATH. Repeatable; agreement is added."),
    ] = None,
    rate: Rate = 0.62,
    confidence: Confidence = 0.0,
    smallest: Smallest = 5.0,
    draws: Draws = 2000,
    seed: Seed = 0,
) -> None:
    """Gather a cohort's readings, evaluation, reader analysis and agreement into one document (HTML and PDF).

    Exit code: 0 everything used, 3 some not used, 1 nothing can be reported, 2 wrong usage.
    """
    from osteoscope.deliver.study_parts import StudyOptions
    from osteoscope.deliver.study_report import write_study_report
    from osteoscope.stats.detection_figures import DetectionOptions
    from osteoscope.stats.resampling import Resampling

    detection = DetectionOptions(rate, confidence, smallest, Resampling(draws, seed))
    options = StudyOptions(reference, marks, tuple(reader or ()), detection)
    with progress_bar() as progress:
        done = write_study_report(cohort, output, options, progress)
    for problem in done.problems:
        fail(str(problem))
    for line in done.report.summary:
        say(line)
    say(f"report: {output / 'study.html'}, {output / 'study.pdf'}")
    say(DISCLAIMER)
    if not done.lossless:
        raise typer.Exit(EXIT_SOME_NOT_USED)
