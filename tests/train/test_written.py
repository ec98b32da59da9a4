"""A file is there as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from osteoscope.train.written import written


def cut_off(path: Path) -> None:
    with written(path) as unfinished:
        unfinished.write_text("ha")
        raise RuntimeError("cut off")


def test_what_is_cut_off_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "scan.npz"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        cut_off(path)
    assert path.read_text() == "old"
    with written(path) as unfinished:
        assert unfinished.suffix == path.suffix
        unfinished.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
