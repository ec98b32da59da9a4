"""A box-shaped child: every planar unit is a rectangle, the same in both views."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from osteoscope.domain.anatomy import CURIE, PLANAR_UNITS, SIOPEN
from osteoscope.domain.finding import Finding, FindingKind, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite, SiteReading, Status
from osteoscope.domain.study import Patient, Study
from osteoscope.measure.score import curie, siopen

SHAPE = (170, 20)
UNITS = tuple(unit for unit in PLANAR_UNITS if unit != "soft_tissue")
VIEWS = ("anterior", "posterior")
ROWS_PER_UNIT = 10


def box(unit: str, rows: tuple[int, int] = (0, ROWS_PER_UNIT), columns: tuple[int, int] = (0, 20)) -> Part:
    """Some rows and columns of a unit's rectangle, on the anterior view."""
    mask = np.zeros(SHAPE, dtype=bool)
    top = UNITS.index(unit) * ROWS_PER_UNIT
    mask[top + rows[0] : top + rows[1], slice(*columns)] = True
    return Part.from_mask("anterior", mask)


def both(part: Part) -> Region:
    return Region(tuple(Part(view, part.offset, part.mask) for view in VIEWS))


def finding(number: int, site: str, kind: FindingKind, region: Region, confidence: float = 0.9) -> Finding:
    grid = Grid.planar(SHAPE, (2.4, 2.4), "anterior")
    return Finding(f"F{number}", site, kind, confidence, region, Point.centre_of(region.parts[0], grid))


def foci(site: str, number: int, confidence: float = 0.9, start: int = 0) -> list[Finding]:
    cells = [box(site, (1 + 2 * (n // 6), 2 + 2 * (n // 6)), (3 * (n % 6), 3 * (n % 6) + 2)) for n in range(number)]
    return [finding(start + n, site, "focal", both(cell), confidence) for n, cell in enumerate(cells)]


def patch(site: str, columns: int, confidence: float = 0.9, number: int = 99) -> Finding:
    """A diffuse finding over that many of the unit's 20 columns."""
    return finding(number, site, "diffuse", both(box(site, columns=(0, columns))), confidence)


def case(findings: Sequence[Finding] = (), hidden: dict[str, Status] | None = None) -> Case:
    """A Case of the box-shaped child, its site readings made by the scores themselves."""
    hidden = hidden or {}
    images = {
        view: Image(
            Grid.planar(SHAPE, (2.4, 2.4), "anterior" if view == "anterior" else "posterior"),
            np.zeros(SHAPE, np.int32),
            "counts",
        )
        for view in VIEWS
    }
    study = Study("1.2", "nm-planar", "2026-01-01", Patient("child"), images)
    mapped = tuple(
        MappedSite(unit, None, hidden[unit]) if unit in hidden else MappedSite(unit, both(box(unit))) for unit in UNITS
    )
    bare = Case(study, mapped, tuple(findings))
    return Case(study, mapped, tuple(findings), sites=tuple(_sites(bare)))


def _sites(bare: Case) -> list[SiteReading]:
    names = dict.fromkeys((*SIOPEN, *CURIE))
    measures = {name: (*siopen(bare, name), *curie(bare, name)) for name in names}
    return [SiteReading(name, "assessed" if found else "not_acquired", found) for name, found in measures.items()]
