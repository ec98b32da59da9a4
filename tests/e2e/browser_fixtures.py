"""A real server, a real browser."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browsing import CHROMIUM, INDEX, PASSWORD, WEB, Served, make_admin, serving, upload, wait_until_read

from osteoscope.dicom.write_ct import write_ct
from osteoscope.dicom.write_nm import write_nm
from osteoscope.domain.study import Study
from osteoscope.simulate.ct import CtLesion, CtRecipe, simulate_ct
from osteoscope.simulate.planar import Camera, ChildRecipe, Foci, simulate_planar

CAMERA = Camera(rows=512, columns=128, pixel_mm=4.0)


def newest_source() -> float:
    sources = [*WEB.glob("src/**/*"), WEB / "index.html", WEB / "package.json", WEB / "vite.config.ts"]
    return max((path.stat().st_mtime for path in sources), default=0.0)


@pytest.fixture(scope="session")
def built() -> Path:
    """The page as its sources are now."""
    if not INDEX.is_file() or INDEX.stat().st_mtime < newest_source():
        if shutil.which("npm") is None or not (WEB / "node_modules").is_dir():
            pytest.skip("the page is not built, and Node or web/node_modules is absent")
        subprocess.run(["npm", "run", "build"], cwd=WEB, check=True, capture_output=True, timeout=300)
    return INDEX


@pytest.fixture(scope="session")
def served(browser: Any, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    assert built.is_file()
    assert browser.is_connected()
    with serving(tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("Debian package chromium is absent")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def window(browser: Any) -> Iterator[Any]:
    """A fresh window; errors on the page fail the test."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB")
    context.set_default_timeout(30_000)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    context.close()
    assert problems == []


@pytest.fixture(scope="session")
def children(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of two dates of a child: three foci, and two months later one."""
    folder = tmp_path_factory.mktemp("child")
    thighs = Foci("proximal_lower_limb_right", 2, 30.0)
    dates = {"2026-02-03": (Foci("pelvis", 1, 30.0), thighs), "2026-04-03": (Foci("pelvis", 1, 30.0),)}
    for date, lesions in dates.items():
        made = simulate_planar(ChildRecipe(lesions=lesions, camera=CAMERA), 5).study
        patient = replace(made.patient, id="E2E-1", name="Test^Child")
        write_nm(replace(made, uid=f"2.25.{date.replace('-', '')}", date=date, patient=patient), folder / date)
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="session")
def trunk(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The files of two small CTs of a patient: a lesion, and three months later two."""
    folder = tmp_path_factory.mktemp("trunk")
    for date, levels in {"2025-12-01": (2,), "2026-03-01": (2, 4)}.items():
        write_ct(trunk_of(date, *levels), folder / date)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def trunk_of(date: str, *levels: int) -> Study:
    lesions = tuple(CtLesion(f"vertebra_L{n}", kind="lytic", diameter_mm=24) for n in levels)
    made = simulate_ct(CtRecipe(coverage="lumbar", spacing_mm=(5.0, 3.0, 3.0), lesions=lesions), 5).study
    patient = replace(made.patient, id="E2E-CT", name="Test^Trunk")
    return replace(made, uid=f"2.25.9{date.replace('-', '')}", date=date, patient=patient)


@pytest.fixture(scope="session")
def loaded(served: Served, browser: Any, children: list[Path], trunk: list[Path]) -> Served:
    """The server with an administrator, a signer, a reader, and two dates of a child and of an adult on CT."""
    page = browser.new_page()
    make_admin(page, served.link)
    page.goto(f"{served.url}#/users")
    for name, role in (("bo", "signer"), ("rea", "reader")):
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("form select").select_option(role)
        page.get_by_role("button", name="Add a user").click()
        page.get_by_role("rowheader", name=name).wait_for()
    page.goto(f"{served.url}#/")
    upload(page, children)
    upload(page, trunk)
    wait_until_read(page, 4)
    page.context.close()
    return served
