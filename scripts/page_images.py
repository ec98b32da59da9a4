"""Pictures of the review page for the README: `python scripts/page_images.py` writes docs/images/page-*.png."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from osteoscope.deliver.simulated import write_trunk
from osteoscope.dicom.write_nm import write_nm
from osteoscope.simulate.ct import CtLesion, CtRecipe
from osteoscope.simulate.planar import ChildRecipe, Foci, simulate_planar

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from browsing import CHROMIUM, make_admin, open_study, serving, upload, wait_until_read  # noqa: E402

IMAGES = ROOT / "docs" / "images"
COLOURS = 255
DISEASE = (Foci("pelvis", 2, 25.0), Foci("proximal_lower_limb_right", 2, 25.0), Foci("skull", 1, 25.0))


def simulated(folder: Path) -> list[Path]:
    """Two dates of a child, and a CT."""
    for date, lesions in {"2026-02-03": DISEASE, "2026-05-04": DISEASE[:1]}.items():
        made = simulate_planar(ChildRecipe(lesions=lesions), 7).study
        patient = replace(made.patient, id="SIM-7", name="Simulated^Child")
        write_nm(replace(made, uid=f"2.25.{date.replace('-', '')}", date=date, patient=patient), folder / date)
    metastases = (CtLesion("vertebra_L2", "lytic", 24), CtLesion("vertebra_L4", "blastic", 22))
    write_trunk(CtRecipe(coverage="abdomen", spacing_mm=(2.5, 1.5, 1.5), lesions=metastases), 3, folder / "ct")
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix == ".dcm")


def keep(page: Page, name: str) -> None:
    """A small PNG of what the window shows."""
    page.mouse.move(2, 2)
    page.wait_for_timeout(800)
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    path = IMAGES / f"page-{name}.png"
    picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    print(path.relative_to(ROOT), f"{path.stat().st_size // 1024} kB")


def pictures(page: Page, url: str) -> None:
    """The worklist, both reviews, and the sign dialog."""
    keep(page, "worklist")
    open_study(page, "2026-05-04")
    page.wait_for_selector(".frame path.segment")
    page.keyboard.press("ArrowDown")
    keep(page, "planar")
    page.keyboard.press("p")
    page.wait_for_selector(".frame >> nth=3")
    keep(page, "prior")
    page.keyboard.press("s")
    page.wait_for_selector("dialog .facts")
    keep(page, "sign")
    page.goto(f"{url}#/")
    page.locator("tr", has_text="CT").locator("a.row").first.click()
    page.wait_for_selector("[data-ready=true]", timeout=120_000)
    page.wait_for_timeout(8000)
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(4000)
    keep(page, "ct")


def main() -> None:
    """Serve simulated studies, read them, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        files = simulated(Path(folder) / "dicom")
        with serving(Path(folder)) as served:
            browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
            page.set_default_timeout(60_000)
            make_admin(page, served.link)
            upload(page, files)
            wait_until_read(page, 3)
            pictures(page, served.url)
            browser.close()


if __name__ == "__main__":
    main()
