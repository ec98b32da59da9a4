"""The server is killed while a page is open, and comes back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from browsing import (
    READ_MS,
    answers,
    free_port,
    level,
    link_in,
    make_admin,
    open_study,
    started,
    upload,
    wait_until_read,
)

START_SECONDS = 60


def test_a_page_outlives_its_server_and_keeps_what_was_entered(
    window: Any, built: Path, children: list[Path], tmp_path: Path
) -> None:
    assert built.is_file()
    port = free_port()
    first = started(tmp_path, port)
    second = None
    try:
        make_admin(window, link_in(tmp_path / "serve.log", first, port))
        upload(window, children[:1])
        first.kill()  # while the files are being sorted, or the study read
        first.wait()
        first = restarted(tmp_path, port)
        wait_until_read(window, 1)
        open_study(window, "2026-02-03")
        window.wait_for_selector(".frame path.segment")
        set_skull(window, 3)

        first.kill()
        first.wait()
        window.keyboard.press("5")
        window.get_by_role("alert").get_by_text("cannot be reached").wait_for()
        assert level(window, "skull") == "3"
        second = restarted(tmp_path, port)
        set_skull(window, 5)
        assert window.get_by_role("alert").count() == 0
        with window.expect_response("**/undo"):
            window.keyboard.press("z")
        window.wait_for_selector("[data-site=skull] button[aria-pressed=true]:text('3')")
    finally:
        for process in filter(None, (first, second)):
            process.kill()
            process.wait(30)


def set_skull(page: Any, wanted: int) -> None:
    page.locator("[data-site=skull]").hover()
    with page.expect_response("**/edits", timeout=READ_MS):
        page.keyboard.press(str(wanted))
    page.wait_for_selector(f"[data-site=skull] button[aria-pressed=true]:text('{wanted}')")


def restarted(home: Path, port: int) -> Any:
    process = started(home, port)
    end = time.monotonic() + START_SECONDS
    while not answers(port):
        assert time.monotonic() < end, "the server did not come back"
        assert process.poll() is None, (home / "serve.log").read_text()
        time.sleep(0.2)
    return process
