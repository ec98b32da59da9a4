"""How right the baselines are: against references where there are any, against the truth of simulations elsewhere."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from measure import SHARED
from osteoscope.dicom.load import IntakeOptions, load, scan
from osteoscope.domain.reading import Case, Reading
from osteoscope.domain.study import Study
from osteoscope.find.ct_names import map_bones
from osteoscope.reading.read import read
from osteoscope.simulate.ct import random_ct_recipe, simulate_ct
from osteoscope.stats.detection import match

Figures = dict[str, Any]
TRUNKS = range(5000, 5006)

# Labels of TotalSegmentator's default task that are bone, by its published class table (v2).
BONE_LABELS = (*range(25, 51), *range(69, 79), 91, *range(92, 117))
BONE_LABELS_V1 = (7, 8, 13, 14, 27, 28, 29, 30, *range(49, 75), *range(81, 105))


def real_study(path: Path) -> Study:
    """The one study of a file or folder."""
    with tempfile.TemporaryDirectory() as scratch:
        found = scan(path, Path(scratch), IntakeOptions())
        study = load(found.candidates[0], Path(scratch), IntakeOptions()).study
        assert study is not None
        return study


def _bone_mask(study: Study) -> NDArray[np.bool_]:
    whole = np.zeros(study.images["ct"].grid.shape, dtype=bool)
    for mapped in map_bones(study):
        if mapped.region is not None:
            part = mapped.region.parts[0]
            whole[part.box] |= part.mask
    return whole


def _dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return round(float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))), 3)


def bone_mask() -> Figures:
    """Dice of the bone mask with TotalSegmentator's automatic labels (network output, not expert truth)."""
    folder = SHARED / "ct" / "totalsegmentator_tests"
    if not folder.exists():
        return {"skipped": "reference data ../shared/data is absent"}
    cases = {
        "example_ct, v1 labels": ("example_ct.nii.gz", "example_ct_seg_v1_104classes.nii.gz", BONE_LABELS_V1),
        "example_ct_sm": ("example_ct_sm.nii.gz", "example_seg.nii.gz", BONE_LABELS),
        "example_ct_dicom": ("example_ct_dicom.nii.gz", "example_seg_dicom.nii.gz", BONE_LABELS),
    }
    figures: Figures = {}
    for name, (image, labels, bones) in cases.items():
        grid = SimpleITK.ReadImage(str(folder / image))
        aligned = SimpleITK.Resample(
            SimpleITK.ReadImage(str(folder / labels)), grid, interpolator=SimpleITK.sitkNearestNeighbor
        )
        reference = np.isin(SimpleITK.GetArrayFromImage(aligned), bones)
        figures[f"Dice, {name}"] = _dice(_bone_mask(real_study(folder / image)), reference)
    return figures


def natural_findings() -> Figures:
    """Candidates per real CT without known bone lesions: false positives on natural findings, as far as is known."""
    paths = sorted((SHARED / "ct_background").glob("*/ct.nii.gz"))
    if not paths:
        return {"skipped": "reference data ../shared/data is absent"}
    found = {path.parent.name: read(real_study(path)).reading.findings for path in paths}
    counts: Figures = {name: len(findings) for name, findings in found.items()}
    counts["of confidence >= 0.5"] = sum(f.confidence >= 0.5 for findings in found.values() for f in findings)
    return counts


@dataclass(frozen=True)
class Pair:
    """A simulated study as read, and its truth."""

    truth: Reading
    reading: Reading
    case: Case


def _trunks() -> Iterator[Pair]:
    for seed in TRUNKS:
        made = simulate_ct(random_ct_recipe(np.random.default_rng(seed)), seed)
        outcome = read(made.study)
        yield Pair(made.reading, outcome.reading, outcome.case)


def ct_lesions() -> Figures:
    """Lesions of simulated trunks: sensitivity, false positives, volume and site, at IoU > 0.1, one to one."""
    hits: Counter[str] = Counter()
    total: Counter[str] = Counter()
    ratios, sites, surplus = [], [], 0
    for pair in _trunks():
        result = match(pair.truth.findings, pair.reading.findings, minimum_iou=0.1)
        surplus += len(result.surplus)
        total.update(f.kind for f in pair.truth.findings)
        for index, found, _ in result.pairs:
            truth, reading = pair.truth.findings[index], pair.reading.findings[found]
            hits[truth.kind] += 1
            sites.append(truth.site == reading.site)
            volumes = [next(m.value for m in f.measures if m.name == "volume") for f in (truth, reading)]
            ratios.append(abs(volumes[1] / volumes[0] - 1))
    figures: Figures = {f"sensitivity, {kind}": f"{hits[kind]} of {total[kind]}" for kind in sorted(total)}
    return figures | {
        "sensitivity": round(hits.total() / total.total(), 3),
        "false positives per scan": round(surplus / len(TRUNKS), 2),
        "bone named right": round(float(np.mean(sites)), 3) if sites else None,
        "median volume error": f"{100 * float(np.median(ratios)):.0f} %" if ratios else None,
    }


ROWS: Mapping[str, Callable[[], Figures]] = MappingProxyType(
    {row.__name__: row for row in (bone_mask, natural_findings, ct_lesions)}
)
