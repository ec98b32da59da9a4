"""What loading needs besides the files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from osteoscope.dicom.intake.sandbox import Sandbox
from osteoscope.dicom.options import IntakeOptions

Progress = Callable[[str, int, int], None]


def silent(_stage: str, _done: int, _total: int) -> None:
    """No progress report."""


@dataclass(frozen=True, eq=False)
class Workplace:
    """The sandbox, a folder for arrays, the options, and whom to tell of progress (stage, done, total)."""

    sandbox: Sandbox
    scratch: Path
    options: IntakeOptions
    progress: Progress = silent

    def new_array(self) -> Path:
        """A free name for an array in the scratch folder."""
        return self.scratch / f"{uuid4().hex}.npy"
