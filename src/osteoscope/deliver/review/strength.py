"""A bone of a CT in the testing machine, with its lesions as they stand for a reviewer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from osteoscope.deliver.review.ground import bone_sites
from osteoscope.deliver.review.standing import Standing, case_of, whole_folder
from osteoscope.deliver.strength import StrengthRequest, load_bones
from osteoscope.errors import UnsuitableStudyError
from osteoscope.fe.cases import CASES
from osteoscope.reading.strength import BoneLoading

Progress = Callable[[str, int, int], None]


def load_cases(views: Path) -> dict[str, list[str]]:
    """Every bone of a CT that can be tested, by its site, and the load cases for it."""
    found = {site: [case.name for case in CASES.values() if site.startswith(case.bones)] for site in bone_sites(views)}
    return {site: names for site, names in found.items() if names}


def load_standing(standing: Standing, bone: tuple[str, str], out: Path, progress: Progress) -> list[str]:
    """Test one bone and write what `osteoscope strength` writes; the sites that were tested, the other side too.

    Args:
        standing: the study and its Reading.
        bone: site, and load case ("" for the bone's default).
        out: gets the files, complete or not at all.
        progress: called with (step, done, of).

    Raises:
        IntakeError: the images cannot be opened any more.
        UnsuitableStudyError: the bone cannot be tested.
        OutputError: the folder cannot be written.
    """
    site, load_case = bone
    request = StrengthRequest((site,), BoneLoading(load_case))
    with whole_folder(out) as draft, tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        tested = load_bones(case_of(standing, Path(scratch)), draft, request, progress)
        refusal = next((gap for gap in tested.record.refused if gap.where == site), None)
        if refusal is not None:
            raise UnsuitableStudyError(refusal.step, refusal.reason.rstrip("."), "See docs/howto/strength.md")
    return [found.site for found in tested.results]
