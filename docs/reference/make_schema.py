"""Writes reading.schema.json beside this file: `python docs/reference/make_schema.py`."""

import json
from pathlib import Path

from osteoscope.domain import codec
from osteoscope.domain.reading import SCHEMA, Reading

text = json.dumps(codec.schema(Reading, SCHEMA), indent=2) + "\n"
Path(__file__).with_name("reading.schema.json").write_text(text)
