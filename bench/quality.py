"""How right the baselines are: against references where there are any, against the truth of simulations elsewhere."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from measure import SHARED
from osteoscope.domain.reading import Case, MappedSite, Reading
from osteoscope.domain.study import Study
from osteoscope.errors import OsteoscopeError
from osteoscope.find.ct_bone_tables import TOTALSEGMENTATOR, label_of_class
from osteoscope.reading.ct_plans import CT_BASELINE, CT_PLAN
from osteoscope.reading.plan import Plan
from osteoscope.reading.read import read
from osteoscope.simulate.ct import random_ct_recipe, simulate_ct
from osteoscope.stats.detection import match
from osteoscope.train.ct_backgrounds import find_real, read_study

Figures = dict[str, Any]
TRUNKS, FIELDS = range(5000, 5006), range(8000, 8006)


def _bones(study: Study, plan: Plan) -> tuple[NDArray[np.intp], list[str]]:
    """Every voxel's bone, 0 for none, and their names: label n is ``names[n - 1]``."""
    mapped = plan.map_sites(study)
    return _painted(mapped, study.images["ct"].grid.shape), [site.site for site in mapped]


def _painted(mapped: Sequence[MappedSite], shape: tuple[int, ...]) -> NDArray[np.intp]:
    """1 + the number of the site that each voxel is of, 0 for none."""
    labels = np.zeros(shape, dtype=np.intp)
    for number, site in enumerate(mapped, start=1):
        for part in site.region.parts if site.region else ():
            labels[part.box][part.mask] = number
    return labels


def _dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return round(float(2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))), 3)


def bone_mask() -> Figures:
    """The bone mask and its names against TotalSegmentator's automatic labels (network output, not expert truth).

    Voxels by name are those of the bone that both show; ribs that the field cuts off from the spine have no number.
    The network learned from example_ct_dicom, and from neither of the others.
    """
    folder = SHARED / "ct" / "totalsegmentator_tests"
    if not folder.exists():
        return {"skipped": "reference data ../shared/data is absent"}
    listed = json.loads((folder / "example_ct_seg_v1_labels.json").read_text(encoding="utf-8"))
    v1 = {int(number): site for number, (name, _) in listed.items() if (site := label_of_class(name))}
    cases = {
        "example_ct, v1 labels": ("example_ct.nii.gz", "example_ct_seg_v1_104classes.nii.gz", v1),
        "example_ct_sm": ("example_ct_sm.nii.gz", "example_seg.nii.gz", TOTALSEGMENTATOR),
        "example_ct_dicom": ("example_ct_dicom.nii.gz", "example_seg_dicom.nii.gz", TOTALSEGMENTATOR),
    }
    figures: Figures = {}
    for name, (image, labels, sites) in cases.items():
        grid = SimpleITK.ReadImage(str(folder / image))
        aligned = SimpleITK.Resample(
            SimpleITK.ReadImage(str(folder / labels)), grid, interpolator=SimpleITK.sitkNearestNeighbor
        )
        reference = SimpleITK.GetArrayFromImage(aligned)
        bone = np.isin(reference, list(sites))
        study = read_study(folder / image)
        for plan in (CT_PLAN, CT_BASELINE):
            found, names = _bones(study, plan)
            figures[f"Dice, {name}, {plan.name}"] = _dice(found > 0, bone)
            truth = np.where(bone, reference, 0)
            shares = _by_name(truth, sites, found, names)
            figures[f"voxels by name, {name}, {plan.name}"] = "; ".join(f"{a} {s:.3f}" for a, s in shares.items())
    return figures


