"""The strength of bones of one CT into a folder: strength.json, a report, the meshes for other solvers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

from osteoscope.deliver.result_files import write_results
from osteoscope.deliver.strength_inputs import Drawn, case_of
from osteoscope.deliver.strength_record import StrengthRecord, record_of
from osteoscope.domain import codec
from osteoscope.domain.finding import Measure
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, Gap
from osteoscope.errors import OsteoscopeError, OutputError, UnsuitableStudyError
from osteoscope.fe.bone import Bone, bone_from
from osteoscope.fe.cases import case_for
from osteoscope.fe.density import Calibration, by_air_fat_muscle, from_rods, nominal
from osteoscope.fe.export import write_inp, write_vtu
from osteoscope.fe.laws import Phantom, law_for
from osteoscope.fe.mesh import Material
from osteoscope.fe.strength import strength
from osteoscope.fe.strength_record import Setting, Strength
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.parts import Document
from osteoscope.report.pdf import write_pdf
from osteoscope.report.strength import Tried, build_strength
from osteoscope.report.strength_figures import drawings

Progress = Callable[[str, int, int], None]
_SIDES = {"_left": "_right", "_right": "_left"}
_MOST_VALUES = 2_000_000


@dataclass(frozen=True)
class StrengthRequest:
    """What is asked.

    Args:
        sites: bones.
        case, law: names in their tables, "" for a bone's defaults.
        rods: density in mg/cm3 -> mean HU of the rods of a phantom.
        phantom: what the rods are made of.
        calibrate: whether the patient's own tissues may calibrate.
        element_mm: size of elements, 0 for the case's own.
        interval: whether to give intervals.
        other_side: whether to test the other side too, where it is in the field.
        weight_kg: overrides what the header says.
        drawn: masks from elsewhere.
    """

    sites: tuple[str, ...]
    case: str = ""
    law: str = ""
    rods: Mapping[float, float] = field(default_factory=dict)
    phantom: Phantom = "K2HPO4"
    calibrate: bool = True
    element_mm: float = 0.0
    interval: bool = True
    other_side: bool = True
    weight_kg: float | None = None
    drawn: Drawn = field(default_factory=Drawn)


@dataclass(frozen=True, eq=False)
class Tested:
    """What came of it: the record as written, and the results behind it."""

    record: StrengthRecord
    results: tuple[Strength, ...]


def compute_strength(paths: Sequence[Path], folder: Path, request: StrengthRequest, progress: Progress) -> Tested:
    """Test the bones of one CT and write the result; a bone that cannot be tested is refused, the others stand.

    Args:
        paths: a CT, and a folder with its reading if there is one.
        folder: for the results; made if absent.
        request: what is asked.
        progress: called with (step, done, of).

    Raises:
        IntakeError: not one CT, or a reading or masks of another.
        OutputError: the folder cannot be written.
    """
    clock = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        case = case_of(paths, request.drawn, Path(scratch), progress)
        results, refused = _test_all(case, request, progress)
        more = {site: _more(site, results, request) for site in results}
        bones = tuple(record_of(found, more[site]) for site, found in results.items())
        record = StrengthRecord(
            DISCLAIMER, f"osteoscope {version('osteoscope')}", case.study.uid, bones, tuple(refused),
            round(time.perf_counter() - clock, 1),
        )  # fmt: skip
        tried = [Tried(found, (*more[site], *bone.estimates), tuple(drawings(found)))
                 for (site, found), bone in zip(results.items(), bones, strict=True)]  # fmt: skip
        _write(record, build_strength(case.study, tried, refused), tried, folder)
    return Tested(record, tuple(results.values()))


def _test_all(case: Case, request: StrengthRequest, progress: Progress) -> tuple[dict[str, Strength], list[Gap]]:
    results: dict[str, Strength] = {}
    refused: list[Gap] = []
    others = [site for site in map(_other, request.sites) if request.other_side and site and case.place(site)]
    for site in dict.fromkeys([*request.sites, *others]):
        try:
            results[site] = _test(case, site, request, progress)
        except OsteoscopeError as error:
            refused.append(Gap(site, error.asked, f"{error.found}. {error.remedy}."))
    return results, refused


def _test(case: Case, site: str, request: StrengthRequest, progress: Progress) -> Strength:
    load_case = case_for(site, request.case)
    law = law_for(site, request.law)
    bone = bone_of(case, site)
    calibration, gap = calibration_for(case, bone, request)
    weight = request.weight_kg or case.study.patient.weight_kg
    interval = None if request.interval and site in request.sites else 0.0
    setting = Setting(load_case, Material(law, calibration), request.element_mm, interval, weight)
    found = strength(bone, setting, progress)
    return Strength(**{**found.__dict__, "gaps": (*found.gaps, *gap)})


def bone_of(case: Case, site: str) -> Bone:
    """A mapped bone with those findings that lie in it.

    Raises:
        UnsuitableStudyError: the bone is not in the field, or has metal, or two pieces.
    """
    place = case.place(site)
    part = place.region.on("ct") if place is not None and place.region is not None else None
    if part is None:
        known = [m.site for m in case.mapped if m.region is not None]
        raise UnsuitableStudyError(f"load {site}", "no such bone found on the CT", f"Found are {known}")
    lesions = [(f.id, lesion) for f in case.findings if f.site == site and (lesion := f.region.on("ct")) is not None]
    return bone_from(case.study.images["ct"], site, part, lesions)


def calibration_for(case: Case, bone: Bone, request: StrengthRequest) -> tuple[Calibration, tuple[Gap, ...]]:
    """By rods where given, else by the patient's air, fat and muscle, else nominal; and why, where it is nominal."""
    made = case.study.acquisition
    gap: tuple[Gap, ...] = ()
    if request.rods:
        found = from_rods(list(request.rods.values()), [d / 1000 for d in request.rods], request.phantom)
    elif request.calibrate:
        try:
            found = by_air_fat_muscle(_around(case.study.images["ct"], bone))
        except UnsuitableStudyError as error:
            found, gap = nominal(), (Gap(bone.site, "calibration", f"{error.found}. {error.remedy}."),)
    else:
        found = nominal()
    return found.noting(made.kvp, made.contrast_agent), gap


