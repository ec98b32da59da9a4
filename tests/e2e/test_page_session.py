"""What is left in the browser after logout, and what is not lost where a session ends."""

from __future__ import annotations

from typing import Any

import pytest
from browsing import AXE, PASSWORD, Served, axe, enter, log_in, open_for_edits, open_study

PRIOR = "2026-02-03"


def picture_status(page: Any, url: str, cache: str) -> int:
    """The status of a picture, 0 where the browser is not to ask for it and has not kept it."""
    ask = "([url, cache]) => fetch(url, {cache, mode: 'same-origin'}).then(answer => answer.status, () => 0)"
    return int(page.evaluate(ask, [url, cache]))


def test_a_picture_is_shown_to_who_is_logged_in_alone_and_leaves_the_browser_at_logout(
    window: Any, loaded: Served
) -> None:
    log_in(window, loaded.url, "ada")
    with window.expect_response("**/anterior.f32") as answer:
        open_study(window, PRIOR)
    url = answer.value.url
    answer.value.finished()
    assert picture_status(window, url, "only-if-cached") == 200
    session = window.context.cookies()
    window.context.clear_cookies()
    assert picture_status(window, url, "default") == 401
    window.context.add_cookies(session)
    assert picture_status(window, url, "default") == 200
    assert picture_status(window, url, "only-if-cached") == 200
    window.get_by_role("button", name="Log out").click()
    window.wait_for_selector(".login")
    assert picture_status(window, url, "only-if-cached") in {0, 504}


def write_comment(page: Any, text: str) -> None:
    page.get_by_role("tab", name="Notes").click()
    page.locator("#note-comment").fill(text)


def test_a_session_that_ends_asks_for_the_password_over_the_study_and_goes_on(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "ada")
    open_for_edits(window, PRIOR)
    write_comment(window, "typed before")
    window.context.clear_cookies()
    window.keyboard.press("Tab")
    password = window.locator("dialog").get_by_label("Password")
    password.fill("another")
    for _ in range(3):
        window.keyboard.press("Escape")
    assert password.input_value() == "another"
    assert window.locator("dialog").get_by_role("button", name="Close").count() == 0
    assert not AXE.is_file() or axe(window, AXE) == []
    window.keyboard.press("Enter")
    window.get_by_role("alert").wait_for()
    password.fill(PASSWORD)
    with window.expect_response(lambda answer: "/edits" in answer.url and answer.ok):
        window.keyboard.press("Enter")
    window.locator("dialog").wait_for(state="detached")
    assert window.locator("#note-comment").input_value() == "typed before"
    window.reload()
    window.get_by_role("tab", name="Notes").click()
    assert window.locator("#note-comment").input_value() == "typed before"


@pytest.mark.parametrize("way", ["reload", "somebody else"])
def test_a_note_that_could_not_be_kept_is_offered_again(window: Any, loaded: Served, way: str) -> None:
    log_in(window, loaded.url, "ada")
    open_for_edits(window, PRIOR)
    write_comment(window, f"typed in vain, {way}")
    window.context.clear_cookies()
    if way == "reload":
        window.reload()
    else:
        window.keyboard.press("Tab")
        window.get_by_role("button", name="As somebody else").click()
        enter(window, "bo", ".review")
        window.get_by_role("tab", name="Notes").click()
        assert "in vain" not in window.locator("#note-comment").input_value()
        window.get_by_role("button", name="Log out").click()
    enter(window, "ada", ".review")
    window.get_by_role("tab", name="Notes").click()
    assert window.locator("#note-comment").input_value() == f"typed in vain, {way}"
    window.locator("#note-comment").focus()
    with window.expect_response("**/edits") as answer:
        window.keyboard.press("Tab")
    assert answer.value.ok
    window.wait_for_function("() => Object.keys(sessionStorage).every(key => !key.startsWith('comment'))")
