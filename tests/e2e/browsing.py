"""What a practitioner does on the page, and what the page answers."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osteoscope.domain.anatomy import CURIE, SIOPEN

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
INDEX = ROOT / "src" / "osteoscope" / "app" / "static" / "index.html"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium")

PASSWORD = "correct horse battery"  # noqa: S105 - of tests
# For what workers do, a moment on a quiet machine: over only where nothing moves.
READ_MS = 1_800_000


@dataclass(frozen=True)
class Served:
    """A server that was just started for the first time."""

    url: str
    link: str
    home: Path


@contextmanager
def serving(home: Path) -> Iterator[Served]:
    """A server of its own process on a free port, with its data in ``home/data``."""
    port, log = free_port(), home / "serve.log"
    process = started(home, port)
    try:
        yield Served(f"http://127.0.0.1:{port}/", link_in(log, process, port), home / "data")
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(home: Path, port: int) -> subprocess.Popen[bytes]:
    """A server that writes what it says into ``home/serve.log``."""
    command = [sys.executable, "-m", "osteoscope", "serve", "--home", str(home / "data"), "--port", str(port)]
    environment = {**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    with (home / "serve.log").open("w") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT, env=environment)


def link_in(log: Path, process: subprocess.Popen[bytes], port: int) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        found = re.search(r"http://\S+#first=\S+", log.read_text())
        if found and answers(port):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def make_admin(page: Any, link: str) -> None:
    page.goto(link)
    enter(page, "ada")


def log_in(page: Any, url: str, name: str) -> None:
    page.goto(url)
    enter(page, name)


def enter(page: Any, name: str, then: str = ".worklist") -> None:
    page.wait_for_selector(".login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector(f".bar ~ {then}, .bar ~ * {then}")


def upload(page: Any, files: Iterable[Path]) -> None:
    page.set_input_files("input[type=file] >> nth=0", [str(path) for path in files])
    page.get_by_role("status").get_by_text("received").wait_for(timeout=READ_MS)


def wait_until_read(page: Any, number: int) -> None:
    page.wait_for_function(
        "number => document.querySelectorAll('.state.read, .state.reviewed, .state.signed').length >= number",
        arg=number,
        polling=500,  # at every frame by default, which takes the processor from the workers
        timeout=READ_MS,
    )


def open_study(page: Any, date: str) -> None:
    page.locator("tr", has_text=date).locator("a.row").click()
    page.wait_for_selector(".review")


def open_for_edits(page: Any, date: str) -> None:
    """Open a child's study and, once it was signed, an amendment of it."""
    open_study(page, date)
    page.wait_for_selector(".frame[data-view=anterior] path.segment")
    if page.get_by_role("button", name="Amend").count():
        page.get_by_role("button", name="Amend").click()
        page.get_by_label("Reason").fill("more")
        page.keyboard.press("Enter")
        page.locator(".study-bar .state.reviewed").wait_for()


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


def shown_box(page: Any, number: int = 0) -> list[float]:
    """Left, top, width and height of what a view shows, in its pixels."""
    return [float(n) for n in str(page.locator(f".frame >> nth={number}").get_attribute("data-box")).split()]


def staying(page: Any) -> list[str]:
    """What the page asks in the browser's own dialogs, each answered with "Cancel"."""
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", stay)
    return asked


def open_ct(page: Any) -> None:
    open_study(page, "2026-03-01")
    page.wait_for_selector("[data-stage=all]", timeout=READ_MS)


def cross_of(page: Any) -> list[int]:
    """Where the cross of a CT stands, in mm (LPS)."""
    said = str(page.locator(".tools .place").inner_text())
    found = re.fullmatch(r"([RL]) (\d+), ([AP]) (\d+), ([HF]) (\d+) mm", said)
    assert found, said
    return [
        int(n) * (-1 if side in "RAF" else 1) for side, n in zip(found.groups()[::2], found.groups()[1::2], strict=True)
    ]


@contextmanager
def moving_cross(page: Any) -> Iterator[None]:
    """Over once what is done within has moved the cross of a CT."""
    before = page.locator(".tools .place").inner_text()
    yield
    page.wait_for_function("was => document.querySelector('.tools .place').innerText !== was", arg=before, timeout=5000)


def plane(page: Any, name: str) -> dict[str, float]:
    """Where a plane of a CT lies on the canvas of the planes."""
    canvas, tile = (page.locator(at).first.bounding_box() for at in (".volumes canvas", f".tile[data-plane={name}]"))
    return {**tile, "x": tile["x"] - canvas["x"], "y": tile["y"] - canvas["y"]}


def start_brush(page: Any) -> None:
    """Take the brush for the first lesion of a CT, in an amendment where it was signed."""
    if page.get_by_role("button", name="Amend").count():
        page.get_by_role("button", name="Amend").click()
        page.get_by_label("Reason").fill("the mask")
        page.keyboard.press("Enter")
        page.locator(".study-bar .state.reviewed").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("e")
    page.get_by_role("toolbar", name="Edit mask").wait_for()


def axe(page: Any, script: Path) -> list[str]:
    """What axe-core finds that is serious or worse."""
    page.evaluate(script.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations.map(v => [v.impact, v.id, v.nodes[0].html])")
    return [f"{name}: {html}" for impact, name, html in found if impact in {"serious", "critical"}]


def levels_of(reading: Any, score: str) -> dict[str, int | None]:
    """The levels of a Reading by segment, None where there is none."""
    sites = {"siopen": SIOPEN, "curie": CURIE}[score]
    said = {one.site: one.measure(score) for one in reading.sites if one.site in sites}
    return {site: None if measure is None else round(measure.value) for site, measure in said.items()}


def correct(page: Any, wanted: Mapping[str, Mapping[str, int | None]]) -> int:
    """Set every level of both scores that is another than wanted; the number of clicks and keys."""
    page.wait_for_selector("[data-site=skull] button[aria-pressed=true]")
    actions = 0
    for score, key in (("siopen", ""), ("curie", "k")):
        found = page.evaluate("base => fetch(base + '/reading').then(r => r.json())", _base(page))
        now = {s["site"]: {m["name"]: m["value"] for m in s["measures"]}.get(score) for s in found["sites"]}
        wrong = {site: level for site, level in wanted[score].items() if now.get(site) != level}
        if wrong and key:
            page.keyboard.press(key)
            actions += 1
        for site, level in wrong.items():
            name = "?" if level is None else str(level)
            with page.expect_response("**/edits"):
                page.locator(f"[data-site={site}] .steps button", has_text=name).click()
            page.wait_for_selector(f"[data-site={site}] button[aria-pressed=true]:text('{name}')")
            actions += 1
    return actions


def _base(page: Any) -> str:
    return "/api/studies/" + str(page.evaluate("location.hash.split('/').pop()"))


def sign(page: Any) -> int:
    """Sign what is shown; the number of keys."""
    for key in ("s", "Space", "Enter"):
        page.keyboard.press(key)
        page.wait_for_selector("dialog")
    page.locator("[data-signed]").wait_for(timeout=READ_MS)
    return 3
