"""Writes the OpenAPI document of the review server, from which the page's client is generated.

python scripts/openapi.py web/openapi.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from osteoscope.app.server import build


def document() -> str:
    """The OpenAPI document, sorted and indented; without the version, so that a release alone changes nothing."""
    plain = build().openapi()
    plain["info"]["version"] = "1"
    return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
