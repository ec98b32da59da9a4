from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


def _maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_reference"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", sorted(_maker().PAGES))
def test_generated_pages_are_those_of_the_code(page: str) -> None:
    written = (FOLDER / page).read_text(encoding="utf-8")
    assert written == _maker().PAGES[page](), "run `python docs/reference/make.py`"


def test_every_row_that_the_readme_quotes_was_run() -> None:
    root = FOLDER.parents[1]
    table = [line for line in (root / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    quoted = {row for line in table for row in re.findall(r"`(\w+)`", line.split("|")[-2])}
    run = json.loads((root / "bench" / "results.json").read_text(encoding="utf-8"))
    assert len(quoted) > 10
    assert not quoted - set(run), "run `python bench/run.py` with these rows"
