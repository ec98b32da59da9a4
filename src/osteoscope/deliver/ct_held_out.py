"""What a new lesion model is worth on the scans held out: read, evaluated, said in a sentence and on its card."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from osteoscope.deliver.ct_gain import CRITERION, Gain
from osteoscope.deliver.ct_prepared import READING_FILE, Prepared
from osteoscope.deliver.evaluation import Evaluated, EvaluationOptions, evaluate
from osteoscope.deliver.outputs import write_reading
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.errors import OutputError
from osteoscope.find.detection import Detection
from osteoscope.measure.size import size
from osteoscope.reading.plan_table import plan_for
from osteoscope.reading.read import read
from osteoscope.report.evaluation_wording import sentence
from osteoscope.report.wording import count
from osteoscope.train.ct_backgrounds import read_study

Progress = Callable[[str, int, int], None]
Detect = Callable[[Study, tuple[MappedSite, ...]], Detection]
TABLE = "held_out.csv"


def judge(
    cases: Sequence[Prepared], detect: Detect, folder: Path, how: tuple[EvaluationOptions, Progress]
) -> Evaluated:
    """Read the held-out scans as `osteoscope read` would, and evaluate as `osteoscope evaluate` does.

    A scan that could not be searched is a problem of the evaluation and counts as unread.
    """
    options, progress = how
    rows = [("study", "patient", "reference", "reading")]
    for number, case in enumerate(cases):
        progress(f"read {case.case.name}", number, len(cases))
        study = read_study(case.case.ct)
        plan = replace(
            plan_for(study), map_sites=case.bones_of, detect=detect, of_finding=(size,), of_site=(),
            of_study=(), models=tuple,
        )  # fmt: skip
        file = folder / "readings" / case.case.name / READING_FILE
        file.parent.mkdir(parents=True, exist_ok=True)
        write_reading(read(study, plan).reading, file)
        files = (str((case.folder / READING_FILE).resolve()), str(file.resolve()))
        rows.append((case.case.name, case.patient, *files))
    table = folder / TABLE
    with table.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return evaluate([table], folder, options, progress)


def complete(card: Path, after: Evaluated) -> None:
    """Write the held-out figures into the card."""
    detection, rate = after.evaluation.detection, after.evaluation.settings.rate
    patients = len({scan.patient for scan in detection.scans})
    figures = {
        f"sensitivity within {rate:g} false positives per scan, IoU > 0.1": "sensitivity_at_rate",
        "mean Dice of matched lesions, IoU > 0.1": "dice",
        "false positives per scan, all findings": "false_positives",
    }
    said = f"{count(len(detection.scans), 'held-out scan')} of {count(patients, 'patient')}, see evaluation/"
    shown = {name: f"{sentence(detection.find(CRITERION, key))}; {said}" for name, key in figures.items()}
    content = json.loads(card.read_text(encoding="utf-8"))
    try:
        card.write_text(json.dumps(content | {"figures": shown}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"write {card}", str(error), "Choose a folder that can be written with -o") from error


def verdict(before: Evaluated, after: Evaluated, gained: Gain) -> str:
    """Whether the new model is better than what it began with, in a sentence; and how many scans it did not read."""
    rate = after.evaluation.settings.rate
    found = [judged.evaluation.detection.find(CRITERION, "sensitivity_at_rate") for judged in (before, after)]
    unread = len(after.evaluation.detection.unread)
    lost = f" Not read, and left out of all figures: {count(unread, 'held-out scan')}." if unread else ""
    return (
        f"Sensitivity within {rate:g} false positives per held-out scan, IoU > 0.1: {sentence(found[0])} before, "
        f"{sentence(found[1])} with the new model; {gained}.{lost}"
    )
