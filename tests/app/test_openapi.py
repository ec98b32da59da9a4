from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_committed_document_is_current() -> None:
    made = runpy.run_path(str(ROOT / "scripts" / "openapi.py"))["document"]()
    assert (ROOT / "web" / "openapi.json").read_text(encoding="utf-8") == made, (
        "run python scripts/openapi.py web/openapi.json"
    )
