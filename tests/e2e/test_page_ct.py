"""The CT review as radiologists use it. The tests go on from one another."""

from __future__ import annotations

import json
from typing import Any

from browsing import AXE, Served, axe, log_in, open_study

CT = "2026-03-01"


def open_ct(page: Any) -> None:
    open_study(page, CT)
    page.wait_for_selector("[data-stage=all]", timeout=120_000)


def test_axe_finds_nothing_serious_and_presets_follow_the_keys(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "bo")
    open_ct(window)
    assert not AXE.is_file() or axe(window, AXE) == []
    bone, soft = (window.get_by_role("button", name=name, exact=True) for name in ("Bone", "Soft tissue"))
    assert (bone.get_attribute("aria-pressed"), soft.get_attribute("aria-pressed")) == ("true", "false")
    before = window.locator(".volumes canvas").first.screenshot()
    window.keyboard.press("b")
    window.wait_for_selector("button[aria-pressed=true]:text-is('Soft tissue')")
    window.wait_for_timeout(300)
    assert window.locator(".volumes canvas").first.screenshot() != before
    window.keyboard.press("b")
    window.keyboard.press("ArrowDown")
    window.locator("li.lesion.current").wait_for()
    assert not AXE.is_file() or axe(window, AXE) == []


def test_a_ct_is_judged_and_signed(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "bo")
    open_ct(window)
    window.keyboard.press("ArrowDown")
    first = window.locator("li.lesion.current")
    first.wait_for()
    if "lytic ·" in first.inner_text():
        window.keyboard.press("t")
        window.get_by_text("mixed ·").first.wait_for()
    window.keyboard.press("1")
    window.locator(".mark.right").wait_for()
    window.keyboard.press("a")
    window.get_by_text("accepted").first.wait_for()
    number = window.locator("li.lesion").count()
    window.keyboard.press("n")
    window.get_by_label("Diameter").fill("12")
    window.keyboard.press("Enter")
    window.wait_for_function("n => document.querySelectorAll('li.lesion').length === n", arg=number + 1)
    window.keyboard.press("r")
    window.wait_for_function("n => document.querySelectorAll('li.lesion').length === n", arg=number)
    window.keyboard.press("s")
    window.wait_for_selector("dialog .facts")
    window.keyboard.press("Space")
    window.keyboard.press("Enter")
    window.locator("[data-signed=true]").wait_for(timeout=60_000)


def test_the_brush_changes_a_mask(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_ct(window)
    if window.get_by_role("button", name="Amend").count():
        window.get_by_role("button", name="Amend").click()
        window.get_by_label("Reason").fill("the mask")
        window.keyboard.press("Enter")
        window.locator(".study-bar .state.reviewed").wait_for()
    window.keyboard.press("ArrowDown")
    window.keyboard.press("e")
    window.get_by_role("toolbar", name="Edit mask").wait_for()
    canvas = window.locator(".volumes canvas").first.bounding_box()
    x, y = canvas["x"] + canvas["width"] * 0.2, canvas["y"] + canvas["height"] * 0.2
    window.mouse.move(x, y)
    window.mouse.down()
    window.mouse.move(x + 25, y + 10, steps=4)
    window.mouse.up()
    with window.expect_response("**/edits") as answer:
        window.get_by_role("button", name="Keep the mask").click()
    assert answer.value.status == 200, answer.value.text()
    edit = json.loads(answer.value.request.post_data)["edit"]
    assert edit["op"] == "mask"
