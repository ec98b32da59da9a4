"""`osteoscope train`: learning from a hospital's own data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osteoscope.cli.console import DISCLAIMER, fail, progress_bar, say, say_json, say_table
from osteoscope.errors import InvalidValueError

if TYPE_CHECKING:
    from osteoscope.deliver.ct_training import Trained
    from osteoscope.deliver.ratings import Problem

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


@app.command()
def ct(
    dataset: Annotated[
        Path,
        typer.Argument(
            help="Folder with a folder per case (the CT, and lesions.nii.gz, a DICOM SEG, an RT structure set or a "
            "corrected reading.json), or a CSV with the columns ct, lesions, and bones, patient, name if you like."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the model and all that is needed to resume.")
    ] = Path("osteoscope-ct-training"),
    steps: Annotated[int, typer.Option(min=1, help="Steps of the optimiser over the whole run.")] = 4000,
    batch: Annotated[int, typer.Option(min=1, help="Pieces of scans per step.")] = 3,
    start: Annotated[
        Path | None, typer.Option(help="Model to go on from: a folder or card; by default the shipped one, if any.")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Begin with a new network.")] = False,
    width: Annotated[
        int | None, typer.Option(min=8, help="Features of a new network's first level, 32 by default; with --anew.")
    ] = None,
    lesions: Annotated[
        str, typer.Option(help="Regular expression of the labels of DICOM masks that are lesions.")
    ] = "",
    held_out: Annotated[
        float, typer.Option(min=0.05, max=0.45, help="Share of the patients held out; as many calibrate.")
    ] = 0.2,
    nnunet: Annotated[
        Path | None, typer.Option(help="Write the dataset in the format of nnU-Net v2 here, and train nothing.")
    ] = None,
    release: Annotated[str, typer.Option(help="Version that the card and the Readings made with it will name.")] = "1",
    draws: Annotated[int, typer.Option(min=100, help="Resamples of the intervals of the held-out figures.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of the split and of the examples.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the card, or with --nnunet what was written, instead of text.")
    ] = False,
) -> None:
    """Train the lesion network of CT on a hospital's marked scans: from the shipped model, or anew.

    Scans are split by patient. Run it again to resume. `osteoscope read --lesions OUTPUT/model` reads with the result.

    Exit code: 0 all cases used, 3 some cases not used, 1 the input cannot be used, 2 wrong usage.
    """
    from osteoscope.deliver.ct_label_names import checked_names

    if anew and start is not None:
        raise typer.BadParameter("it is not used with --anew: give one of the two", param_hint="--start")
    if width is not None and not anew:
        raise typer.BadParameter("it is that of a new network: give --anew too", param_hint="--width")
    try:
        checked_names(lesions)
    except InvalidValueError as error:
        raise typer.BadParameter(f"{error.found}. {error.remedy}", param_hint="--lesions") from error
    if nnunet is not None:
        _export(dataset, nnunet, lesions, as_json)
        return
    from osteoscope.deliver.ct_training import TrainOptions, train_ct
    from osteoscope.deliver.evaluation import EvaluationOptions
    from osteoscope.stats.detection_figures import DetectionOptions
    from osteoscope.stats.resampling import Resampling
    from osteoscope.train.ct_lesion_tune import TuneOptions

    tune = TuneOptions(steps=steps, batch=batch, seed=seed)
    if width is not None:
        tune = replace(tune, width=width)
    evaluation = EvaluationOptions(DetectionOptions(resampling=Resampling(draws, seed)))
    options = TrainOptions(tune, start, anew, lesions, held_out, release, evaluation)
    with progress_bar() as progress:
        done = train_ct(dataset, output, options, progress)
    if as_json:
        say_json(json.loads(done.card.read_text(encoding="utf-8")))
    else:
        _say_trained(done, output)
    _end(done.problems)


def _export(dataset: Path, folder: Path, lesions: str, as_json: bool) -> None:
    from osteoscope.deliver.nnunet_dataset import write_nnunet

    with progress_bar() as progress:
        exported = write_nnunet(dataset, folder, lesions, progress)
    if as_json:
        problems = [str(problem) for problem in exported.problems]
        say_json({"folder": str(exported.folder), "cases": exported.cases, "problems": problems})
    else:
        say(f"{len(exported.cases)} cases in {exported.folder}; splits_final.json goes into nnUNet_preprocessed")
    _end(exported.problems)


def _say_trained(done: Trained, output: Path) -> None:
    for line in done.lines[-1:]:
        say("  ".join(f"{name} {value:g}" for name, value in line.items()))
    for title, judged in (("before", done.before), ("with the new model", done.after)):
        table = judged.report.sections[0].tables[0]
        say(f"Held-out scans, {title}:")
        rows = [tuple(f"{c.text} ({c.detail})" if c.detail else c.text for c in row) for row in table.rows]
        say_table("", tuple(column.title for column in table.columns), rows)
    say(done.verdict)
    say(f"model: {done.card.parent}; held-out figures: {output / 'evaluation' / 'evaluation.html'}")
    say(DISCLAIMER)


def _end(problems: Sequence[Problem]) -> None:
    for problem in problems:
        fail(str(problem))
    if any(problem.lost for problem in problems):
        raise typer.Exit(EXIT_SOME_NOT_USED)
