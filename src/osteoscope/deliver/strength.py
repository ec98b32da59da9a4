"""The strength of bones of one CT into a folder: strength.json, a report, the meshes for other solvers."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from osteoscope.deliver.result_files import write_results
from osteoscope.deliver.strength_inputs import Drawn, case_of
from osteoscope.deliver.strength_record import StrengthRecord, record_of
from osteoscope.domain import codec
from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Case, Gap
from osteoscope.errors import OsteoscopeError, OutputError, UnsuitableStudyError
from osteoscope.fe.export import write_inp, write_tets_inp, write_tets_vtu, write_vtu
from osteoscope.fe.strength_record import Strength
from osteoscope.fe.tet_model import TetModel, tetrahedra
from osteoscope.reading.strength import BoneLoading, load_bone
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.parts import Document
from osteoscope.report.pdf import write_pdf
from osteoscope.report.strength import Tried, build_strength
from osteoscope.report.strength_figures import drawings

Measures = tuple[Measure, ...]
Progress = Callable[[str, int, int], None]
# Tetrahedra in a bone for each cube of their edge; more of them than this take more than 8 GB.
_TETS_IN_CUBE, _MOST_TETS = 16, 4e6
# A low lesion lengthens the model of one side by up to 70 %, which moves its load by about 1 %: told beyond this.
_ALIKE = 0.05
_SIDES = {"_left": "_right", "_right": "_left"}


@dataclass(frozen=True)
class StrengthRequest:
    """What is asked.

    Args:
        sites: bones.
        how: each is loaded.
        other_side: whether to test the other side too, where it is in the field.
        drawn: masks from elsewhere.
        tets_mm: edge of tetrahedra to be exported beside the bricks, 0 for none.
    """

    sites: tuple[str, ...]
    how: BoneLoading = field(default_factory=BoneLoading)
    other_side: bool = True
    drawn: Drawn = field(default_factory=Drawn)
    tets_mm: float = 0.0


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
    with tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        case, gaps = case_of(paths, request.drawn, Path(scratch), progress)
        return load_bones(case, folder, request, progress, gaps)


def load_bones(
    case: Case, folder: Path, request: StrengthRequest, progress: Progress, gaps: Sequence[Gap] = ()
) -> Tested:
    """As `compute_strength`, of a Case that is at hand; ``gaps`` of its making are told once."""
    clock = time.perf_counter()
    results, refused = _test_all(case, request, progress)
    meshed = {site: _meshed(found, request.tets_mm) for site, found in results.items()}
    results = {site: found for site, (found, _) in meshed.items()}
    more = {site: _more(site, results, request) for site in results}
    for site, (_, gaps_of_both) in more.items():
        results[site] = replace(results[site], gaps=(*results[site].gaps, *gaps_of_both))
    bones = tuple(record_of(found, more[site][0]) for site, found in results.items())
    record = StrengthRecord(
        DISCLAIMER, f"osteoscope {version('osteoscope')}", case.study.uid, bones, tuple(refused),
        round(time.perf_counter() - clock, 1), tuple(gaps),
    )  # fmt: skip
    tried = [Tried(replace(found, gaps=bone.gaps), (*more[site][0], *bone.estimates), tuple(drawings(found)))
             for (site, found), bone in zip(results.items(), bones, strict=True)]  # fmt: skip
    _write(record, build_strength(case.study, tried, refused, gaps), tried, folder)
    _write_meshes(meshed, folder / "meshes")
    return Tested(record, tuple(results.values()))


def _test_all(case: Case, request: StrengthRequest, progress: Progress) -> tuple[dict[str, Strength], list[Gap]]:
    results: dict[str, Strength] = {}
    refused: list[Gap] = []
    others = [site for site in map(_other, request.sites) if request.other_side and site and case.place(site)]
    for site in dict.fromkeys([*request.sites, *others]):
        try:
            results[site] = load_bone(case, site, _how(site, results, request), progress)
        except OsteoscopeError as error:
            refused.append(Gap(site, error.asked, f"{error.found}. {error.remedy}."))
    return results, refused


def _other(site: str) -> str:
    return next((site.removesuffix(end) + other for end, other in _SIDES.items() if site.endswith(end)), "")


def _how(site: str, results: Mapping[str, Strength], request: StrengthRequest) -> BoneLoading:
    """A bone that is only compared with is loaded without interval, and calibrated as the one that it is compared
    with."""
    if site in request.sites:
        return request.how
    first = results.get(_other(site))
    calibration = first.setting.material.calibration if first else None
    return replace(request.how, interval=False, landmarks={}, calibration=calibration)


def _more(site: str, results: Mapping[str, Strength], request: StrengthRequest) -> tuple[Measures, tuple[Gap, ...]]:
    """Measures made of both sides, and why there are none where both were tested."""
    other = results.get(_other(site)) if request.other_side and site in request.sites else None
    if other is None:
        return (), ()
    own, name = results[site], "strength_of_other_side"
    calibrations = [found.setting.material.calibration for found in (own, other)]
    if not calibrations[0].alike(calibrations[1]):
        reason = f"{other.site} is calibrated otherwise ({calibrations[1].method}) than this ({calibrations[0].method})"
        return (), (Gap(site, name, reason),)
    lengths = [found.trial.length for found in (own, other)]
    unlike = abs(lengths[0] / lengths[1] - 1) > _ALIKE
    models = f", models of {lengths[0]:.0f} and {lengths[1]:.0f} mm" if unlike else ""
    ratio = 100 * own.curve.failure_load / other.curve.failure_load
    return (Measure(name, ratio, "%", f"failure load over that of {other.site}{models}"),), ()


def _write(record: StrengthRecord, report: Document, tried: Sequence[Tried], folder: Path) -> None:
    figures = [drawing for one in tried for drawing in one.figures]
    write_results(codec.encode(record), report, figures, {}, (folder, "strength"))
    write_pdf(report, folder / "strength.pdf")


def _meshed(found: Strength, edge: float) -> tuple[Strength, TetModel | None]:
    """A result with its tetrahedra; a gap where there are none."""
    if not edge:
        return found, None
    try:
        _check_number(found, edge)
        return found, tetrahedra(found.bone, found.setting.material, found.trial, edge)
    except OsteoscopeError as error:
        gap = Gap(found.site, "tetrahedra", f"{error.found}. {error.remedy}.")
        return replace(found, gaps=(*found.gaps, gap)), None


def _check_number(found: Strength, edge: float) -> None:
    volume = np.count_nonzero(found.bone.mask) * found.bone.grid.cell
    number = _TETS_IN_CUBE * volume / edge**3
    if number > _MOST_TETS:
        least = np.ceil(10 * (_TETS_IN_CUBE * volume / _MOST_TETS) ** (1 / 3)) / 10
        said = f"about {number / 1e6:.3g} million tetrahedra at edges of {edge:g} mm, {_MOST_TETS / 1e6:g} million fit"
        raise UnsuitableStudyError(f"mesh {found.site}", said, f"Give edges of {least:g} mm or longer")


def _write_meshes(meshed: Mapping[str, tuple[Strength, TetModel | None]], folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
        for site, (found, tets) in meshed.items():
            poisson = found.setting.material.law.poisson
            write_inp(found.trial, poisson, folder / f"{site}.inp")
            write_vtu(found.trial, found.curve, folder / f"{site}.vtu")
            if tets is not None:
                write_tets_inp(tets, poisson, folder / f"{site}_tets.inp")
                write_tets_vtu(tets, folder / f"{site}_tets.vtu")
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), "Choose a folder that can be written with -o") from error
