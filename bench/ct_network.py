"""How right the lesion detectors of CT are on scans that none was trained on.

As a script, `python bench/ct_network.py CARD` judges a model that is not shipped yet beside the baseline.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from measure import SHARED
from osteoscope.dicom.writing import derived_uid
from osteoscope.domain.finding import Finding, Part, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite, regions_of
from osteoscope.domain.study import Patient, Study
from osteoscope.find import ct_lesion_network, ct_lesions
from osteoscope.find.ct_bones_network import map_bones
from osteoscope.find.ct_lesion_windows import MODEL, STEP_MM
from osteoscope.find.detection import Detection
from osteoscope.find.model import Model, is_shipped, shipped
from osteoscope.measure.size import size_of_mask
from osteoscope.simulate.ct import random_ct_recipe, simulate_ct
from osteoscope.stats.detection_figures import DetectionOptions, evaluate_detection
from osteoscope.stats.detection_scan import Lesion, Scan
from osteoscope.train.ct_backgrounds import find_real, read_study
from osteoscope.train.ct_held_out import with_implants
from osteoscope.train.ct_scans import LOOK_ALIKE, prepare

Figures = dict[str, Any]
Detect = Callable[[Study, tuple[MappedSite, ...]], Detection]
SEEDS = range(5200, 5208)
# Seeds of the copies of each real scan, each with other lesions put in.
COPIES = (8, 9, 10)
SMALLEST_MM = (5.0, 12.0)
# Confidence from which findings are counted: lower than a reading lists, so that 0.62 false positives are reached.
LEAST = 0.1
# Folder of real scans whose wrong findings were looked at while choices were made, though none was trained on.
LOOKED_AT = "acrin_flt_breast_001"


@dataclass(frozen=True, eq=False)
class Known:
    """A study with what is in it, and its bones as a reading maps them."""

    study: Study
    lesions: tuple[Lesion, ...]
    mapped: tuple[MappedSite, ...]


def simulated() -> Iterator[Known]:
    for seed in SEEDS:
        made = simulate_ct(random_ct_recipe(np.random.default_rng(seed)), seed)
        grid = made.study.images["ct"].grid
        yield Known(made.study, tuple(_lesion(f, grid) for f in made.reading.findings), map_bones(made.study))


def implanted() -> Iterator[Known]:
    """Real scans whose licence keeps them out of training, with lesions put in."""
    for real in find_real(SHARED / "ct") + find_real(SHARED / "ct_background"):
        if real.free:
            continue
        study = read_study(real.path)
        prepared = prepare(study, regions_of(map_bones(study)), (), ())
        grid = Grid.axial(prepared.hu.shape, (STEP_MM,) * 3)
        for seed in COPIES:
            scan = with_implants(prepared, np.random.default_rng(seed))
            made = Study(
                derived_uid(real.name, seed),
                "ct",
                "",
                Patient(real.path.parent.name),
                {"ct": Image(grid, scan.hu, "HU")},
            )
            numbers = [number for number in scan.numbers.tolist() if number < LOOK_ALIKE]
            lesions = [_marked(str(n), Region((Part.from_mask("ct", scan.label == n),)), grid) for n in numbers]
            yield Known(made, tuple(lesions), map_bones(made))


def _lesion(finding: Finding, grid: Grid) -> Lesion:
    return _marked(finding.id, finding.region, grid, finding.confidence, finding.kind, finding.site)


def _marked(
    name: str, region: Region, grid: Grid, confidence: float = 1.0, kind: str = "", site: str = ""
) -> Lesion:  # fmt: skip
    sizes = {measure.name: measure.value for measure in size_of_mask(region.parts[0].mask, grid)}
    return Lesion(name, region, confidence, kind, site, sizes["long_axis"], sizes["volume"])


def searched(case: Known, detect: Detect) -> Scan:
    """A study with what a detector finds in it."""
    grid = case.study.images["ct"].grid
    found = tuple(_lesion(finding, grid) for finding in detect(case.study, case.mapped).findings)
    return Scan(case.study.uid, case.study.patient.id, grid.spacing, case.lesions, found)


def judge(scans: Sequence[Scan]) -> Figures:
    """Sensitivity within 0.62 false positives per scan, with 95 % interval, and Dice of what matches, by least size."""
    figures: Figures = {}
    for smallest in SMALLEST_MM:
        made = evaluate_detection(scans, ("truth", "program"), DetectionOptions(smallest_mm=smallest))
        size = f"lesions of {smallest:g} mm or more"
        figures[size] = sum(row.counts for one in made.scans for row in one.lesions)
        for statistic in made.statistics:
            rule, value = statistic.scale, statistic.value
            if value is None:
                continue
            if statistic.name == "sensitivity_at_rate" and rule != "iou_0.5":
                low, high = statistic.intervals[0].low, statistic.intervals[0].high
                key = f"{size}, sensitivity at 0.62 false positives per scan, {rule}"
                figures[key] = f"{value:.3f} ({low:.2f} to {high:.2f})"
            if statistic.name == "dice" and rule == "iou_0.1":
                figures[f"{size}, Dice of those matched, iou_0.1"] = round(value, 3)
    return figures


def compare(model: Model | None) -> Figures:
    """Figures of the baseline and, where there is one, of a model, on both sets."""
    ways: dict[str, Detect] = {"baseline": ct_lesions.find_lesions}
    if model is not None:
        longer = ct_lesion_network.NetworkOptions(least_confidence=LEAST)
        ways["network"] = partial(ct_lesion_network.find_lesions, options=longer, model=model)
    figures: Figures = {}
    for set_name, made in (("simulated", simulated()), ("implanted in real scans", implanted())):
        cases = list(made)
        for way, detect in ways.items():
            scans = [searched(case, detect) for case in cases]
            unseen = [scan for scan in scans if scan.patient != LOOKED_AT]
            sets = {set_name: scans}
            if len(unseen) < len(scans):
                sets[f"{set_name} never looked at"] = unseen
            for name, some in sets.items():
                if some:
                    figures |= {f"{way}, {name}: {key}": value for key, value in judge(some).items()}
    return figures


def ct_lesions_held_out() -> Figures:
    """Lesion detectors of CT on new simulated scans, and on real scans never trained on with lesions put in.

    Wrong findings of the scans of one real patient were looked at while choices were made; those of the others never.
    """
    return compare(shipped(MODEL) if is_shipped(MODEL) else None)


ROWS: Mapping[str, Callable[[], Figures]] = MappingProxyType({"ct_lesions_held_out": ct_lesions_held_out})

if __name__ == "__main__":
    for key, value in compare(Model.load(Path(sys.argv[1]))).items():
        print(f"{key}: {value}")
