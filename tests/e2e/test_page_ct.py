"""The CT review as radiologists use it. The tests go on from one another."""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
from typing import Any

import pytest
from browsing import (
    AXE,
    READ_MS,
    Served,
    axe,
    cross_of,
    log_in,
    moving_cross,
    open_ct,
    open_study,
    plane,
    start_brush,
    staying,
)

CT, PRIOR = "2026-03-01", "2025-12-01"
# Letters left, right, top and bottom of each plane, and which way each is in LPS.
SIDES = {"axial": "RLAP", "coronal": "RLHF", "sagittal": "APHF"}
WAYS = {"R": (0, -1), "L": (0, 1), "A": (1, -1), "P": (1, 1), "F": (2, -1), "H": (2, 1)}


def test_axe_finds_nothing_serious_and_presets_follow_the_keys(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "bo")
    open_ct(window)
    assert not AXE.is_file() or axe(window, AXE) == []
    bone, soft = (window.get_by_role("button", name=name, exact=True) for name in ("Bone", "Soft tissue"))
    assert (bone.get_attribute("aria-pressed"), soft.get_attribute("aria-pressed")) == ("true", "false")
    before = window.locator(".volumes canvas").first.screenshot()
    window.keyboard.press("b")
    window.wait_for_selector("button[aria-pressed=true]:text-is('Soft tissue')")
    until = time.monotonic() + 30
    while window.locator(".volumes canvas").first.screenshot() == before:
        assert time.monotonic() < until
    window.keyboard.press("b")
    window.locator(".tools small", has_text="Width 1500, level 300 HU").wait_for()
    planes = window.locator(".volumes canvas").first.bounding_box()
    window.mouse.move(planes["x"] + 150, planes["y"] + 100)
    window.mouse.down(button="right")
    window.mouse.move(planes["x"] + 190, planes["y"] + 120, steps=3)
    window.mouse.up(button="right")
    window.locator(".tools small", has_text="Width 1500, level 300 HU").wait_for(state="detached")
    assert (bone.get_attribute("aria-pressed"), soft.get_attribute("aria-pressed")) == ("false", "false")
    bone.click()
    window.locator(".tools small", has_text="Width 1500, level 300 HU").wait_for()
    assert bone.get_attribute("aria-pressed") == "true"
    window.keyboard.press("ArrowDown")
    window.locator("li.lesion.current").wait_for()
    assert not AXE.is_file() or axe(window, AXE) == []


def compared(page: Any) -> list[tuple[str, str, str]]:
    """What the page says of each lesion, once it was asked to compare: the call, and the volumes before and now."""
    page.get_by_role("button", name="Compare the lesions with this prior").click()
    page.locator("[data-calls]").wait_for(timeout=READ_MS)
    rows = page.locator("tr[data-call]").all()
    return [(row.get_attribute("data-call"), *row.locator("td.number").all_inner_texts()) for row in rows]


def test_lesions_of_two_dates_stand_beside_each_other_with_their_calls(window: Any, loaded: Served) -> None:
    """The lesion of both dates stays as it was; once the reader has rejected it at the later one, it is gone."""
    log_in(window, loaded.url, "bo")
    open_study(window, CT)
    lesions = window.locator("li.lesion").count()
    window.get_by_role("tab", name="Prior").click()
    window.locator("#prior-choice option", has_text=PRIOR).wait_for(state="attached")
    for head in ("Before, mL", "Now, mL"):
        assert window.get_by_role("columnheader", name=head).count() == 0
    rows = compared(window)
    for head in ("Before, mL", "Now, mL"):
        assert window.get_by_role("columnheader", name=head).count() == 1
    assert len([now for _, _, now in rows if now != "–"]) == lesions
    stable = max(rows, key=lambda row: row[0] == "stable")
    assert stable[0] == "stable"
    assert float(stable[2]) == pytest.approx(float(stable[1]), rel=0.25)
    said = window.locator("[data-calls]").inner_text()
    assert f"{len([call for call, *_ in rows if call == 'stable'])} stable" in said
    report = window.get_by_role("link", name="Report of the comparison").get_attribute("href")
    assert window.evaluate("async url => (await fetch(url)).headers.get('content-type')", report) == "application/pdf"

    window.locator("tr[data-call=stable] button").first.click()
    with window.expect_response("**/edits") as answer:
        window.keyboard.press("r")
    assert answer.value.ok, answer.value.text()
    after = compared(window)
    assert ("gone", stable[1], "–") in after
    assert len(after) == len(rows)
    window.keyboard.press("z")
    window.get_by_role("tab", name=f"Lesions ({lesions})").wait_for()


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
    window.locator("li.lesion.current[data-lesion^=P]").wait_for()
    assert window.locator("li.lesion").count() == number + 1
    window.keyboard.press("r")
    window.locator("li.lesion[data-lesion^=P]").wait_for(state="detached")
    assert window.locator("li.lesion").count() == number
    window.keyboard.press("s")
    window.wait_for_selector("dialog .facts")
    window.keyboard.press("Space")
    window.keyboard.press("Enter")
    window.locator("[data-signed=true]").wait_for(timeout=READ_MS)


def mask_of(page: Any, lesion: str) -> dict[str, Any]:
    base = "/api/studies/" + page.url.rsplit("/", 1)[-1]
    reading = page.evaluate("base => fetch(base + '/reading').then(r => r.json())", base)
    found = next(one for one in reading["findings"] if one["id"] == lesion)
    (part,) = found["region"]["parts"]
    return {"voxels": sum(part["mask"]["runs"][1::2]), "first": part["offset"][1],
            "last": part["offset"][1] + part["mask"]["shape"][1]}  # fmt: skip


