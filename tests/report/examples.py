"""Small synthetic Cases with their Readings: a CT of a lower trunk and an mIBG scan of a child."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import CURIE, PLANAR_UNITS, SIOPEN
from osteoscope.domain.finding import Finding, FindingKind, Measure, Part, Point, Region, SetAside
from osteoscope.domain.geometry import Frame, Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import (
    Case,
    Gap,
    Input,
    MappedSite,
    Provenance,
    Reader,
    Reading,
    SiteReading,
    StudyRecord,
)
from osteoscope.domain.study import Acquisition, IntakeNote, Patient, Study

Array = NDArray[np.bool_]
PROGRAM = Reader("program", "osteoscope example", "0.1.0")


@dataclass(frozen=True)
class Example:
    """A Case and its Reading."""

    case: Case
    reading: Reading


def grid_of(spacing: tuple[float, float, float] = (5.0, 3.0, 3.0), tilt: float = 0.0) -> Grid:
    """A grid over x -180..180, y -120..120, z 0..330 mm, turned by ``tilt`` radians about x and half of it about z."""
    extent = np.asarray([330.0, 240.0, 360.0])
    shape = np.ceil(extent / spacing).astype(int)
    grid = Grid.axial(shape.tolist(), spacing, (-180.0, -120.0, 0.0))
    turn = _turn(tilt, 0) @ _turn(tilt / 2, 2)
    matrix = np.eye(4)
    matrix[:3, :3], centre = turn, np.asarray([0.0, 0.0, 165.0])
    matrix[:3, 3] = centre - turn @ centre
    return Grid.from_matrix(grid.shape, matrix @ grid.matrix)


def _turn(angle: float, axis: int) -> NDArray[np.float64]:
    first, second = [a for a in range(3) if a != axis]
    turn = np.eye(3)
    turn[first, first] = turn[second, second] = np.cos(angle)
    turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
    return turn


def _ball(points: NDArray[np.float64], centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Array:
    scaled = (points - np.asarray(centre)) / np.asarray(radii)
    return np.asarray((scaled**2).sum(axis=-1) <= 1)


_BONES: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "vertebra_unknown_1": ((0, 20, 305), (20, 16, 13)),
    "vertebra_L1": ((0, 18, 275), (21, 17, 13)),
    "vertebra_L2": ((0, 14, 245), (22, 17, 13)),
    "vertebra_L3": ((0, 12, 215), (23, 18, 13)),
    "vertebra_L4": ((0, 12, 185), (24, 18, 13)),
    "vertebra_L5": ((0, 18, 155), (25, 18, 13)),
    "sacrum": ((0, 45, 115), (38, 16, 32)),
    "hip_right": ((-80, 15, 95), (38, 42, 60)),
    "hip_left": ((80, 15, 95), (38, 42, 60)),
}
_LESIONS: tuple[tuple[str, FindingKind, float, tuple[float, float, float], float, int], ...] = (
    ("vertebra_L3", "lytic", 0.93, (8, 8, 215), 9, 20),
    ("hip_left", "blastic", 0.81, (88, 10, 110), 15, 900),
    ("sacrum", "mixed", 0.42, (-15, 45, 115), 10, 420),
)


def ct(grid: Grid | None = None, lesions: int = 3) -> Example:
    """A lower trunk on any grid, with up to three lesions."""
    on = grid or grid_of()
    points = on.to_position(np.moveaxis(np.indices(on.shape), 0, -1))
    values = np.where(_ball(points, (0, 0, 165), (160, 105, 600)), 40, -1000).astype(np.int16)
    rng = np.random.default_rng(7)
    values += rng.normal(0, 12, on.shape).astype(np.int16)
    mapped = []
    for name, (centre, radii) in _BONES.items():
        mask = _ball(points, centre, radii)
        core = _ball(points, centre, (radii[0] - 4, radii[1] - 4, radii[2] - 4))
        values[mask] = 700
        values[core] = 180 + rng.normal(0, 25, int(core.sum())).astype(np.int16)
        notes = ("level uncertain",) if "unknown" in name else ()
        mapped.append(MappedSite(name, Region((Part.from_mask("ct", mask),)), confidence=0.9, notes=notes))
    findings = []
    for number, (site, kind, confidence, place, radius, level) in enumerate(_LESIONS[:lesions], start=1):
        mask = _ball(points, place, (radius, radius, radius))
        values[mask] = level
        findings.append(_lesion(f"lesion-{number}", site, kind, confidence, Part.from_mask("ct", mask), on))
    study = Study(
        uid="2.25.1234567890",
        kind="ct",
        date="2024-03-05",
        patient=Patient("ID-0042", "Example^Ada", 62.4, "F", 71.0, 168.0),
        images={"ct": Image(on, values, "HU")},
        acquisition=Acquisition("CT abdomen and pelvis", "Maker", "Scanner 9", kernel="B60f", kvp=120.0),
        intake=(IntakeNote("repaired", "uneven slice spacing", "resampled to 5.0 mm", "series 3"),),
    )
    return _ct_reading(Case(study, tuple(mapped), tuple(findings)))


def _lesion(name: str, site: str, kind: FindingKind, confidence: float, part: Part, grid: Grid) -> Finding:
    volume = float(part.mask.sum()) * grid.cell / 1000
    long_axis = 2 * (3 * volume * 1000 / (4 * np.pi)) ** (1 / 3)
    measures = (
        Measure("volume", volume, "mL", "voxel count", (volume * 0.9, volume * 1.15)),
        Measure("long_axis", long_axis, "mm", "equivalent sphere", (long_axis - 1, long_axis + 1)),
        Measure("hu_mean", 412.25, "[hnsf'U]", "mean over voxels"),
    )
    return Finding(name, site, kind, confidence, Region((part,)), Point.centre_of(part, grid), measures)


def _ct_reading(case: Case) -> Example:
    total = sum(f.measures[0].value for f in case.findings)
    count = Measure("lesion_count", len(case.findings), "{count}", "sum over findings")
    volume = Measure("lesion_volume", total, "mL", "sum over findings", (total * 0.9, total * 1.15))
    sites = tuple(
        SiteReading(m.site, "assessed", (), tuple(f.id for f in case.findings if f.site == m.site), 0.9, m.notes)
        for m in case.mapped
    )
    gaps = (Gap("sacrum", "size", "the lesion touches the edge of the field of view"),)
    return Example(replace(case, sites=sites), _reading(case, sites, (count, volume), gaps))


def _reading(
    case: Case, sites: tuple[SiteReading, ...], measures: tuple[Measure, ...], gaps: tuple[Gap, ...]
) -> Reading:
    inputs = tuple(Input(source.file, source.sha256) for source in case.study.sources)
    provenance = Provenance("osteoscope 0.1.0", inputs, {"plan": "example"}, "2024-03-06T10:20:30+00:00", 12.5)
    record = StudyRecord.of(case.study)
    return Reading(record, PROGRAM, case.findings, sites, measures, provenance, case.set_aside, gaps, case.study.intake)


_HEIGHT, _WIDTH, _PIXEL = 360, 150, 3.0
# Centre (x from the midline, y from the top) and half axes in mm, as seen from the front: patient's right is at -x.
_UNITS: Mapping[str, tuple[float, float, float, float]] = {
    "skull": (0, 115, 70, 85),
    "cervical_spine": (0, 225, 16, 28),
    "thoracic_spine": (0, 335, 16, 85),
    "lumbar_spine": (0, 470, 18, 50),
    "sacrum": (0, 545, 26, 28),
    "thoracic_cage": (0, 335, 105, 95),
    "pelvis": (0, 555, 90, 55),
    "proximal_upper_limb_right": (-140, 360, 24, 100),
    "proximal_upper_limb_left": (140, 360, 24, 100),
    "distal_upper_limb_right": (-150, 560, 20, 100),
    "distal_upper_limb_left": (150, 560, 20, 100),
    "proximal_lower_limb_right": (-55, 710, 35, 110),
    "proximal_lower_limb_left": (55, 710, 35, 110),
    "distal_lower_limb_right": (-50, 925, 26, 105),
    "distal_lower_limb_left": (50, 925, 26, 105),
}
_FOCI: tuple[tuple[str, FindingKind, float, float, float, tuple[str, ...]], ...] = (
    ("skull", "focal", -40, 75, 9, ("anterior", "posterior")),
    ("proximal_lower_limb_right", "diffuse", -55, 700, 26, ("anterior", "posterior")),
    ("lumbar_spine", "focal", 0, 465, 9, ("posterior",)),
    ("pelvis", "focal", 60, 550, 10, ("anterior", "posterior")),
)
_ORGANS = (("liver", -55, 400, 55, 45), ("bladder", 0, 590, 24, 22))


def planar(views: tuple[str, ...] = ("anterior", "posterior"), found: bool = True, spacing: bool = True) -> Example:
    """A child's mIBG scan with any of both views, with or without foci, with or without a known pixel size."""
    mapped = tuple(MappedSite(unit, _region(unit, views)) for unit in PLANAR_UNITS if unit in _UNITS)
    foci = [focus for focus in _FOCI if found and set(focus[5]) & set(views)]
    findings = tuple(_focus(number, focus, views) for number, focus in enumerate(foci, start=1))
    aside = tuple(
        SetAside(name, "physiological uptake", _ellipse_region((x, y, a, b), views)) for name, x, y, a, b in _ORGANS
    )
    study = Study(
        uid="2.25.987654321",
        kind="nm-planar",
        date="2023-11-20",
        patient=Patient("K-7", "Kind^Mia", 3.5, "F", 15.2, 98.0),
        images={view: _counts(view, foci, spacing) for view in views},
        acquisition=Acquisition("MIBG whole body 24 h", "Maker", "Camera", "mIBG", "I-123", "LEHR", guessed=("view",)),
        intake=(IntakeNote("warning", "view code missing", "detector 1 taken as anterior", "wholebody.dcm"),),
    )
    case = Case(study, mapped, findings, aside)
    return _planar_reading(case)


