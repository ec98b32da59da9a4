"""`osteoscope agree`: how far readers agree."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osteoscope.cli.console import DISCLAIMER, fail, progress_bar, say, say_json, say_table
from osteoscope.cli.options import Draws, Seed

EXIT_SOME_NOT_USED = 3


def agree(
    readers: Annotated[
        list[str],
        typer.Argument(
            metavar="READER...",
            help="Two or more readers, each a CSV (a row per study), a reading.json or a folder of them; "
            "NAME=PATH names a reader.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results; made if absent.")] = Path(
        "osteoscope-agreement"
    ),
    reference: Annotated[
        str, typer.Option(help="Name of the reader that the others are compared with; the first by default.")
    ] = "",
    draws: Draws = 2000,
    seed: Seed = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")] = False,
) -> None:
    """Compare readers of SIOPEN and Curie scores: agreement.json, a report, tables and figures for a paper.

    Studies are matched by study id, or by patient and study, else by patient and date, else by patient; what is not
    matched is listed.

    Exit code: 0 all rows used, 3 some rows not used, 1 the input cannot be compared, 2 wrong usage.
    """
    from osteoscope.deliver.agreement import AgreementOptions, compare_readers
    from osteoscope.stats.resampling import Resampling

    with progress_bar() as progress:
        done = compare_readers(readers, output, AgreementOptions(reference, Resampling(draws, seed)), progress)
    for problem in done.problems:
        fail(str(problem))
    if as_json:
        say_json(done.document)
    else:
        for table in done.printed:
            rows = [tuple(f"{c.text} ({c.detail})" if c.detail else c.text for c in row) for row in table.rows]
            say_table(table.title, tuple(column.title for column in table.columns), rows)
        cases, unmatched = (len(done.document[key]) for key in ("cases", "unmatched"))
        say(f"{cases} cases compared, {unmatched} not read by all; report: {output / 'agreement.html'}")
        say(DISCLAIMER)
    if not done.lossless:
        raise typer.Exit(EXIT_SOME_NOT_USED)
