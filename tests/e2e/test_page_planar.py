"""More of the mIBG review: uptake drawn by hand, notes, files dropped. The tests go on from one another."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from browsing import AXE, READ_MS, Served, axe, foci, level, log_in, open_for_edits, pixel, total

PRIOR = "2026-02-03"


def begin(page: Any, loaded: Served) -> dict[str, Any]:
    """The study of a child opened for edits; where its segments lie on the anterior view."""
    log_in(page, loaded.url, "ada")
    open_for_edits(page, PRIOR)
    study = page.evaluate("location.hash.split('/').pop()")
    found = page.evaluate("async id => (await fetch(`/api/studies/${id}/outlines`)).json()", study)
    return dict(found["views"]["anterior"]["sites"])


def corners(page: Any, polygons: list[Any]) -> list[tuple[float, float]]:
    """Where an outline lies on the screen, a dozen points of it."""
    ring = max(polygons, key=len)
    return [pixel(page, "anterior", *ring[n * len(ring) // 12]) for n in range(12)]


def scores(page: Any) -> tuple[int, int, str, int]:
    return total(page, "siopen"), total(page, "curie"), level(page, "skull"), foci(page)


def test_diffuse_uptake_is_drawn_taken_back_and_done_again(window: Any, loaded: Served) -> None:
    sites = begin(window, loaded)
    before = scores(window)
    window.keyboard.press("d")
    window.wait_for_selector("button[aria-pressed=true]:text-is('Outline')")
    ring = corners(window, sites["skull"])
    window.mouse.move(*ring[0])
    window.mouse.down()
    for place in (*ring[1:], ring[0]):
        window.mouse.move(*place, steps=3)
        window.evaluate("new Promise(requestAnimationFrame)")  # a busy browser takes several moves for one
    with window.expect_response("**/edits") as answer:
        window.mouse.up()
    assert answer.value.ok, answer.value.text()
    window.wait_for_selector("path.finding.diffuse.current")
    drawn = scores(window)
    assert drawn[0] > before[0]
    assert drawn[1] > before[1]
    assert int(drawn[2]) >= 4
    assert drawn[3] > before[3]
    with window.expect_response("**/undo"):
        window.keyboard.press("z")
    window.get_by_role("tab", name=f"Foci ({before[3]})").wait_for()
    assert scores(window) == before
    with window.expect_response("**/redo"):
        window.keyboard.press("y")
    window.get_by_role("tab", name=f"Foci ({drawn[3]})").wait_for()
    assert scores(window) == drawn
    with window.expect_response("**/undo"):
        window.keyboard.press("z")
    window.get_by_role("tab", name=f"Foci ({before[3]})").wait_for()


def test_an_outline_is_drawn_by_keys_alone(window: Any, loaded: Served) -> None:
    begin(window, loaded)
    before = foci(window)
    window.keyboard.press("d")
    for number, (key, times) in enumerate((("ArrowUp", 8), ("ArrowRight", 8), ("ArrowDown", 16), ("ArrowLeft", 8)), 1):
        for _ in range(times):
            window.keyboard.press(key)
        window.keyboard.press("Space")
        window.wait_for_selector(f"path.trace[data-corners='{number}']", state="attached")
    window.keyboard.press("Backspace")
    window.wait_for_selector("path.trace[data-corners='3']", state="attached")
    assert foci(window) == before
    with window.expect_response("**/edits") as answer:
        window.keyboard.press("Enter")
    assert answer.value.ok, answer.value.text()
    window.wait_for_function("n => !document.body.innerText.includes(`Foci (${n})`)", arg=before)
    window.locator("path.trace").wait_for(state="detached")
    window.keyboard.press("Escape")
    window.wait_for_selector("button[aria-pressed=false]:text-is('Outline')")
    assert not AXE.is_file() or axe(window, AXE) == []
    with window.expect_response("**/undo"):
        window.keyboard.press("z")


def test_notes_are_kept_when_the_field_is_left(window: Any, loaded: Served) -> None:
    begin(window, loaded)
    for key, text in (("c", "seen with the clinicians"), ("t", "left adrenal, 3 cm")):
        window.keyboard.press(key)
        window.wait_for_selector("textarea:focus")
        window.keyboard.type(text)
        with window.expect_response("**/edits"):
            window.keyboard.press("Tab")
        window.locator("h1, header").first.click()
    window.reload()
    window.wait_for_selector(".frame path.segment")
    window.get_by_role("tab", name="Notes").click()
    said = [window.locator(f"#note-{name}").input_value() for name in ("comment", "soft_tissue")]
    assert said[0] == "seen with the clinicians"
    assert "left adrenal, 3 cm" in said[1]


def test_files_are_dropped_on_the_worklist_and_what_is_none_is_refused(
    window: Any, loaded: Served, children: list[Path]
) -> None:
    log_in(window, loaded.url, "ada")
    window.locator("tbody tr").first.wait_for()
    rows = window.locator("tbody tr").count()
    files = [("scan.dcm", children[0].read_bytes()), ("letter.txt", b"no scan")]
    window.evaluate(
        """files => {
            const dropped = new DataTransfer();
            for (const [name, text] of files) {
                const bytes = Uint8Array.from(atob(text), one => one.charCodeAt(0));
                dropped.items.add(new File([bytes], name));
            }
            for (const kind of ["dragenter", "dragover", "drop"]) {
                const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: dropped });
                document.querySelector(".worklist").dispatchEvent(event);
            }
        }""",
        [[name, base64.b64encode(data).decode()] for name, data in files],
    )
    window.get_by_text("letter.txt").first.wait_for(timeout=READ_MS)
    window.get_by_text("are here already").first.wait_for()
    assert window.locator("tbody tr").count() == rows
