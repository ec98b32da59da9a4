"""Which reading of which study is held against which reference: a table, or two folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.ratings import Problem
from osteoscope.deliver.ratings_json import readings_below
from osteoscope.deliver.ratings_text import lines
from osteoscope.deliver.study_files import label_maps, stated, study_name
from osteoscope.deliver.table_header import misfit, read_header
from osteoscope.errors import IntakeError

_NEEDED = ("study", "reference", "reading")
_ALSO = ("patient",)
# Files with the uids that they state, by the names of their studies; names by a name of the other side.
Named = dict[str, tuple[Path, str]]
Alike = dict[str, list[str]]


@dataclass(frozen=True)
class Entry:
    """One study: its name, patient ("" where not given), and the two files."""

    study: str
    patient: str
    reference: Path
    reading: Path


@dataclass(frozen=True)
class Unread:
    """A study of the reference that nobody read, or whose reading cannot be used: its lesions count as missed."""

    study: str
    patient: str
    reference: Path


@dataclass(frozen=True)
class Listed:
    """The studies to evaluate, those without a reading, and what could not be used."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    unread: tuple[Unread, ...] = ()


def list_studies(sources: Sequence[Path], ct_only: bool = False) -> Listed:
    """The studies of one table (.csv), or of a reference and a reading (two folders or two files).

    Args:
        sources: the table, or reference and reading.
        ct_only: whether Readings of other kinds in folders are passed over without a word.

    Raises:
        IntakeError: neither one nor two sources, one that does not exist, or no study in common.
    """
    for source in sources:
        if not source.exists():
            raise IntakeError(f"evaluate {source}", "no such file or folder", "Check the path")
    if len(sources) == 1 and sources[0].is_file():
        listed = _from_table(sources[0])
    elif len(sources) == 2:
        listed = _from_two(sources[0], sources[1], ct_only)
    else:
        shown = ", ".join(map(str, sources)) or "nothing"
        raise IntakeError("evaluate", shown, "Give one CSV table, or a reference and a reading (folders or files)")
    if not listed.entries:
        why = "; ".join(map(str, listed.problems[:3])) or "it is empty"
        raise IntakeError("evaluate", f"no study with a reference and a reading ({why})", "Name studies alike in both")
    return listed


def _from_table(path: Path) -> Listed:
    rows = lines(path)
    header, problems = read_header("evaluate", path, rows, _NEEDED, _ALSO)
    entries, unread, seen = [], [], set[str]()
    for number, cells in rows:
        if not any(cells):
            continue
        if len(cells) > len(header) and (fault := misfit(path, number, header, cells)):
            problems.append(fault)
            continue
        row = dict(zip(header, cells, strict=False))
        blank = [name for name in _NEEDED if not row.get(name)]
        if blank:
            problems.append(Problem(path.name, number, blank[0], "nothing", "Fill it in"))
            if blank == ["reading"] and row["study"] not in seen:
                seen.add(row["study"])
                unread.append(Unread(row["study"], row.get("patient", ""), path.parent / row["reference"]))
        elif row["study"] in seen:
            problems.append(
                Problem(path.name, number, "study", f"{row['study']!r} a second time", "Name studies apart")
            )
        else:
            seen.add(row["study"])
            place = path.parent
            files = (place / row["reference"], place / row["reading"])
            entries.append(Entry(row["study"], row.get("patient", ""), *files))
    return Listed(tuple(entries), tuple(problems), tuple(unread))


def _from_two(reference: Path, reading: Path, ct_only: bool) -> Listed:
    """Studies of one uid, by name where it has several, then those of one name; of two files, the one study that they
    are."""
    if reference.is_file() and reading.is_file():
        return Listed((Entry(study_name(reference, reference.parent), "", reference, reading),), ())
    problems: list[Problem] = []
    sides = [_named(folder, problems, ct_only) for folder in (reference, reading)]
    same, alike = _of_one_uid(sides[0], sides[1])
    used = [{*(pair[n] for pair in same), *alike[n]} for n in (0, 1)]
    same += [(name, name) for name in sides[0] if name in sides[1] and name not in used[0] and name not in used[1]]
    entries = [Entry(a, "", sides[0][a][0], sides[1][b][0]) for a, b in same]
    for number, (side, other) in enumerate(((sides[0], "reading"), (sides[1], "reference"))):
        matched = {pair[number] for pair in same}
        problems += [
            Problem(str(file), None, "", _why_alone(name, other, alike[number]), "Name it alike in both folders")
            for name, (file, _) in side.items()
            if name not in matched
        ]
    lone = [Unread(name, "", file) for name, (file, _) in sides[0].items() if name not in {pair[0] for pair in same}]
    entries.sort(key=lambda entry: entry.study)
    return Listed(tuple(entries), tuple(problems), tuple(sorted(lone, key=lambda one: one.study)))


def _of_one_uid(reference: Named, reading: Named) -> tuple[list[tuple[str, str]], tuple[Alike, Alike]]:
    """Pairs of one uid; and of either side the names left, each with those of the other side that it could be."""
    pairs: list[tuple[str, str]] = []
    alike: tuple[Alike, Alike] = ({}, {})
    first, second = _by_uid(reference), _by_uid(reading)
    for uid in first.keys() & second.keys():
        shared = [name for name in first[uid] if name in second[uid]]
        if len(first[uid]) == len(second[uid]) == 1:
            pairs.append((first[uid][0], second[uid][0]))
            continue
        pairs += [(name, name) for name in shared]
        left = [[name for name in side[uid] if name not in shared] for side in (first, second)]
        if all(left):
            for number, own in enumerate(left):
                alike[number].update(dict.fromkeys(own, left[1 - number]))
    return pairs, alike


def _by_uid(side: Named) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name, (_, uid) in side.items():
        if uid:
            names.setdefault(uid, []).append(name)
    return names


def _why_alone(name: str, other: str, alike: Alike) -> str:
    if name in alike:
        return f"study {name!r} shares its study id with {', '.join(alike[name])}: which is its {other} is not known"
    return f"study {name!r} has no {other}"


def _named(folder: Path, problems: list[Problem], ct_only: bool) -> Named:
    """Files of a folder by the name of their study, each with the uid that it states ("" for a label map)."""
    found = [folder] if folder.is_file() else readings_below(folder) or label_maps(folder)
    said = {file: stated(file) for file in found}
    files = [file for file in found if not ct_only or said[file][1] in {"", "ct"}]
    names = [study_name(file, folder if folder.is_dir() else folder.parent) for file in files]
    times = Counter(names)
    problems += [
        Problem(str(file), None, "", f"a second file of study {name!r}", "Keep one")
        for file, name in zip(files, names, strict=True)
        if times[name] > 1
    ]
    return {name: (file, said[file][0]) for file, name in zip(files, names, strict=True) if times[name] == 1}
