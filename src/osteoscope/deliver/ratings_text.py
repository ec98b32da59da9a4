"""Tables as text: what spreadsheets write, whatever their encoding and separator."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from osteoscope.errors import IntakeError

_MOST_BYTES = 64 * 1024 * 1024


def lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """First line and trimmed cells of every row; comma, semicolon or tab, as the header has it.

    Raises:
        IntakeError: the file cannot be read or is no text.
    """
    text = _text(path)
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    begins = 1
    try:
        for cells in reader:
            yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error as error:
        raise IntakeError(f"read ratings {path}", f"line {begins}: {error}", "Save it as CSV anew") from error


def _text(path: Path) -> str:
    try:
        content = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else None
    except OSError as error:
        raise IntakeError(f"read ratings {path}", str(error.strerror), "Name a CSV file that can be read") from error
    if content is None:
        raise IntakeError(f"read ratings {path}", "a file of more than 64 MiB", "Give a CSV, one row per study")
    wide = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise IntakeError(f"read ratings {path}", "a file that is not text", "Export the table as CSV (UTF-8)")
