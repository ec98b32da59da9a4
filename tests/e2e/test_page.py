"""The page as practitioners use it: from the one-time link to signed files. The tests go on from one another."""

from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from browsing import (
    AXE,
    PASSWORD,
    READ_MS,
    Served,
    axe,
    enter,
    foci,
    level,
    log_in,
    open_study,
    pixel,
    total,
)

CURRENT, PRIOR = "2026-04-03", "2026-02-03"


def test_a_wrong_password_and_a_used_link_are_refused(window: Any, loaded: Served) -> None:
    window.goto(loaded.link)
    window.get_by_label("Name").fill("eve")
    window.get_by_label("Password").fill(PASSWORD)
    window.keyboard.press("Enter")
    window.get_by_role("alert").wait_for()
    assert "not a medical device" in window.locator("body").inner_text()


def test_a_child_is_corrected_by_keys_and_clicks_and_taken_back(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_study(window, CURRENT)
    window.locator(".frame canvas").first.wait_for()
    before = total(window, "siopen"), total(window, "curie"), level(window, "skull"), foci(window)

    window.keyboard.press("ArrowDown")
    window.keyboard.press("5")
    window.wait_for_selector("[data-site=skull] button[aria-pressed=true]:text('5')")
    assert total(window, "siopen") == before[0] + 5 - int(before[2])
    window.keyboard.press("x")
    window.wait_for_selector("[data-site=skull] button[aria-pressed=true]:text('?')")
    window.keyboard.press("z")
    window.wait_for_selector("[data-site=skull] button[aria-pressed=true]:text('5')")
    window.locator("[data-site=skull] button", has_text="2").click()
    window.wait_for_selector("[data-site=skull] button[aria-pressed=true]:text('2')")
    window.keyboard.press("z")
    window.keyboard.press("z")
    window.wait_for_selector(f"[data-site=skull] button[aria-pressed=true]:text('{before[2]}')")

    place = spot(window)
    window.mouse.click(*place)
    window.get_by_role("tab", name=f"Foci ({before[3] + 1})").wait_for()
    window.mouse.click(*place)
    window.get_by_role("tab", name=f"Foci ({before[3]})").wait_for()
    window.mouse.click(*place)
    window.get_by_role("tab", name=f"Foci ({before[3] + 1})").wait_for()
    window.keyboard.press("m")
    window.wait_for_selector("li.current select:focus")
    window.locator("li.current select").select_option("skull")
    for tab in ("Curie", "SIOPEN"):
        window.keyboard.press("k")  # chooses no kind of site: the list gave the focus back
        window.get_by_role("tab", name=tab, selected=True).wait_for()
    window.locator("[data-site=skull] button[aria-pressed=true]", has_not_text=before[2]).wait_for()
    can_undo = True
    while can_undo:
        with window.expect_response("**/undo") as answer:
            window.keyboard.press("z")
        can_undo = answer.value.json()["draft"]["can_undo"]
    window.locator("button:disabled", has_text="Undo").wait_for()
    assert (total(window, "siopen"), total(window, "curie"), level(window, "skull"), foci(window)) == before


def spot(page: Any) -> tuple[float, float]:
    """A place where no focus lies: the middle of the skull on the anterior view."""
    page.wait_for_selector(".frame[data-view=anterior] path.segment")
    study = page.evaluate("location.hash.split('/').pop()")
    outlines = page.evaluate("async id => (await fetch(`/api/studies/${id}/outlines`)).json()", study)
    ring = max(outlines["views"]["anterior"]["sites"]["skull"], key=len)
    column, row = (sum(point[axis] for point in ring) / len(ring) for axis in (0, 1))
    return pixel(page, "anterior", column, row)


def test_window_outlines_zoom_and_prior_follow_the_keys(window: Any, loaded: Served) -> None:
    # From the start: what is asked for while a browser begins to intercept may pass.
    broken = threading.Event()
    window.route("**/reading?**", lambda route: route.abort() if broken.is_set() else route.continue_())
    log_in(window, loaded.url, "ada")
    open_study(window, CURRENT)
    window.wait_for_selector(".frame path.segment")
    start = window.locator(".tools output").first.inner_text()
    window.keyboard.press("-")
    window.wait_for_function("was => document.querySelector('.tools output').innerText !== was", arg=start)
    window.keyboard.press("q")
    window.wait_for_selector("button[aria-pressed=true]:text-is('Square root')")
    window.keyboard.press("o")
    window.keyboard.press("O")
    window.locator(".frame path.segment, .frame path.finding").first.wait_for(state="detached")
    whole = window.locator(".frame").first.get_attribute("data-box")
    window.keyboard.press("i")
    window.wait_for_function("was => document.querySelector('.frame').dataset.box !== was", arg=whole)
    window.keyboard.press("w")
    broken.set()
    window.keyboard.press("p")
    window.get_by_role("alert").wait_for()
    broken.clear()
    window.keyboard.press("p")
    window.get_by_role("alert").wait_for(state="detached")
    window.keyboard.press("p")
    window.locator("figcaption", has_text=f"Anterior, {PRIOR}").wait_for()
    window.locator(".frame >> nth=3").wait_for()
    window.keyboard.press("O")
    window.locator(".frame >> nth=3").locator("path.segment").first.wait_for(state="attached")
    window.get_by_role("columnheader", name="Change").wait_for()
    window.get_by_role("tab", name="Prior").click()
    window.get_by_text("INRC").first.wait_for()


def test_axe_finds_nothing_serious_in_either_language(window: Any, loaded: Served) -> None:
    if not AXE.is_file():
        pytest.skip("web/node_modules is absent")
    window.goto(loaded.url)
    window.wait_for_selector("form")
    assert axe(window, AXE) == []
    log_in(window, loaded.url, "ada")
    window.wait_for_selector("tbody tr")
    assert axe(window, AXE) == []
    for page, head, shown in (
        ("users", "Users", "th[scope=row]"),
        ("audit", "Audit", "tbody tr"),
        ("trials", "Reader studies", "main details, main form"),
    ):
        window.goto(f"{loaded.url}#/{page}")
        window.get_by_role("heading", name=head, exact=True).wait_for()
        window.locator(shown).first.wait_for()
        assert axe(window, AXE) == []
    window.get_by_role("button", name="Français").click()
    window.goto(f"{loaded.url}#/")
    window.locator("header").get_by_text("dispositif médical").wait_for()
    open_study(window, CURRENT)
    window.wait_for_selector(".frame path.segment")
    assert window.locator(".frame .side").all_inner_texts() == ["D", "G", "G", "D"]
    window.locator("button.flag").first.press("Enter")
    window.locator("tr.told", has_text="À vérifier").wait_for()
    assert axe(window, AXE) == []
    window.keyboard.press("?")
    window.wait_for_selector("dialog")
    assert axe(window, AXE) == []
    window.keyboard.press("Escape")
    window.keyboard.press("s")
    window.wait_for_selector("dialog .facts")
    assert axe(window, AXE) == []


def test_three_keys_sign_and_the_files_are_written(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_study(window, PRIOR)
    window.wait_for_selector(".frame canvas")
    window.keyboard.press("s")
    facts = window.locator("dialog .facts")
    facts.wait_for()
    assert "E2E-1" in facts.inner_text()
    assert PRIOR in facts.inner_text()
    window.keyboard.press("Space")
    window.keyboard.press("Enter")
    window.locator("[data-signed=true]").wait_for(timeout=READ_MS)
    window.keyboard.press("Enter")
    window.locator(".study-bar .state.signed").wait_for()
    window.wait_for_selector(".steps button:disabled")

    names = {path.name for path in loaded.home.glob("studies/*/**/*") if path.is_file()}
    assert {"reading.json", "report.pdf", "measurements.dcm"} <= names
    window.locator(".files summary").click()
    with window.expect_download() as download:
        window.get_by_role("link", name="reading.json").click()
    said = json.loads(Path(download.value.path()).read_text())
    assert said["reader"] == {"kind": "person", "name": "ada", "version": "", "models": []}

    window.get_by_role("button", name="Amend").click()
    window.get_by_label("Reason").fill("a second look")
    window.keyboard.press("Enter")
    window.locator(".study-bar .state.reviewed").wait_for()


def test_two_users_at_once_keep_their_own_drafts(browser: Any, window: Any, loaded: Served) -> None:
    other = browser.new_context().new_page()
    log_in(window, loaded.url, "ada")
    log_in(other, loaded.url, "bo")
    for page, key in ((window, "3"), (other, "4")):
        open_study(page, CURRENT)
        page.wait_for_selector(".frame canvas")
        page.keyboard.press("ArrowDown")
        page.keyboard.press(key)
        page.wait_for_selector(f"[data-site=skull] button[aria-pressed=true]:text('{key}')")
    for page, key in ((window, "3"), (other, "4")):
        page.reload()
        page.wait_for_selector(f"[data-site=skull] button[aria-pressed=true]:text('{key}')")
    other.context.close()


def test_three_foci_take_three_clicks_and_three_keys(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_study(window, CURRENT)
    before = foci(window)
    x, y = spot(window)
    places = [(x, y), (x - 8, y - 12), (x + 8, y - 12)]
    for number, place in enumerate(places, 1):
        window.mouse.click(*place)
        window.get_by_role("tab", name=f"Foci ({before + number})").wait_for()
    for key in ("s", "Space", "Enter"):
        window.keyboard.press(key)
        window.wait_for_selector("dialog")
    window.locator("[data-signed]").wait_for(timeout=READ_MS)


def delayed(route: Any) -> None:
    time.sleep(2)
    route.continue_()


def test_a_reader_study_hides_the_program_until_the_second_phase(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    window.goto(f"{loaded.url}#/trials")
    window.get_by_text("New reader study").click()
    window.get_by_label("Name").fill("pilot")
    window.get_by_role("button", name="Take all studies").click()
    window.wait_for_function("() => document.querySelector('textarea').value.split('\\n').length === 4")
    assert re.search(r"^\w{32} .*Child, 2026-04-03$", window.locator("textarea").first.input_value(), re.MULTILINE)
    window.get_by_label("Readers").fill("ada")
    window.get_by_role("button", name="Make").click()
    window.get_by_role("alert").get_by_text("sees every Reading").wait_for()
    window.get_by_label("Readers").fill("rea")
    window.get_by_role("button", name="Make").click()
    window.get_by_role("heading", name="pilot").wait_for()
    window.get_by_role("button", name="Log out").click()
    enter(window, "rea", "h1")
    window.get_by_role("button", name="Next case").click()
    window.wait_for_selector(".review")
    window.get_by_text("without the program").first.wait_for()
    said = window.locator("body").inner_text()
    assert "E2E-1" not in said
    assert "Test^Child" not in said
    assert window.get_by_role("button", name="Sign").count() == 0
    assert not AXE.is_file() or axe(window, AXE) == []
    window.wait_for_timeout(2000)
    window.reload()
    window.wait_for_selector(".review")
    assert window.get_by_role("timer").inner_text() >= "0:02"
    window.get_by_role("button", name="Finish case").click()
    window.get_by_text("cannot be opened or changed again").wait_for()
    assert not AXE.is_file() or axe(window, AXE) == []
    window.keyboard.press("Escape")
    window.locator("dialog").wait_for(state="detached")
    window.route("**/edits", delayed)
    with window.expect_response("**/finish") as answer, window.expect_response("**/edits") as edited:
        window.keyboard.press("c")
        window.locator("#note-comment").fill("seen")
        window.get_by_role("button", name="Finish case").click()
        window.locator("dialog").wait_for()
        window.keyboard.press("Enter")
    assert edited.value.ok
    assert answer.value.ok
    assert answer.value.json()["done"] == 1
    assert json.loads(answer.value.request.post_data)["seconds"] > 0