def test_the_brush_changes_a_mask(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_ct(window)
    start_brush(window)
    drawn = str(window.locator("li.lesion.current").get_attribute("data-lesion"))
    before = mask_of(window, drawn)
    at = window.locator(".tile[data-plane=sagittal]").bounding_box()
    x, y = at["x"] + at["width"] * 0.2, at["y"] + at["height"] * 0.2
    window.mouse.move(x, y)
    window.mouse.down()
    window.mouse.move(x + 25, y + 10, steps=4)
    window.mouse.up()
    asked = staying(window)
    window.get_by_role("link", name="Back to the worklist").click()
    assert "A mask is being drawn" in asked[0]
    for key in ("ArrowDown", "n", "r"):
        window.keyboard.press(key)
    window.locator("li.lesion .jump").last.click(force=True)
    assert window.locator("dialog").count() == 0
    with window.expect_response("**/edits") as answer:
        window.get_by_role("button", name="Keep the mask").click()
    assert answer.value.status == 200, answer.value.text()
    edit = json.loads(answer.value.request.post_data)["edit"]
    assert (edit["op"], edit["finding"]) == ("mask", drawn)
    assert gzip.decompress(base64.b64decode(edit["mask"])).count(1) > before["voxels"]
    rows = edit["box"][1]
    assert rows[0] < before["first"], "drawn at the left of the sagittal plane: in front"
    assert rows[1] == before["last"]
    window.locator(".mask-tools").wait_for(state="detached")


def letters_tell_where_each_plane_points(page: Any) -> None:
    """A place further left or up lies further towards the letter of that edge."""
    canvas = page.locator(".volumes canvas").first.bounding_box()
    for name, letters in SIDES.items():
        tile = page.locator(f".tile[data-plane={name}]")
        assert tile.locator("b").all_inner_texts() == list(letters)
        box, places = plane(page, name), []
        for share in (0.3, 0.7):
            x, y = box["x"] + share * box["width"], box["y"] + share * box["height"]
            with moving_cross(page):
                page.mouse.click(canvas["x"] + x, canvas["y"] + y)
            places.append(cross_of(page))
        for letter in (letters[0], letters[2]):
            axis, way = WAYS[letter]
            assert way * (places[0][axis] - places[1][axis]) > 20, (name, letter, places)
        mm = float(tile.locator(".scale").inner_text().removesuffix(" mm"))
        axis = WAYS[letters[0]][0]
        along = abs(places[0][axis] - places[1][axis]) / (0.4 * box["width"])
        assert mm / tile.locator(".scale").bounding_box()["width"] == pytest.approx(along, rel=0.1)
    assert re.fullmatch(r"-?\d+ HU", page.locator(".tools .hu").inner_text())
    page.get_by_role("button", name="Français").click()
    assert page.locator(".tile[data-plane=axial] b").all_inner_texts() == list("DGAP")
    page.get_by_role("button", name="English").click()


def test_the_cross_is_moved_by_keys_in_all_three_planes_and_the_solid_is_turned(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_ct(window)
    assert window.get_by_role("button", name="Add a lesion at the cross").is_enabled()
    letters_tell_where_each_plane_points(window)
    window.locator(".volumes canvas").first.hover()
    window.keyboard.press("PageUp")
    for axis, key in enumerate(("h", "j", "PageDown")):
        before = cross_of(window)
        with moving_cross(window):
            window.keyboard.press(key)
        after = cross_of(window)
        assert [n for n in range(3) if after[n] != before[n]] == [axis]
    solid = window.locator(".volumes canvas").last
    solid.focus()
    shown = solid.screenshot()
    for _ in range(4):
        window.keyboard.press("l")
    window.wait_for_timeout(1000)
    assert solid.screenshot() != shown
    assert cross_of(window) == after


def test_the_wheel_with_ctrl_zooms_where_the_pointer_is(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_ct(window)
    planes = window.locator(".volumes canvas").first
    box = plane(window, "sagittal")
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5

    def clicked(right: float) -> list[int]:
        planes.click(position={"x": x + right, "y": y})
        window.wait_for_timeout(300)
        return cross_of(window)

    middle, side = clicked(0), clicked(60)
    planes.hover(position={"x": x, "y": y})
    window.keyboard.down("Control")
    for _ in range(4):
        window.mouse.wheel(0, -69.3)  # pixels: twice as large after four
    window.keyboard.up("Control")
    window.wait_for_timeout(300)
    assert clicked(0) == pytest.approx(middle, abs=4)
    whole, zoomed = (max(abs(a - b) for a, b in zip(middle, far, strict=True)) for far in (side, clicked(60)))
    assert zoomed == pytest.approx(whole / 2, abs=5)


def test_the_planes_have_no_keys_and_no_window_behind_the_page(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_ct(window)
    alerts: list[str] = []

    def told(alert: Any) -> None:
        alerts.append(alert.message)
        alert.dismiss()

    window.on("dialog", told)
    planes = window.locator(".volumes canvas").first
    place = {"x": planes.bounding_box()["width"] * 0.2, "y": planes.bounding_box()["height"] * 0.3}
    planes.click(position=place)
    for n in range(10):
        with moving_cross(window):
            window.keyboard.press("m")
            window.mouse.wheel(0, 100 if n % 2 else -100)
    window.keyboard.press("?")
    window.locator("dialog").wait_for()
    window.keyboard.press("Escape")
    assert alerts == []
    planes.click(position=place)
    window.wait_for_timeout(1000)
    shown = planes.screenshot()
    planes.dblclick(position=place)
    window.wait_for_timeout(1000)
    assert planes.screenshot() == shown
