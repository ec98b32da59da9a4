"""The commands."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osteoscope.cli import train
from osteoscope.cli.agree import agree
from osteoscope.cli.compare import compare
from osteoscope.cli.console import DISCLAIMER, progress_bar, say, say_json, say_table
from osteoscope.cli.evaluate import evaluate
from osteoscope.cli.report import report
from osteoscope.cli.serve import serve
from osteoscope.cli.strength import strength as load_bones

if TYPE_CHECKING:
    from osteoscope.deliver.batch import Batch

EXIT_NOTHING_READ = 4
EXIT_SOME_NOT_READ = 3
_MOST_LINES = 20

app = typer.Typer(
    help=f"Measures bone metastases on CT and scores 123I-mIBG scintigraphy (SIOPEN, Curie). {DISCLAIMER}",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Output = Annotated[Path, typer.Option("--output", "-o", help="Folder for the results; made if absent.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"osteoscope {version('osteoscope')}")
        raise typer.Exit


@app.callback()
def _common(
    _version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True)] = False,
) -> None:
    pass


@app.command()
def read(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            help="DICOM files, folders, zip archives or a DICOMDIR; NIfTI or NRRD volumes. Junk may be among them."
        ),
    ],
    output: Output = Path("osteoscope-out"),
    tracer: Annotated[
        str, typer.Option(help='Insist on a tracer that the header does not state, such as "mIBG".')
    ] = "",
    allow_gaps: Annotated[
        bool, typer.Option("--allow-gaps", help="Research override: fill missing slices by interpolation.")
    ] = False,
    dicom: Annotated[bool, typer.Option(help="Write DICOM SEG, SR, PDF and key images.")] = True,
    nifti: Annotated[
        bool, typer.Option("--nifti", help="Write lesions.nii.gz, bones.nii.gz and bones.json too.")
    ] = False,
    radiomics: Annotated[
        bool,
        typer.Option("--radiomics", help="Write IBSI features of CT lesions to radiomics.csv; seconds each, an extra."),
    ] = False,
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Read without trained models, by the classical methods alone.")
    ] = False,
    adapt: Annotated[
        Path | None, typer.Option(help="Adapt SIOPEN levels by an adaptation.json of `osteoscope train mibg`.")
    ] = None,
    score: Annotated[
        list[str] | None,
        typer.Option(help="Score under another choice, such as half_reaches_5=false; see the protocol. Repeatable."),
    ] = None,
    bones: Annotated[
        str,
        typer.Option(
            help='Who finds the bones of a CT: "totalsegmentator" or "nnunet:FOLDER", local weights and never a '
            "download; needs nnunetv2."
        ),
    ] = "",
    lesions: Annotated[
        Path | None, typer.Option(help="Who finds the lesions of a CT: a model of `osteoscope train ct`.")
    ] = None,
    strength: Annotated[
        bool,
        typer.Option("--strength", help="Compute the strength of femora and vertebrae with lesions; minutes each."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Read every study found in the inputs: reading.json, a report and DICOM objects for each.

    Exit code: 0 all studies read, 3 some not read, 4 none read, 1 the input is missing, 2 wrong usage.
    """
    from osteoscope.deliver.batch import BatchOptions, read_all
    from osteoscope.deliver.outputs import OutputOptions
    from osteoscope.dicom.load import IntakeOptions
    from osteoscope.measure.adaptation_card import Card

    intake = IntakeOptions(allow_gaps=allow_gaps, tracer=tracer)
    adaptation = Card.load(adapt) if adapt else None
    outputs = OutputOptions(dicom, nifti, radiomics)
    options = BatchOptions(intake, outputs, baseline, adaptation, tuple(score or ()), bones, lesions, strength)
    with progress_bar() as progress:
        batch = read_all(inputs, output, options, progress)
    if as_json:
        say_json(asdict(batch))
    else:
        rows = [(row.label, row.state, row.summary, row.folder) for row in batch.rows]
        say_table("Studies", ("study", "state", "result", "folder"), rows)
        lines = _left_out(batch)
        for line in lines[:_MOST_LINES]:
            say(line)
        if len(lines) > _MOST_LINES:
            say(f"and {len(lines) - _MOST_LINES} more files not read")
        say(f"{batch.read} of {len(batch.rows)} studies read; what became of each file: {output / 'intake.json'}")
        say(DISCLAIMER)
    refused = any(note.level == "refused" for note in batch.notes)
    if batch.read < len(batch.rows) or refused or not batch.rows:
        raise typer.Exit(EXIT_SOME_NOT_READ if batch.read else EXIT_NOTHING_READ)


def _left_out(batch: Batch) -> list[str]:
    """A line per file that was refused; where no study was found at all, per file that was passed over too."""
    levels = {"refused"} if batch.rows else {"refused", "set_aside"}
    by_file: dict[str, list[str]] = {}
    for note in batch.notes:
        if note.level in levels:
            by_file.setdefault(note.file, []).append(f"{note.problem} ({note.action})")
    return [f"not read: {file}: {'; '.join(dict.fromkeys(reasons))}" for file, reasons in by_file.items()]


@app.command()
def demo(
    output: Output = Path("osteoscope-demo"),
    open_report: Annotated[bool, typer.Option("--open", help="Open the reports in the browser.")] = False,
) -> None:
    """Simulate a child's mIBG scan and a CT with metastases, write them as DICOM, read them, report."""
    from osteoscope.deliver.demo import run_demo

    with progress_bar() as progress:
        reports = run_demo(output, progress)
    for made in reports:
        say(f"{made.summary}\n  {made.path.resolve()}")
        if open_report:
            typer.launch(str(made.path.resolve()))
    say(DISCLAIMER)


@app.command()
def simulate(
    kind: Annotated[str, typer.Argument(help='"planar" (a child\'s mIBG scan) or "ct" (an adult, any field of view).')],
    output: Output = Path("osteoscope-simulated"),
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many studies.")] = 1,
    seed: Annotated[
        int, typer.Option(min=0, help="First seed; study k uses seed + k. The same seed gives the same study.")
    ] = 0,
) -> None:
    """Write simulated studies as DICOM, each with its truth as reading.json.

    Exit code: 0 all studies made, 3 some not made, 4 none made, 1 the folder cannot be written, 2 wrong usage.
    """
    from osteoscope.deliver.simulated import write_simulated

    with progress_bar() as progress:
        made = write_simulated(kind, range(seed, seed + number), output, progress)
    for line in (*map(str, made.folders), *(f"not made: {fault}" for fault in made.faults)):
        say(line)
    if made.faults:
        raise typer.Exit(EXIT_SOME_NOT_READ if made.folders else EXIT_NOTHING_READ)


@app.command()
def doctor(output: Output = Path(), as_json: Json = False) -> None:
    """Say what is installed, which models are there, and whether the output folder can be written."""
    from osteoscope.cli.doctor import examine

    checks = examine(output)
    if as_json:
        say_json([asdict(check) for check in checks])
    else:
        rows = [(check.name, "ok" if check.ok else "FAULT", check.found) for check in checks]
        say_table("Doctor", ("what", "state", "found"), rows)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


app.command()(agree)
app.command()(compare)
app.command()(evaluate)
app.command()(report)
app.command()(serve)
app.command("strength")(load_bones)
app.add_typer(train.app, name="train")
