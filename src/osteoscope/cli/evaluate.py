"""`osteoscope evaluate`: how well a reading of CTs finds the lesions of a reference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osteoscope.cli.console import DISCLAIMER, fail, progress_bar, say, say_json, say_table
from osteoscope.cli.options import Confidence, Draws, Rate, Seed, Smallest

EXIT_SOME_NOT_USED = 3


def evaluate(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="REFERENCE READING",
            help="Two folders (or files) of reading.json or of label maps (NIfTI, NRRD), the reference first; "
            "or one CSV table with the columns study, reference, reading and, if you like, patient.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results; made if absent.")] = Path(
        "osteoscope-evaluation"
    ),
    rate: Rate = 0.62,
    confidence: Confidence = 0.0,
    smallest: Smallest = 5.0,
    marks: Annotated[
        Path | None, typer.Option(help="A CSV of a radiologist's marks: study, size, location, detection (yes / no).")
    ] = None,
    draws: Draws = 2000,
    seed: Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print evaluation.json instead of text.")] = False,
) -> None:
    """Evaluate readings of CT against a reference: FROC, sensitivity, overlap, sizes, types; a report and tables.

    Exit code: 0 all studies used, 3 some not used, 1 nothing can be evaluated, 2 wrong usage.
    """
    from osteoscope.deliver.evaluation import EvaluationOptions
    from osteoscope.deliver.evaluation import evaluate as run
    from osteoscope.domain import codec
    from osteoscope.report.wording import count
    from osteoscope.stats.detection_figures import DetectionOptions
    from osteoscope.stats.resampling import Resampling

    options = EvaluationOptions(DetectionOptions(rate, confidence, smallest, Resampling(draws, seed)), marks)
    with progress_bar() as progress:
        done = run(sources, output, options, progress)
    for problem in done.evaluation.problems:
        fail(str(problem))
    if as_json:
        say_json(codec.encode(done.evaluation))
    else:
        table = done.report.sections[0].tables[0]
        rows = [tuple(f"{c.text} ({c.detail})" if c.detail else c.text for c in row) for row in table.rows]
        say_table(table.title, tuple(column.title for column in table.columns), rows)
        say(f"{count(len(done.evaluation.detection.scans), 'scan')} evaluated; report: {output / 'evaluation.html'}")
        say(DISCLAIMER)
    if not done.lossless:
        raise typer.Exit(EXIT_SOME_NOT_USED)