def _grid(view: str, spacing: bool = True) -> Grid:
    frame: Frame = "anterior" if view == "anterior" else "posterior"
    return Grid.planar((_HEIGHT, _WIDTH), (_PIXEL, _PIXEL) if spacing else None, frame)


def _ellipse(view: str, shape: tuple[float, float, float, float]) -> Array:
    rows, columns = np.indices((_HEIGHT, _WIDTH)) * _PIXEL
    side = 1 if view == "anterior" else -1
    x = (columns - (_WIDTH - 1) * _PIXEL / 2) * side
    return np.asarray(((x - shape[0]) / shape[2]) ** 2 + ((rows - shape[1]) / shape[3]) ** 2 <= 1)


def _ellipse_region(shape: tuple[float, float, float, float], views: tuple[str, ...]) -> Region:
    return Region(tuple(Part.from_mask(view, _ellipse(view, shape)) for view in views))


def _region(unit: str, views: tuple[str, ...]) -> Region:
    return _ellipse_region(_UNITS[unit], views)


def _focus(
    number: int, focus: tuple[str, FindingKind, float, float, float, tuple[str, ...]], views: tuple[str, ...]
) -> Finding:
    site, kind, x, y, radius, seen = focus
    long = 90.0 if kind == "diffuse" else radius
    region = _ellipse_region((x, y, radius, long), tuple(v for v in views if v in seen))
    centre = Point.centre_of(region.parts[0], _grid(region.parts[0].image))
    contrast = Measure("contrast", 3.2, "1", "peak over local background", (2.8, 3.7))
    return Finding(f"focus-{number}", site, kind, 0.9 - 0.1 * number, region, centre, (contrast,))


