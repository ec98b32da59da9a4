"""`osteoscope train`: learning from a hospital's own data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osteoscope.cli.console import DISCLAIMER, fail, progress_bar, say, say_json, say_table

EXIT_SOME_NOT_USED = 3

app = typer.Typer(no_args_is_help=True, help="Learn from a hospital's own data.")


@app.callback()
def _train() -> None:
    """Learn from a hospital's own data."""


@app.command()
def mibg(
    cohort: Annotated[
        Path,
        typer.Argument(
            help="CSV, a row per study: study (path relative to the CSV, of DICOM or of a reading.json or its folder), "
            "patient, and the 12 SIOPEN segments."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for adaptation.json and adaptation.html; made if absent.")
    ] = Path("osteoscope-adaptation"),
    tracer: Annotated[str, typer.Option(help='Insist on a tracer that the headers do not state, such as "mIBG".')] = "",
    release: Annotated[str, typer.Option(help="Version that the card and the Readings made with it will name.")] = "1",
    as_json: Annotated[bool, typer.Option("--json", help="Print the card instead of text.")] = False,
) -> None:
    """Adapt the shipped mIBG scorer to the SIOPEN levels of a hospital's physicians; no masks are needed.

    The report says whether it helped, on patients it was not fitted to. `osteoscope read --adapt` applies it.

    Exit code: 0 all rows used, 3 some rows not used, 1 the input cannot be used, 2 wrong usage.
    """
    from osteoscope.deliver.adaptation import CARD_FILE, REPORT_FILE, AdaptOptions, train_adaptation
    from osteoscope.dicom.load import IntakeOptions
    from osteoscope.report.adaptation import answer, pooled_table

    with progress_bar() as progress:
        done = train_adaptation(cohort, output, AdaptOptions(release, IntakeOptions(tracer=tracer)), progress)
    for problem in done.problems:
        fail(str(problem))
    if as_json:
        say_json({**done.card.content, "sha256": done.card.record.sha256})
    else:
        table = pooled_table(done.card)
        rows = [tuple(cell.text for cell in row) for row in table.rows]
        say_table(table.title, tuple(column.title for column in table.columns), rows)
        for line in answer(done.card):
            say(line)
        say(f"card: {output / CARD_FILE}; report: {output / REPORT_FILE}")
        say(DISCLAIMER)
    if not done.lossless:
        raise typer.Exit(EXIT_SOME_NOT_USED)
