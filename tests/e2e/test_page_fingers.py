"""Fingers on a tablet: on the views of a child, on the planes of a CT, with the brush."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import Served, cross_of, foci, log_in, open_ct, open_for_edits, pixel, shown_box, start_brush

PRIOR = "2026-02-03"


@pytest.fixture
def tablet(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1024, "height": 768}, has_touch=True, locale="en-GB")
    context.set_default_timeout(30_000)
    page = context.new_page()
    yield page
    context.close()


def fingers(page: Any, *steps: list[tuple[float, float]]) -> None:
    """Put fingers down at the first step, or one more at a later one, move them through the others, lift them."""
    hand, down = page.context.new_cdp_session(page), 0
    for step in steps:
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(step)]
        kind, down = "touchMove" if len(step) == down else "touchStart", len(step)
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(60)
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_fingers_tap_drag_pinch_and_move(tablet: Any, loaded: Served) -> None:
    log_in(tablet, loaded.url, "ada")
    open_for_edits(tablet, PRIOR)
    whole, number = shown_box(tablet), foci(tablet)
    frame = tablet.locator(".frame").first.bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 3
    fingers(tablet, [(x - 20, y), (x + 20, y)], [(x - 30, y), (x + 30, y)], [(x - 40, y), (x + 40, y)])
    tablet.wait_for_function("was => Number(document.querySelector('.frame').dataset.box.split(' ')[2]) < was / 1.8",
                             arg=whole[2])  # fmt: skip
    top = shown_box(tablet)[1]
    fingers(tablet, [(x - 20, y), (x + 20, y)], [(x - 20, y + 60), (x + 20, y + 60)])
    tablet.wait_for_function("was => Number(document.querySelector('.frame').dataset.box.split(' ')[1]) < was - 5",
                             arg=top)  # fmt: skip
    assert foci(tablet) == number
    upper = tablet.locator(".tools output").first.inner_text()
    fingers(tablet, [(x, y)], [(x, y + 40)], [(x, y + 80)])
    tablet.wait_for_function("was => document.querySelector('.tools output').innerText !== was", arg=upper)
    tablet.get_by_role("button", name="Whole body").click()
    left, top, width, height = shown_box(tablet)
    with tablet.expect_response("**/edits"):
        tablet.touchscreen.tap(*pixel(tablet, "anterior", left + width / 2, top + height * 0.45))
    tablet.wait_for_function("n => !document.body.innerText.includes(`Foci (${n})`)", arg=number)
    assert abs(foci(tablet) - number) == 1
    with tablet.expect_response("**/undo"):
        tablet.keyboard.press("z")


def test_a_tablet_gives_the_images_its_whole_width_and_a_tap_moves_the_cross(tablet: Any, loaded: Served) -> None:
    log_in(tablet, loaded.url, "ada")
    open_ct(tablet)
    for language in ("Français", "English"):
        tablet.get_by_role("button", name=language).click()
        assert tablet.locator("header.bar").bounding_box()["height"] < 90
    planes = tablet.locator(".volumes").bounding_box()
    assert planes["width"] > 1000
    said = []
    for share in (0.15, 0.2):
        fingers(tablet, [(planes["x"] + share * planes["width"], planes["y"] + planes["height"] / 2)])
        tablet.wait_for_timeout(300)
        said.append(cross_of(tablet))
    assert said[0] != said[1]


def tap(page: Any, x: float, y: float) -> list[int]:
    """The place, in mm, of a tap on the planes of a CT."""
    fingers(page, [(x, y)])
    page.wait_for_timeout(300)
    return cross_of(page)


def test_two_fingers_zoom_and_move_the_planes_of_a_ct(tablet: Any, loaded: Served) -> None:
    log_in(tablet, loaded.url, "ada")
    open_ct(tablet)
    planes = tablet.locator(".volumes canvas").first.bounding_box()
    x, y = planes["x"] + 0.2 * planes["width"], planes["y"] + 0.3 * planes["height"]
    middle, side = tap(tablet, x, y), tap(tablet, x + 80, y)
    whole = max(abs(a - b) for a, b in zip(middle, side, strict=True))
    assert whole > 20
    tap(tablet, x + 40, y + 20)
    before = cross_of(tablet)
    fingers(tablet, [(x - 30, y)], [(x - 30, y), (x + 30, y)], [(x - 45, y), (x + 45, y)], [(x - 60, y), (x + 60, y)])
    assert cross_of(tablet) == before
    assert tap(tablet, x, y) == pytest.approx(middle, abs=4)
    zoomed = max(abs(a - b) for a, b in zip(tap(tablet, x + 80, y), middle, strict=True))
    assert zoomed == pytest.approx(whole / 2, abs=5)
    fingers(
        tablet, [(x - 30, y), (x + 30, y)], [(x - 30, y + 20), (x + 30, y + 20)], [(x - 30, y + 40), (x + 30, y + 40)]
    )
    assert tap(tablet, x, y + 40) == pytest.approx(middle, abs=4)
    fingers(tablet, [(x - 90, y), (x + 90, y)], [(x - 60, y), (x + 60, y)], [(x - 20, y), (x + 20, y)])
    assert tap(tablet, x, y) == pytest.approx(middle, abs=4)


def test_a_finger_draws_and_two_fingers_draw_nothing(tablet: Any, loaded: Served) -> None:
    log_in(tablet, loaded.url, "ada")
    open_ct(tablet)
    start_brush(tablet)
    canvas = tablet.locator(".volumes canvas").first
    planes = canvas.bounding_box()
    x, y = planes["x"] + 0.2 * planes["width"], planes["y"] + 0.2 * planes["height"]
    shots = [canvas.screenshot()]
    fingers(tablet, [(x, y)], [(x, y), (x + 60, y)], [(x - 40, y), (x + 100, y)], [(x, y), (x + 60, y)])
    shots.append(canvas.screenshot())
    assert shots[1] == shots[0]
    for n in (1, 2):
        fingers(tablet, [(x, y + 20 * n)], [(x + 20, y + 20 * n)], [(x + 40, y + 20 * n)])
        tablet.wait_for_timeout(50)
        shots.append(canvas.screenshot())
    assert len(set(shots)) == 3
    tablet.get_by_role("button", name="Undo").last.click()
    with tablet.expect_response("**/edits") as answer:
        tablet.get_by_role("button", name="Keep the mask").click()
    assert answer.value.ok
    assert json.loads(answer.value.request.post_data)["edit"]["op"] == "mask"
    tablet.locator(".mask-tools").wait_for(state="detached")
    with tablet.expect_response("**/undo"):
        tablet.keyboard.press("z")
