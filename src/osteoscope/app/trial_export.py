"""A reader study as files: CSVs that `osteoscope agree` reads, Readings and marks for `evaluate`, times."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median

from sqlalchemy.orm import Session

from osteoscope.app.blinded import pseudonymous
from osteoscope.app.standing import plain, stored
from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.reading import Reading
from osteoscope.store import rows
from osteoscope.store.readings import readings_of
from osteoscope.store.trials import cases

_MARKS = ("size", "location", "detection")
_JUDGED = {1.0: "yes", 0.0: "no"}
_README = """{name}: a reader study made with Osteoscope. Research use only, not a medical device.

Studies and patients carry numbers. times.csv has the seconds per case: as the page counted them, and from opening to
finishing as the server saw them; time_with_and_without.csv compares the phases, reader by reader, over the studies read
in both. Of planar studies:

    osteoscope agree program=program.csv {readers}

Of CTs, the program against what a reader found alone, with the reader's marks on what the program showed:

    osteoscope evaluate readings/alone/READER readings/program --marks marks/aided/READER.csv
"""
_RENAMED = "\nIn names of files and in tables, these readers are called otherwise:\n\n"


def packed_export(session: Session, trial: rows.Trial) -> bytes:
    """The zip of a reader study; cases that were not finished are left out, and times.csv names them."""
    found = cases(session, trial.id)
    keys, names = _keys(session, found), names_of(case.reader for case in found)
    read = [(case, _read(session, case, keys)) for case in found if case.finished and case.reading]
    files: dict[str, str] = {
        "times.csv": _times(found, keys, names),
        "time_with_and_without.csv": _phases_compared(found, names),
    }
    for phase in trial.phases:
        for reader, name in names.items():
            his = [(case, reading) for case, reading in read if (case.phase, case.reader) == (phase, reader)]
            files |= _of_reader(f"{phase}/{name}", [reading for _, reading in his])
    program = [_program(session, study, *key) for study, key in keys.items()]
    files |= {"program.csv": ratings_csv(program), **_readings("program", program)}
    renamed = "".join(f"    {reader}: {name}\n" for reader, name in names.items() if name != reader)
    named = sorted(name for name in files if name.endswith(".csv") and name.split("/")[0] in trial.phases)
    readers = " ".join(f"{_label(n)}={n}" for n in named)
    files["README.txt"] = _README.format(name=trial.name, readers=readers) + (renamed and _RENAMED + renamed)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def _label(file: str) -> str:
    phase, name = file.removesuffix(".csv").split("/")
    return f"{name}-{phase}"


def names_of(readers: Iterable[str]) -> Mapping[str, str]:
    """Reader -> his name as a file name, of no other reader even where case is not told apart."""
    names: dict[str, str] = {}
    plain = {reader: re.sub(r"[^\w-]+", "_", reader, flags=re.ASCII) or "reader" for reader in sorted(set(readers))}
    # Whose name is a file name as it is keeps it.
    for reader in sorted(plain, key=lambda one: plain[one] != one):
        numbered = (plain[reader], *(f"{plain[reader]}_{n}" for n in range(2, len(plain) + 2)))
        taken = {name.casefold() for name in names.values()}
        names[reader] = next(name for name in numbered if name.casefold() not in taken)
    return {reader: names[reader] for reader in plain}


def _keys(session: Session, found: Sequence[rows.TrialCase]) -> Mapping[str, tuple[str, str]]:
    """Study id -> (number of the study, number of its patient)."""
    studies = sorted({case.study for case in found})
    patients: dict[str, str] = {}
    keys = {}
    for number, study in enumerate(studies, 1):
        who = session.get_one(rows.Study, study).patient_id or study
        patients.setdefault(who, f"patient-{len(patients) + 1:03d}")
        keys[study] = (f"study-{number:03d}", patients[who])
    return keys


def _read(session: Session, case: rows.TrialCase, keys: Mapping[str, tuple[str, str]]) -> Reading:
    return pseudonymous(stored(session, case.reading or ""), *keys[case.study])


def _program(session: Session, study: str, name: str, patient: str) -> Reading:
    made = [reading for reading in readings_of(session, study) if reading.kind == "program"]
    return pseudonymous(stored(session, made[-1].id), name, patient)


def _of_reader(name: str, readings: Sequence[Reading]) -> dict[str, str]:
    if not readings:
        return {}
    planar = [reading for reading in readings if reading.study.kind == "nm-planar"]
    rated = {f"{name}.csv": ratings_csv(planar)} if planar else {}
    marks = _marks(readings)
    return {**rated, **_readings(f"readings/{name}", readings), **({f"marks/{name}.csv": marks} if marks else {})}


def _readings(folder: str, readings: Iterable[Reading]) -> dict[str, str]:
    return {
        f"{folder}/{reading.study.uid}/reading.json": json.dumps(plain(reading), ensure_ascii=False, allow_nan=False)
        for reading in readings
    }


def ratings_csv(readings: Iterable[Reading]) -> str:
    """A row per planar Reading: study, patient, 12 SIOPEN segments, 10 Curie regions."""
    columns = [("siopen", site) for site in SIOPEN] + [("curie", site) for site in CURIE]
    rows_ = [["study", "patient", *(f"{score}_{site}" for score, site in columns)]]
    for reading in readings:
        if reading.study.kind == "nm-planar":
            levels = [_level(reading, score, site) for score, site in columns]
            rows_.append([reading.study.uid, reading.study.patient.id, *levels])
    return _csv(rows_)


def _level(reading: Reading, score: str, site: str) -> str:
    said = reading.site(site)
    if said is None:
        return ""
    if said.status != "assessed":
        return said.status.replace("_", " ")
    measure = said.measure(score)
    return f"{measure.value:g}" if measure else ""


def _marks(readings: Sequence[Reading]) -> str:
    rows_ = []
    for reading in readings:
        for finding in reading.findings:
            said = {m.name: _JUDGED.get(m.value, "") for m in finding.measures if m.name.endswith("_right")}
            if said:
                cells = [said.get(f"{aspect}_right", "") for aspect in _MARKS]
                rows_.append([reading.study.uid, finding.id, *cells])
    return _csv([["study", "finding", *_MARKS], *rows_]) if rows_ else ""


def _times(found: Sequence[rows.TrialCase], keys: Mapping[str, tuple[str, str]], names: Mapping[str, str]) -> str:
    head = ["study", "patient", "reader", "phase", "position", "seconds", "seconds_by_server", "opened", "finished"]
    return _csv(
        [
            head,
            *(
                [
                    *keys[case.study], names[case.reader], case.phase, str(case.position),
                    "" if case.seconds is None else f"{case.seconds:.1f}", _apart(case), case.opened, case.finished,
                ]
                for case in found
            ),
        ]
    )  # fmt: skip


def _phases_compared(found: Sequence[rows.TrialCase], names: Mapping[str, str]) -> str:
    """Median seconds of each reader alone and aided, and of the difference, over the studies that he read in both."""
    took = {(case.reader, case.phase, case.study): case.seconds for case in found if case.seconds is not None}
    lines: list[list[str]] = [["reader", "studies", "median_alone", "median_aided", "median_aided_less_alone"]]
    for reader, name in names.items():
        studies = dict.fromkeys(case.study for case in found if case.reader == reader)
        keys = [((reader, "alone", study), (reader, "aided", study)) for study in studies]
        pairs = [(took[alone], took[aided]) for alone, aided in keys if alone in took and aided in took]
        columns = zip(*[(alone, aided, aided - alone) for alone, aided in pairs], strict=True)
        lines.append([name, str(len(pairs)), *(f"{median(column):.1f}" for column in columns)])
    return _csv([lines[0], *(line + [""] * (5 - len(line)) for line in lines[1:])])


def _apart(case: rows.TrialCase) -> str:
    if not (case.opened and case.finished):
        return ""
    apart = datetime.fromisoformat(case.finished) - datetime.fromisoformat(case.opened)
    return f"{apart.total_seconds():.1f}"


def _csv(lines: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
