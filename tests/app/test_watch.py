"""The watched folder: what is taken in, when, and what becomes of what cannot be."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from serving import Page, Served, sorted_only
from sqlalchemy.exc import OperationalError

from osteoscope.app import arrivals, watch
from osteoscope.app.errors import Refused
from osteoscope.app.watch import Watcher

Files = list[tuple[str, bytes]]
Fresh = Callable[..., tuple[Served, Page]]


def watching(folder: Path, fresh: Fresh, **options: Any) -> tuple[Served, Page, Watcher]:
    """A server and what watches a new folder with an empty one, "exam", in it."""
    (folder / "exam").mkdir(parents=True)
    served, page = fresh(watch=str(folder), **{"readable_after": 60, **options})
    return served, page, Watcher(served.settings, served.store, lambda: None)


def after(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.monotonic
    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: now() + seconds))


def uploads(served: Served) -> list[str]:
    return [path.name for path in served.settings.uploads.iterdir()]


def told(served: Served) -> list[str]:
    lines = served.login("ada").get("/api/audit")
    return [line["detail"]["entry"] for line in lines if line["action"] == "not taken"]


def test_a_watched_folder_is_taken_once_it_rests(
    fresh: Fresh, child: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = tmp_path / "watched"
    served, page, watcher = watching(watched, fresh)
    for name, data in child:
        (watched / "exam" / name).write_bytes(data)
    (watched / "link").symlink_to("/etc/passwd")
    assert [watcher.look(), watcher.look()] == [0, 0]
    after(monkeypatch, 61)
    assert [watcher.look(), watcher.look()] == [1, 0]
    sorted_only(served)
    assert page.get("/api/studies")["total"] == 1
    assert len(list((watched / "exam").iterdir())) == len(child)
    again = Watcher(served.settings, served.store, lambda: None)
    after(monkeypatch, 183)
    assert [again.look(), again.look()] == [0, 0]


@pytest.mark.parametrize("stated", [1, 4_000_000_000])
def test_a_copy_is_taken_once_it_is_complete_whatever_times_it_bears(
    fresh: Fresh, child: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: int
) -> None:
    watched = tmp_path / "watched"
    served, page, watcher = watching(watched, fresh)

    def copy(name: str, data: bytes) -> None:
        (watched / "exam" / name).write_bytes(data)
        os.utime(watched / "exam" / name, (stated, stated))

    name, data = child[0]
    copy(name, data[:1000])
    assert [watcher.look(), watcher.look()] == [0, 0]
    after(monkeypatch, 61)
    for arrived in (data, *(data for _, data in child[1:])):
        copy(name, arrived)
        assert watcher.look() == 0
        name += "x"
    assert watcher.look() == 0
    after(monkeypatch, 122)
    assert [watcher.look(), watcher.look()] == [1, 0]
    sorted_only(served)
    assert page.get("/api/studies")["total"] == 1


def test_what_cannot_be_taken_from_the_watched_folder_holds_up_nothing_and_is_said_once(
    fresh: Fresh, child: Files, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = tmp_path / "watched"
    most = max(len(data) for _, data in child)
    served, _, watcher = watching(watched, fresh, readable_after=0, upload_bytes=most)
    (watched / "a-huge.dcm").write_bytes(bytes(most + 1))
    (watched / "b-child.dcm").write_bytes(child[0][1])
    assert [watcher.look(), watcher.look(), watcher.look()] == [0, 1, 0]
    assert sum("a-huge.dcm" in line and "larger than" in line for line in caplog.messages) == 1
    assert told(served) == ["a-huge.dcm"]
    assert list(served.settings.uploads.glob("*.part")) == []


def test_what_cannot_be_taken_is_tried_ever_more_seldom_until_it_changes(
    fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, watcher = watching(tmp_path / "watched", fresh, readable_after=0)
    tried: list[float] = []

    def no_space(*_: object) -> None:
        tried.append(0)
        raise Refused(507, "upload files", "no space", "Free some")

    monkeypatch.setattr(watch, "check_space", no_space)
    entry = tmp_path / "watched" / "exam" / "one"
    entry.write_bytes(b"x")
    for second in range(600):
        after(monkeypatch, second)
        watcher.look()
    assert 5 < len(tried) < 12
    before = len(tried)
    entry.write_bytes(b"xy")
    watcher.look()
    watcher.look()
    assert len(tried) == before + 1


def test_a_database_that_is_away_fills_no_disk(
    fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served, _, watcher = watching(tmp_path / "watched", fresh, readable_after=0)
    for name in ("exam/one", "two"):
        (tmp_path / "watched" / name).write_bytes(b"x")

    def away(*_: object, **__: object) -> None:
        raise OperationalError("", {}, Exception("the connection was refused"))

    with monkeypatch.context() as patch:
        patch.setattr(arrivals, "_enter", away)
        patch.setattr("osteoscope.app.watch.audit.note", away)
        assert [watcher.look() for _ in range(4)] == [0, 0, 0, 0]
        assert uploads(served) == []
        said = [line.split()[0] for line in caplog.messages if "is not taken" in line]
        assert said == ["exam", "two"]
    after(monkeypatch, 60)
    assert [watcher.look(), watcher.look()] == [2, 0]
    assert len(uploads(served)) == 2


def test_what_was_taken_is_not_taken_again_where_that_cannot_be_written_down(
    fresh: Fresh, child: Files, tmp_path: Path
) -> None:
    served, _, watcher = watching(tmp_path / "watched", fresh, readable_after=0)
    (tmp_path / "watched" / "exam" / "one").write_bytes(child[0][1])
    in_the_way = served.settings.home / "watched.part"
    in_the_way.mkdir()
    assert [watcher.look() for _ in range(3)] == [0, 1, 0]
    assert len(uploads(served)) == 1
    in_the_way.rmdir()
    watcher.look()
    again = Watcher(served.settings, served.store, lambda: None)
    assert [again.look(), again.look()] == [0, 0]


def test_a_file_that_cannot_be_read_lets_no_other_be_copied(
    fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, _, watcher = watching(tmp_path / "watched", fresh, readable_after=0)
    for name in ("a", "locked"):
        (tmp_path / "watched" / "exam" / name).write_bytes(b"x")
    plainly, begun = Path.open, list[str]()

    def opened(path: Path, *args: Any, **more: Any) -> Any:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return plainly(path, *args, **more)

    monkeypatch.setattr(Path, "open", opened)
    monkeypatch.setattr(watch, "Landing", lambda *_: begun.append("landing"))
    assert [watcher.look(), watcher.look()] == [0, 0]
    assert begun == []
    assert told(served) == ["exam"]


def test_a_folder_that_cannot_be_looked_into_holds_up_no_other(
    fresh: Fresh, child: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, _, watcher = watching(tmp_path / "watched", fresh, readable_after=0)
    for name in ("exam/secret.dcm", "open.dcm"):
        (tmp_path / "watched" / name).write_bytes(child[0][1])
    plainly = Path.is_file

    def is_file(path: Path) -> bool:
        if path.name == "secret.dcm":  # as in a folder of mode 444, which root may look into
            raise PermissionError(13, "Permission denied", str(path))
        return plainly(path)

    monkeypatch.setattr(Path, "is_file", is_file)
    assert [watcher.look() for _ in range(3)] == [0, 1, 0]
    assert told(served) == ["exam"]
