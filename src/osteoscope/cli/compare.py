"""`osteoscope compare`: two or more dates of one child."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osteoscope.cli.console import DISCLAIMER, progress_bar, say, say_json


def compare(
    studies: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more dates of one child, oldest first: DICOM of one planar study each (folder, zip, file), "
            "a reading.json, or a folder made by `osteoscope read`."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for response.json and response.html; made if absent.")
    ] = Path("osteoscope-response"),
    tracer: Annotated[
        str, typer.Option(help='Insist on a tracer that the header does not state, such as "mIBG".')
    ] = "",
    same_patient: Annotated[
        bool, typer.Option("--same-patient", help="Vouch that different patient ids are one child.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print response.json instead of text.")] = False,
) -> None:
    """Compare dates of one child: change per segment, relative scores, new and resolved lesions, INRC bone component.

    Exit code: 0 compared, 1 the studies cannot be compared (the message says why), 2 wrong usage.
    """
    from osteoscope.deliver.compare import CompareOptions, compare_studies
    from osteoscope.dicom.load import IntakeOptions
    from osteoscope.domain import codec
    from osteoscope.report.response_document import headline

    if len(studies) < 2:
        raise typer.BadParameter("give two or more studies, oldest first", param_hint="STUDIES")
    options = CompareOptions(IntakeOptions(tracer=tracer), same_patient)
    with progress_bar() as progress:
        response = compare_studies(studies, output, options, progress)
    if as_json:
        say_json(codec.encode(response))
        return
    for line in (*headline(response), *(f"Note: {note}" for note in response.notes)):
        say(line)
    say(f"{output / 'response.html'}")
    say(DISCLAIMER)
