"""Files that are there as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def whole(path: Path, ending: str = ".part") -> Iterator[Path]:
    """A name beside ``path`` to write under, that nothing else has; it takes the place of ``path`` once all is written.

    Where that fails, what was written is removed, and what lay at ``path`` stays.

    Args:
        path: where the file is to be.
        ending: of the name, for writers that go by it.
    """
    draft = path.with_name(f".{uuid4().hex}{ending}")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
