"""Whether a folder can be written, asked before the work and not after it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from osteoscope.errors import OutputError


def make_writable(folder: Path) -> None:
    """Make a folder where it is absent, and write a file there that is gone at once.

    Raises:
        OutputError: that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), "Choose a folder that can be written with -o") from error
