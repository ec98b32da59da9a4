"""A bone's strength as an engineer or a radiologist asks for it on the review page."""

from __future__ import annotations

from typing import Any

from browsing import AXE, READ_MS, Served, axe, log_in, open_study

CT = "2026-03-01"


def pictures_of(page: Any) -> list[Any]:
    return list(page.locator(".strength img").all())


def test_a_bone_is_tested_with_its_lesions_and_shown(window: Any, loaded: Served) -> None:
    log_in(window, loaded.url, "bo")
    open_study(window, CT)
    window.get_by_role("tab", name="Strength").click()
    choice = window.get_by_label("Bone and load")
    assert "compression" in choice.locator("option").first.inner_text()
    window.get_by_role("button", name="Test this bone").click()
    result = window.locator("[data-strength]").first
    result.wait_for(timeout=READ_MS)
    assert result.get_by_role("row", name="Failure load").first.locator("td").inner_text().split()[1] == "N"
    assert result.get_by_role("row", name="Strength lost").first.is_visible()
    widths = [one.evaluate("one => one.decode().then(() => one.naturalWidth)") for one in pictures_of(window)]
    assert len(widths) == 4
    assert min(widths) > 300
    assert window.locator(".strength").evaluate("panel => panel.scrollWidth <= panel.clientWidth")
    assert not AXE.is_file() or axe(window, AXE) == []
    with window.expect_download() as download:
        window.get_by_role("link", name="Report of the strength").evaluate(
            "link => { link.download = ''; link.click() }"
        )
    assert download.value.path().read_bytes()[:4] == b"%PDF"
