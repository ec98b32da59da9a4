"""What must not go wrong between reader and page: fingers, two dates, what was typed, what is signed, who sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from browsing import READ_MS, Served, foci, level, log_in, open_for_edits, open_study, pixel

PRIOR, CURRENT = "2026-02-03", "2026-04-03"


@pytest.fixture
def tablet(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1024, "height": 768}, has_touch=True, locale="en-GB")
    context.set_default_timeout(30_000)
    page = context.new_page()
    yield page
    context.close()


def box(page: Any, number: int = 0) -> list[float]:
    """Left, top, width and height of what a view shows, in its pixels."""
    return [float(n) for n in str(page.locator(f".frame >> nth={number}").get_attribute("data-box")).split()]


def middle(page: Any, number: int = 0) -> tuple[float, float]:
    left, top, width, height = box(page, number)
    return left + width / 2, top + height / 2


def fingers(page: Any, *steps: list[tuple[float, float]]) -> None:
    """Put fingers down at the first step, move them through the others, lift them."""
    hand = page.context.new_cdp_session(page)
    for n, step in enumerate(steps):
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(step)]
        hand.send("Input.dispatchTouchEvent", {"type": "touchMove" if n else "touchStart", "touchPoints": points})
        page.wait_for_timeout(60)
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_fingers_tap_drag_pinch_and_move(tablet: Any, loaded: Served) -> None:
    log_in(tablet, loaded.url, "ada")
    open_for_edits(tablet, PRIOR)
    whole, number = box(tablet), foci(tablet)
    frame = tablet.locator(".frame").first.bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 3
    fingers(tablet, [(x - 20, y), (x + 20, y)], [(x - 30, y), (x + 30, y)], [(x - 40, y), (x + 40, y)])
    tablet.wait_for_function("was => Number(document.querySelector('.frame').dataset.box.split(' ')[2]) < was / 1.8",
                             arg=whole[2])  # fmt: skip
    before = middle(tablet)
    fingers(tablet, [(x - 20, y), (x + 20, y)], [(x - 20, y + 60), (x + 20, y + 60)])
    tablet.wait_for_function("was => Number(document.querySelector('.frame').dataset.box.split(' ')[1]) < was - 5",
                             arg=before[1] - box(tablet)[3] / 2)  # fmt: skip
    assert foci(tablet) == number
    upper = tablet.locator(".tools output").first.inner_text()
    fingers(tablet, [(x, y)], [(x, y + 40)], [(x, y + 80)])
    tablet.wait_for_function("was => document.querySelector('.tools output').innerText !== was", arg=upper)
    tablet.get_by_role("button", name="Whole body").click()
    left, top, width, height = box(tablet)
    with tablet.expect_response("**/edits"):
        tablet.touchscreen.tap(*pixel(tablet, "anterior", left + width / 2, top + height * 0.62))
    tablet.wait_for_function("n => !document.body.innerText.includes(`Foci (${n})`)", arg=number)
    assert abs(foci(tablet) - number) == 1
    with tablet.expect_response("**/undo"):
        tablet.keyboard.press("z")


def test_a_tablet_gives_the_images_its_whole_width_and_a_tap_moves_the_cross(tablet: Any, loaded: Served) -> None:
    log_in(tablet, loaded.url, "ada")
    open_study(tablet, "2026-03-01")
    tablet.wait_for_selector("[data-stage=all]", timeout=READ_MS)
    for language in ("Français", "English"):
        tablet.get_by_role("button", name=language).click()
        assert tablet.locator("header.bar").bounding_box()["height"] < 90
    planes = tablet.locator(".volumes").bounding_box()
    assert planes["width"] > 1000
    cross = tablet.locator(".images .tools small.number")
    said = []
    for share in (0.15, 0.2):
        fingers(tablet, [(planes["x"] + share * planes["width"], planes["y"] + planes["height"] / 2)])
        tablet.wait_for_timeout(1000)  # two taps in half a second are NiiVue's double tap
        said.append(cross.inner_text())
    assert said[0] != said[1]


def test_the_cross_is_moved_by_keys_in_all_three_planes(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_study(window, "2026-03-01")
    window.wait_for_selector("[data-stage=all]", timeout=READ_MS)
    window.locator(".volumes canvas").first.focus()
    window.keyboard.press("PageUp")
    cross = window.locator(".images .tools small.number")
    for axis, key in enumerate(("h", "j", "PageDown")):
        before = cross.inner_text().removesuffix(" mm").split(" / ")
        window.keyboard.press(key)
        window.wait_for_function(
            "was => document.querySelector('.images .tools small.number').innerText !== was",
            arg=" / ".join(before) + " mm",
        )
        after = cross.inner_text().removesuffix(" mm").split(" / ")
        assert [n for n in range(3) if after[n] != before[n]] == [axis]


def test_the_prior_shows_the_same_place_of_the_body_and_leads_too(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_study(window, CURRENT)
    window.wait_for_selector(".frame path.segment")
    window.keyboard.press("p")
    window.locator(".frame >> nth=3").wait_for()
    window.locator(".frame >> nth=2").locator("path.segment").first.wait_for(state="attached")
    for _ in range(4):
        window.keyboard.press("i")
    apart = [a - b for a, b in zip(middle(window), middle(window, 2), strict=True)]

    def drag(number: int, by: float) -> None:
        at = window.locator(f".frame >> nth={number}").bounding_box()
        x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
        window.keyboard.down("Shift")
        window.mouse.move(x, y)
        window.mouse.down()
        window.mouse.move(x, y + by, steps=4)
        window.mouse.up()
        window.keyboard.up("Shift")

    for number, by in ((0, 60), (2, -120)):
        before = middle(window)[1]
        drag(number, by)
        window.wait_for_timeout(200)
        assert abs(middle(window)[1] - before) > 5
        now = [a - b for a, b in zip(middle(window), middle(window, 2), strict=True)]
        assert now == pytest.approx(apart, abs=6)


def test_what_was_typed_is_kept_when_the_page_is_left_without_leaving_the_field(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_for_edits(window, PRIOR)
    address = window.url
    for text, leave in (("back", f"{loaded.url}#/"), ("gone", "about:blank")):
        window.get_by_role("tab", name="Notes").click()
        window.locator("#note-comment").fill(text)
        window.goto(leave)
        window.wait_for_timeout(500)
        window.goto(address)
        window.wait_for_selector(".frame path.segment")
        window.get_by_role("tab", name="Notes").click()
        assert window.locator("#note-comment").input_value() == text
    window.locator("#note-comment").fill("")
    with window.expect_response("**/edits"):
        window.keyboard.press("Tab")


def test_a_change_on_its_way_is_signed_with_the_rest(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_for_edits(window, PRIOR)
    base = "/api/studies/" + window.url.rsplit("/", 1)[-1]
    wanted = 3 if level(window, "skull") != "3" else 2

    def slow(route: Any) -> None:
        time.sleep(2)
        route.continue_()

    window.route("**/edits", slow)
    window.locator("[data-site=skull]").hover()
    for key in (str(wanted), "s", "Space", "Enter"):
        window.keyboard.press(key)
    window.locator("[data-signed]").wait_for(timeout=READ_MS)
    reading = window.evaluate("base => fetch(base + '/reading').then(r => r.json())", base)
    skull = next(site for site in reading["sites"] if site["site"] == "skull")
    assert next(m["value"] for m in skull["measures"] if m["name"] == "siopen") == wanted
    assert window.get_by_role("alert").count() == 0


def test_the_owner_closes_a_study_and_opens_it_to_one_user(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_study(window, CURRENT)
    for everyone, users in ((False, "nobody here"), (False, "bo"), (True, "")):
        window.get_by_role("button", name="Access").click()
        window.get_by_label("Every user").set_checked(everyone)
        window.get_by_label("These users").fill(users)
        with window.expect_response("**/access") as answer:
            window.get_by_role("button", name="Give access").click()
        if users == "nobody here":
            window.get_by_role("alert").get_by_text("no user").wait_for()
            window.keyboard.press("Escape")
            continue
        assert answer.value.json() == {"everyone": everyone, "users": users.split()}
        assert json.loads(answer.value.request.post_data)["everyone"] is everyone
