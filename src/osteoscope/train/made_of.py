"""Names of what is kept between runs, by what it is made of: a row or a number alone may come to mean another thing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from osteoscope.errors import InvalidValueError

_LETTERS = 16


def key_of(files: Sequence[Path], said: object = None) -> str:
    """The same letters for files of the same content, in their order, and the same words beside them.

    Args:
        files: whose bytes are read.
        said: what else decides, of JSON; keys of a mapping in any order.

    Raises:
        InvalidValueError: a file cannot be read.
    """
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for path in files:
        try:
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise InvalidValueError(f"read {path}", str(error.strerror), "Name a file that can be read") from error
    return digest.hexdigest()[:_LETTERS]