def _counts(
    view: str, foci: list[tuple[str, FindingKind, float, float, float, tuple[str, ...]]], spacing: bool
) -> Image:
    expected = np.full((_HEIGHT, _WIDTH), 0.4)
    for shape in _UNITS.values():
        expected[_ellipse(view, shape)] = 9.0
    for _, centre_x, centre_y, a, b in _ORGANS:
        expected[_ellipse(view, (centre_x, centre_y, a, b))] = 70.0 if view == "anterior" else 40.0
    for _, kind, x, y, radius, seen in foci:
        if view in seen:
            expected[_ellipse(view, (x, y, radius, 90.0 if kind == "diffuse" else radius))] += 25.0
    counts = np.random.default_rng(3).poisson(expected).astype(np.uint16)
    return Image(_grid(view, spacing), counts, "counts")


def _level(name: str, value: float, spread: tuple[float, float]) -> Measure:
    return Measure(name, value, "{score}", "extent rule", spread)


def _planar_reading(case: Case) -> Example:
    tables = {"siopen": SIOPEN, "curie": CURIE}
    sites = []
    for site in dict.fromkeys([*SIOPEN, *CURIE]):
        units = {unit for table in tables.values() for unit in table.get(site, ())}
        evidence = tuple(f for f in case.findings if f.site in units)
        level = 4.0 if any(f.kind == "diffuse" for f in evidence) else float(len(evidence))
        measures = tuple(
            _level(
                name, min(level, 3.0) if name == "curie" else level, (max(0, level - 1) if name == "siopen" else 0, 6)
            )
            for name, table in tables.items()
            if site in table
        )
        absent = site.startswith("distal_lower_limb") or site in ("soft_tissue", "lower_legs")
        status = "not_acquired" if absent else "assessed"
        ids = tuple(f.id for f in evidence)
        sites.append(SiteReading(site, status, () if absent else measures, ids, 0.8))  # type: ignore[arg-type]
    totals = tuple(
        Measure(
            f"{name}_total",
            sum(m.value for s in sites for m in s.measures if m.name == name),
            "{score}",
            "sum over assessed",
            (0, 40),
        )
        for name in tables
    )
    gaps = (Gap("distal_lower_limb_left", "sites", "below the field of view"),)
    return Example(replace(case, sites=tuple(sites)), _reading(case, tuple(sites), totals, gaps))


def empty(example: Example) -> Example:
    """The same study with nothing found and nothing measured."""
    reading = replace(example.reading, findings=(), sites=(), measures=(), gaps=(), set_aside=(), intake=())
    return Example(replace(example.case, mapped=(), findings=(), set_aside=(), sites=()), reading)
