"""What must not go wrong between reader and page: two dates, what was typed, what is signed, who sees it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from browsing import READ_MS, Served, level, log_in, open_for_edits, open_study, shown_box

PRIOR, CURRENT = "2026-02-03", "2026-04-03"


def middle(page: Any, number: int = 0) -> tuple[float, float]:
    left, top, width, height = shown_box(page, number)
    return left + width / 2, top + height / 2


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
    site = "distal_lower_limb_left"  # what is signed stays, and other tests go on from the rest
    wanted = 3 if level(window, site) != "3" else 2

    def slow(route: Any) -> None:
        time.sleep(2)
        route.continue_()

    window.route("**/edits", slow)
    window.locator(f"[data-site={site}]").hover()
    for key in (str(wanted), "s", "Space", "Enter"):
        window.keyboard.press(key)
    window.locator("[data-signed]").wait_for(timeout=READ_MS)
    reading = window.evaluate("base => fetch(base + '/reading').then(r => r.json())", base)
    changed = next(one for one in reading["sites"] if one["site"] == site)
    assert next(m["value"] for m in changed["measures"] if m["name"] == "siopen") == wanted
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
