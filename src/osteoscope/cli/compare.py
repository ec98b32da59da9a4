"""`osteoscope compare`: dates of one patient."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osteoscope.cli.console import DISCLAIMER, progress_bar, say, say_json


def compare(
    studies: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more planar scans of one child, or two CTs of one patient, oldest first: the images of one "
            "study each (folder, zip, file), a reading.json, or a folder made by `osteoscope read`."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for response.json, .html and .pdf; made if absent.")
    ] = Path("osteoscope-response"),
    tracer: Annotated[
        str, typer.Option(help='Insist on a tracer that the header does not state, such as "mIBG".')
    ] = "",
    same_patient: Annotated[
        bool, typer.Option("--same-patient", help="Vouch that different patient ids are one patient.")
    ] = False,
    grown: Annotated[
        float,
        typer.Option(min=1.0, help="CT: a lesion is grown from this ratio of diameters on, shrunk from 1 over it."),
    ] = 1.2,
    sclerotic: Annotated[
        float, typer.Option(min=0.0, help="CT: a lytic or mixed lesion has turned sclerotic from this rise in HU on.")
    ] = 100.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print response.json instead of text.")] = False,
) -> None:
    """Compare dates of one patient.

    Planar mIBG: change per segment, relative scores, new and resolved lesions, INRC bone component. CT: every lesion
    new, grown, stable, shrunk, turned sclerotic or gone, matched through the motion of its bone.

    Exit code: 0 compared, 1 the studies cannot be compared (the message says why), 2 wrong usage.
    """
    from osteoscope.deliver.compare import CompareOptions, compare_dates
    from osteoscope.dicom.load import IntakeOptions
    from osteoscope.measure.lesion_change_record import ChangeOptions

    if len(studies) < 2:
        raise typer.BadParameter("give two or more studies, oldest first", param_hint="STUDIES")
    change = ChangeOptions(grown=grown, shrunk=1 / grown, sclerotic_hu=sclerotic)
    options = CompareOptions(IntakeOptions(tracer=tracer), same_patient, change)
    with progress_bar() as progress:
        compared = compare_dates(studies, output, options, progress)
    if as_json:
        say_json(compared.plain)
        return
    for line in (*compared.headline, *(f"Note: {note}" for note in compared.notes)):
        say(line)
    say(f"{output / 'response.html'}")
    say(DISCLAIMER)
