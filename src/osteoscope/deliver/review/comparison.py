"""Two CTs of one patient, as they stand for a reviewer, compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from osteoscope.deliver.compare import write_response
from osteoscope.deliver.compare_ct import compare_cts
from osteoscope.deliver.exams import Taken
from osteoscope.deliver.review.standing import Standing, case_of, whole_folder
from osteoscope.domain import codec
from osteoscope.measure.lesion_change_record import ChangeOptions
from osteoscope.stats.lesion_identity import Exam

Progress = Callable[[str, int, int], None]


def compare_dated(dates: tuple[Standing, Standing], out: Path, progress: Progress) -> int:
    """Compare and write response.json, .html and .pdf as `osteoscope compare` does; the number of lesions followed.

    Args:
        dates: earlier, later.
        out: gets the files, complete or not at all.
        progress: called with (stage, hundredths done, 100).

    Raises:
        IntakeError: the images cannot be opened any more.
        UnsuitableStudyError: the dates do not belong together, or share no bone.
        OutputError: the folder cannot be written.
    """
    with whole_folder(out) as draft, tempfile.TemporaryDirectory(prefix="osteoscope-") as scratch:
        taken = []
        for number, date in enumerate(dates):
            progress("open", 20 * number, 100)
            place = Path(scratch) / str(number)
            place.mkdir()
            taken.append(_taken(date, place))
        progress("compare", 40, 100)
        response, document = compare_cts(taken, same_patient=False, options=ChangeOptions())
        progress("write", 80, 100)
        write_response(codec.encode(response), document, draft)
    return len(response.lesions)


def _taken(date: Standing, scratch: Path) -> Taken:
    reading, case = date.reading, case_of(date, scratch)
    return Taken(Exam(reading.study.date or date.label, reading, case.mapped), case)
