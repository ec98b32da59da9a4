"""What a practitioner does on the page, and what the page answers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
INDEX = ROOT / "src" / "osteoscope" / "app" / "static" / "index.html"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium")

PASSWORD = "correct horse battery"  # noqa: S105 - of tests
READ_MS = 90_000


@dataclass(frozen=True)
class Served:
    """A server that was just started for the first time."""

    url: str
    link: str
    home: Path


def make_admin(page: Any, link: str) -> None:
    page.goto(link)
    enter(page, "ada")


def log_in(page: Any, url: str, name: str) -> None:
    page.goto(url)
    enter(page, name)


def enter(page: Any, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(".worklist")


def upload(page: Any, files: Iterable[Path]) -> None:
    page.set_input_files("input[type=file] >> nth=0", [str(path) for path in files])
    page.get_by_role("status").get_by_text("received").wait_for(timeout=READ_MS)


def wait_until_read(page: Any, number: int) -> None:
    page.wait_for_function(
        "number => document.querySelectorAll('.state.read, .state.reviewed, .state.signed').length >= number",
        arg=number,
        timeout=READ_MS,
    )


def open_study(page: Any, date: str) -> None:
    page.locator("tr", has_text=date).locator("a.row").click()
    page.wait_for_selector(".review")


def total(page: Any, score: str) -> int:
    return int(page.locator(f"[data-total={score}] strong").inner_text())


def level(page: Any, site: str) -> str:
    pressed = page.locator(f"[data-site={site}] button[aria-pressed=true]")
    return str(pressed.inner_text())


def foci(page: Any) -> int:
    found = re.search(r"\d+", page.get_by_role("tab", name="Foci").inner_text())
    assert found
    return int(found[0])


def pixel(page: Any, view: str, column: float, row: float) -> tuple[float, float]:
    """Where a pixel of a view lies on the screen."""
    frame = page.locator(f".frame[data-view={view}] >> nth=0")
    box = frame.bounding_box()
    left, top, width, height = map(float, str(frame.get_attribute("data-box")).split())
    return box["x"] + (column - left) / width * box["width"], box["y"] + (row - top) / height * box["height"]


def axe(page: Any, script: Path) -> list[str]:
    """What axe-core finds that is serious or worse."""
    page.evaluate(script.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations.map(v => [v.impact, v.id, v.nodes[0].html])")
    return [f"{name}: {html}" for impact, name, html in found if impact in {"serious", "critical"}]