def _by_name(
    truth: NDArray[np.integer[Any]], sites: Mapping[int, str], found: NDArray[np.intp], names: Sequence[str]
) -> dict[str, float]:
    """Of the voxels that are bone in both: the share that is named right, not named, and named wrong."""
    both = (truth > 0) & (found > 0)
    pairs = Counter(zip(truth[both].tolist(), found[both].tolist(), strict=True))
    of_name = Counter[str]()
    for (label, number), count in pairs.items():
        said = names[number - 1]
        of_name["right" if said == sites[label] else "unknown" if "unknown" in said else "wrong"] += count
    return {answer: round(of_name[answer] / pairs.total(), 3) for answer in ("right", "unknown", "wrong")}


def bone_names() -> Figures:
    """The same of simulated scans of any field, 6 never learned from, against the truth: means over scans."""
    sums: dict[str, dict[str, float]] = {plan.name: defaultdict(float) for plan in (CT_PLAN, CT_BASELINE)}
    for seed in FIELDS:
        made = simulate_ct(random_ct_recipe(np.random.default_rng(seed)), seed)
        truth = _painted(made.mapped, made.study.images["ct"].grid.shape)
        sites = dict(enumerate((site.site for site in made.mapped), start=1))
        for plan in (CT_PLAN, CT_BASELINE):
            found, names = _bones(made.study, plan)
            sums[plan.name]["Dice"] += _dice(found > 0, truth > 0)
            for answer, share in _by_name(truth, sites, found, names).items():
                sums[plan.name][answer] += share
    return {f"{name}, {plan}": round(v / len(FIELDS), 3) for plan, each in sums.items() for name, v in each.items()}


def natural_findings() -> Figures:
    """Findings per real CT without known bone lesions: false positives on natural findings, as far as is known."""
    reals = find_real(SHARED / "ct") + find_real(SHARED / "ct_background")
    if not reals:
        return {"skipped": "reference data ../shared/data is absent"}
    counts: Figures = {}
    of_group: dict[str, list[int]] = defaultdict(list)
    for real in reals:
        try:
            findings = read(read_study(real.path)).reading.findings
        except OsteoscopeError as error:
            counts[f"{real.name}, not read"] = str(error)
            continue
        group = "of free licence, for training" if real.free else "never trained on"
        counts[f"{real.name}, {group}"] = len(findings)
        of_group[group].append(len(findings))
    for group, numbers in of_group.items():
        counts[f"a scan {group}"] = round(float(np.mean(numbers)), 2)
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
    """Lesions of simulated trunks: sensitivity, false positives, size, type and site, at IoU > 0.1, one to one."""
    hits: Counter[str] = Counter()
    total: Counter[str] = Counter()
    volumes, axes, kinds, sites, surplus = [], [], [], [], 0
    for pair in _trunks():
        result = match(pair.truth.findings, pair.reading.findings, minimum_iou=0.1)
        surplus += len(result.surplus)
        total.update(f.kind for f in pair.truth.findings)
        for index, found, _ in result.pairs:
            truth, reading = pair.truth.findings[index], pair.reading.findings[found]
            hits[truth.kind] += 1
            sites.append(truth.site == reading.site)
            kinds.append(truth.kind == reading.kind)
            true, measured = ({m.name: m.value for m in finding.measures} for finding in (truth, reading))
            volumes.append(abs(measured["volume"] / true["volume"] - 1))
            axes.append(abs(measured["long_axis"] - true["long_axis"]))
    figures: Figures = {f"sensitivity, {kind}": f"{hits[kind]} of {total[kind]}" for kind in sorted(total)}
    return figures | {
        "sensitivity": round(hits.total() / total.total(), 3),
        "false positives per scan": round(surplus / len(TRUNKS), 2),
        "bone named right": round(float(np.mean(sites)), 3) if sites else None,
        "type right": round(float(np.mean(kinds)), 3) if kinds else None,
        "median volume error": f"{100 * float(np.median(volumes)):.0f} %" if volumes else None,
        "median error of the long axis": f"{float(np.median(axes)):.1f} mm" if axes else None,
    }


ROWS: Mapping[str, Callable[[], Figures]] = MappingProxyType(
    {row.__name__: row for row in (bone_mask, bone_names, natural_findings, ct_lesions)}
)