def _around(image: Image, bone: Bone) -> np.ndarray:
    """Values of the slices that show the bone, thinned."""
    heights = image.grid.to_index(bone.positions)[:, 0]
    slab = image.values[max(0, int(heights.min())) : int(heights.max()) + 1]
    step = max(1, int(np.ceil((slab.size / _MOST_VALUES) ** (1 / 3))))
    return np.asarray(slab[::step, ::step, ::step])


def _other(site: str) -> str:
    return next((site.removesuffix(end) + other for end, other in _SIDES.items() if site.endswith(end)), "")


def _more(site: str, results: Mapping[str, Strength], request: StrengthRequest) -> tuple[Measure, ...]:
    """Measures made of both sides."""
    other = results.get(_other(site)) if request.other_side and site in request.sites else None
    if other is None:
        return ()
    ratio = results[site].curve.failure_load / other.curve.failure_load
    return (Measure("strength_of_other_side", 100 * ratio, "%", f"failure load over that of {other.site}"),)


def _write(record: StrengthRecord, report: Document, tried: Sequence[Tried], folder: Path) -> None:
    figures = [drawing for one in tried for drawing in one.figures]
    write_results(codec.encode(record), report, figures, {}, (folder, "strength"))
    write_pdf(report, folder / "strength.pdf")
    try:
        (folder / "meshes").mkdir(exist_ok=True)
        for one in tried:
            found = one.found
            write_inp(found.trial, found.setting.material.law.poisson, folder / "meshes" / f"{found.site}.inp")
            write_vtu(found.trial, found.curve, folder / "meshes" / f"{found.site}.vtu")
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), "Choose a folder that can be written with -o") from error
