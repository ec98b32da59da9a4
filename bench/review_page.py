"""The review page in Debian's chromium: seconds until a study can be read, and what a child costs in clicks."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import review
from osteoscope.app.server import open_server
from osteoscope.app.settings import Settings
from osteoscope.deliver.outputs import write_reading
from osteoscope.deliver.review.ground import write_bone_index
from osteoscope.deliver.review.views import write_views
from osteoscope.dicom.write_nifti import write_bone_labels
from osteoscope.dicom.write_nm import write_nm
from osteoscope.domain.finding import Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite, Reading
from osteoscope.domain.study import Study
from osteoscope.reading.ct_plans import CT_BASELINE
from osteoscope.reading.known import read_known
from osteoscope.simulate.ct import CtLesion, CtRecipe, simulate_ct
from osteoscope.simulate.planar import Camera, ChildRecipe, Diffuse, Foci, simulate_planar
from osteoscope.store import queue, rows
from osteoscope.store.engine import Store
from osteoscope.store.readings import packed

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import browsing

Figures = Mapping[str, str | float | int]
CT_SHAPE = (300, 512, 512)
TURNS = 3
_CAMERA = Camera(rows=1024, columns=256, pixel_mm=2.2)
_THREE = (Foci("pelvis", 1, 16.0), Foci("proximal_lower_limb_right", 1, 16.0), Foci("skull", 1, 16.0))
_DIFFUSE = tuple(
    Diffuse(site, fraction)
    for site, fraction in (
        ("skull", 0.4), ("thoracic_cage", 0.5), ("spine", 0.9), ("pelvis", 0.9), ("proximal_lower_limb_right", 0.7),
        ("proximal_lower_limb_left", 0.7), ("proximal_upper_limb_right", 0.6),
    )
)  # fmt: skip
CHILDREN: Mapping[str, Sequence[tuple[int, ChildRecipe]]] = {
    "normal": [(seed, ChildRecipe(camera=_CAMERA)) for seed in (21, 22)],
    "3-focus": [(seed, ChildRecipe(lesions=_THREE, camera=_CAMERA)) for seed in (31, 32)],
    "diffuse": [(seed, ChildRecipe(lesions=_DIFFUSE, camera=_CAMERA)) for seed in (41, 42)],
}


@dataclass(frozen=True)
class Child:
    """A simulated child in the worklist, found by its date, and what is true of it."""

    kind: str
    date: str
    truth: Reading


def _children(settings: Settings, folder: Path) -> list[Child]:
    """Read by the program as any upload is."""
    server = open_server(settings, work=False)
    made = []
    for kind, recipes in CHILDREN.items():
        for seed, recipe in recipes:
            child = simulate_planar(recipe, seed)
            date = f"2030-01-{seed}" if seed <= 31 else f"2030-02-{seed - 31:02d}"
            study = replace(child.study, uid=f"2.25.{seed}", date=date)
            upload = f"child{seed}"
            write_nm(replace(study, patient=replace(study.patient, id=upload, name=f"{kind}^{seed}")), folder / upload)
            settings.files_of(upload).parent.mkdir(parents=True)
            shutil.move(folder / upload, settings.files_of(upload))
            with server.store.writing() as session:
                session.add(rows.Upload(id=upload, owner="r0"))
                session.flush()
                queue.put(session, "intake", upload)
            made.append(Child(kind, date, child.reading))
    review.work_off(settings, server.store)
    server.store.engine.dispose()
    return made


def big_trunk() -> tuple[Study, tuple[MappedSite, ...], Reading]:
    """A CT of 512 x 512 x 300 voxels with noise, its bones, and its lesions as the plan measures them.

    It is a simulated trunk of coarser voxels, each repeated: what a viewer does with it does not depend on that.
    """
    lesions = tuple(CtLesion(f"vertebra_L{n}", "lytic", 20) for n in (1, 2, 4))
    made = simulate_ct(CtRecipe(coverage="lumbar", spacing_mm=(4.0, 2.5, 2.5), lesions=lesions), 5)
    small = made.study.images["ct"]
    values = np.asarray(small.values)
    index = [np.minimum(np.arange(n) * s // n, s - 1) for n, s in zip(CT_SHAPE, values.shape, strict=True)]
    step = np.divide(values.shape, CT_SHAPE)
    matrix = small.grid.matrix.copy()
    matrix[:3, 3] += matrix[:3, :3] @ ((step - 1) / 2)
    matrix[:3, :3] *= step
    grid = Grid(CT_SHAPE, tuple(tuple(float(v) for v in row) for row in matrix))
    draw = np.random.default_rng(0)
    large = np.empty(CT_SHAPE, dtype=np.int16)
    for z, source in enumerate(index[0]):
        large[z] = values[source][np.ix_(index[1], index[2])] + draw.normal(0, 15, CT_SHAPE[1:])

    def enlarged(region: Region) -> Region:
        part = region.parts[0]
        kept = [np.flatnonzero((i >= span.start) & (i < span.stop)) for i, span in zip(index, part.box, strict=True)]
        whole = part.full(values.shape)[np.ix_(*(i[k] for i, k in zip(index, kept, strict=True)))]
        return Region((Part.from_mask("ct", whole, tuple(int(k[0]) for k in kept)),))

    mapped = tuple(replace(p, region=enlarged(p.region) if p.region else None) for p in made.mapped)
    found = tuple(
        replace(f, region=r, centre=Point.centre_of(r.parts[0], grid))
        for f in made.reading.findings
        for r in [enlarged(f.region)]
    )
    study = replace(made.study, uid="2.25.512", date="2031-01-01", images={"ct": Image(grid, large, "HU")})
    return study, mapped, read_known(study, mapped, found, CT_BASELINE)


def _ct(settings: Settings, store: Store) -> None:
    study, mapped, made = big_trunk()
    folder = settings.folder_of("ct")
    write_views(study, folder / "views")
    case = Case(study, mapped, made.findings)
    write_bone_index(case, folder / "views")
    (folder / "program").mkdir()
    write_bone_labels(case, folder / "program" / "bones.nii.gz")
    write_reading(made, folder / "program" / "reading.json")
    body = packed((folder / "program" / "reading.json").read_bytes())
    line = {"fingerprint": "ct", "label": "ct", "kind": "ct", "patient_id": "CT", "patient_name": "Trunk^Large"}
    with store.writing() as session:
        session.add(rows.Upload(id="ct", owner="r0"))
        session.flush()
        session.add(rows.Study(id="ct", upload="ct", owner="r0", date=study.date, state="read", **line))
        session.flush()
        session.add(rows.Reading(study="ct", reader=made.reader.name, kind="program", state="done", body=body))


@contextmanager
def _window() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=browsing.CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
        page.set_default_timeout(180_000)
        yield page
        browser.close()


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _ready(page: Any, url: str, date: str, *shown: str) -> list[float]:
    """Seconds from the click on a line of the worklist until each of these is shown: the best of some turns."""
    turns = []
    for _ in range(TURNS):
        page.goto(f"{url}/#/")
        page.reload()
        line = page.locator("tr", has_text=date).locator("a.row")
        line.wait_for()
        page.wait_for_timeout(1500)
        began = time.perf_counter()
        line.click()
        took = []
        for what in shown:
            page.wait_for_selector(what)
            took.append(time.perf_counter() - began)
        turns.append(took)
    return [round(min(times), 1) for times in zip(*turns, strict=True)]


def _worklist(page: Any) -> dict[str, float]:
    """Seconds of the worklist of 10,000 lines, until its lines are on the screen."""

    def searched() -> None:
        page.get_by_role("searchbox").fill("child 99")
        page.wait_for_function("() => /: (?!10)\\d/.test(document.querySelector('[aria-live]').innerText)")

    def cleared() -> None:
        page.get_by_role("searchbox").fill("")
        page.wait_for_function("() => /: 10\\d{3}/.test(document.querySelector('[aria-live]').innerText)")

    def turned() -> None:
        before = page.locator("tbody tr").first.inner_text()
        page.get_by_role("button", name="Next page").click()
        page.wait_for_function("was => document.querySelector('tbody tr').innerText !== was", arg=before)

    took = {"search": _seconds(searched), "all again": _seconds(cleared), "next page": _seconds(turned)}
    return {f"worklist of 10,000 in the page: {name}, s": round(value, 2) for name, value in took.items()}


def review_page() -> Figures:
    """The page in chromium, drawn without a graphics processor, on a server with 10,000 studies. Times are from the
    click on a line of the worklist, the best of 3 turns: planar views; a CT of 512 x 512 x 300 voxels, first its
    planes on blocks of 3 x 3 x 3 voxels, then the 3-D view, then blocks of 2 x 2 x 2, which stay. Clicks and keys are
    those of a reader who sets every level of both scores that differs from the truth of a simulated child, and signs.
    """
    others = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="osteoscope-bench-") as folder:
        settings = review.home(Path(folder))
        children = _children(settings, Path(folder))
        server = open_server(settings, work=False)
        _ct(settings, server.store)
        server.store.engine.dispose()
        with review.served(settings) as (url, *_), _window() as page:
            page.goto(url)
            page.get_by_label("Name").fill("r0")
            page.get_by_label("Password").fill(review.PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_selector("tbody tr")
            figures: dict[str, Any] = _worklist(page)
            planar = _ready(page, url, children[0].date, ".frame canvas", ".frame path.segment")
            stages = [f"[data-stage={stage}], [data-stage=all]" for stage in ("planes", "solid", "all")]
            stages[0] += ", [data-stage=solid]"
            ct = _ready(page, url, "2031-01-01", *stages)
            actions: dict[str, list[int]] = {}
            for child in children:
                page.goto(f"{url}/#/")
                page.reload()
                browsing.open_study(page, child.date)
                wanted = {score: browsing.levels_of(child.truth, score) for score in ("siopen", "curie")}
                actions.setdefault(child.kind, []).append(browsing.correct(page, wanted) + browsing.sign(page))
    return {
        "processes of others that wanted the cores (load average before)": round(others, 1),
        **figures,
        "planar views, s": planar[0],
        "their segments, s": planar[1],
        **{f"CT: {what}, s": value for what, value in zip(("planes", "3-D view", "finest"), ct, strict=True)},
        **{f"clicks and keys, {kind} children": ", ".join(map(str, each)) for kind, each in actions.items()},
    }


ROWS: Mapping[str, Callable[[], Figures]] = {"review_page": review_page}

if __name__ == "__main__":
    print(json.dumps(review_page(), indent=1))
