"""Which scans are of one patient, by all that is known of them, and which are one scan given twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np

from osteoscope.deliver.ratings import Problem
from osteoscope.domain.image import Image

Node = TypeVar("Node", bound=Hashable)
# What anonymisers leave where a patient's id stood: it names nobody.
_NOBODY = re.compile(r"anon\w*|de_?ident\w*|unknown|none|no_?(id|name)|n_?a|removed|patient|x+|0+")
_DIRECTIONS = (2, 1, 0)  # of the patient, by axis of an array that is laid out from the feet up


@dataclass(frozen=True)
class Whose:
    """What tells whose a CT is.

    Args:
        case: name of its case; stands for a patient whom nobody names.
        file: the CT, as messages name it.
        said: patient by the table or the folder, "" where neither says.
        header: patient id of its header, "" where it has none.
        study: uid of its study.
        ct: `digest_of` its image.
    """

    case: str
    file: str
    said: str
    header: str
    study: str
    ct: str

    @property
    def known_by(self) -> frozenset[str]:
        """What links it to other scans of its patient, now and in later runs."""
        names = [self.said, "" if self.said and _NOBODY.fullmatch(plain(self.header)) else self.header]
        return frozenset({f"ct:{self.ct}", f"study:{self.study}", *(f"id:{plain(name)}" for name in names if name)})

    @property
    def name(self) -> str:
        """Of its patient, as far as this scan alone tells."""
        return self.said or self.header or self.case


@dataclass(frozen=True)
class Patients:
    """Scans by patient.

    Args:
        of: patient of each case.
        before: of each of these, the patients of an earlier run that are the same.
        known_by: what each was told by, then and now; of patients of an earlier run that are not here as well.
        clashes: names of an earlier run that stand for other scans here, with nothing that links both.
        problems: patients that go by several names or ids; none of them ``lost``.
    """

    of: Mapping[str, str]
    before: Mapping[str, tuple[str, ...]]
    known_by: Mapping[str, tuple[str, ...]]
    clashes: tuple[str, ...]
    problems: tuple[Problem, ...]

    def __post_init__(self) -> None:
        for name in ("of", "before", "known_by"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


def plain(name: str) -> str:
    """A name without what two ways of writing it differ in: case, blanks, signs."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_") or name


def digest_of(image: Image) -> str:
    """SHA-256 of the HU of a CT laid out along the patient's axes: one from DICOM and from a NIfTI made of it."""
    axes = image.grid.matrix[:3, :3] / np.array(image.grid.spacing)
    along = np.abs(axes).argmax(axis=0).tolist()
    values = np.asarray(image.values)
    if sorted(along) == [0, 1, 2]:
        values = values[tuple(slice(None, None, -1 if axes[to, n] < 0 else 1) for n, to in enumerate(along))]
        values = values.transpose([along.index(to) for to in _DIRECTIONS])
    laid = np.ascontiguousarray(values, dtype=np.int16)
    return hashlib.sha256(f"{laid.shape}".encode() + laid.tobytes()).hexdigest()


def doubles(scans: Sequence[Whose]) -> dict[str, Problem]:
    """Cases whose CT is that of another, each with what is to be said; which marks hold cannot be told."""
    same: dict[str, list[Whose]] = {}
    for scan in scans:
        same.setdefault(scan.ct, []).append(scan)
    remedy = "Keep one case of each CT; masks of several files may stand together in it"
    return {
        one.case: Problem(
            one.file, None, "",
            f"case {one.case} has the same CT as {', '.join(two.case for two in group if two is not one)}; "
            "none of them is used", remedy,
        )
        for group in same.values() if len(group) > 1 for one in group
    }  # fmt: skip


def patients_of(scans: Sequence[Whose], before: Mapping[str, Collection[str]] = MappingProxyType({})) -> Patients:
    """Scans that share a name, a header's id, a study or a CT are of one patient, also by way of an earlier run.

    Args:
        scans: of the cases, each CT once.
        before: what patients of an earlier run were known by.
    """
    given = {scan.case: scan for scan in scans}
    keys: dict[tuple[bool, str], Collection[str]] = {(True, name): known for name, known in before.items()}
    keys |= {(False, scan.case): scan.known_by | {f"id:{plain(scan.name)}"} for scan in scans}
    of: dict[str, str] = {}
    same: dict[str, tuple[str, ...]] = {}
    known_by = {name: tuple(known) for name, known in before.items()}
    clashes: list[str] = []
    problems: list[Problem] = []
    for group in connected(keys):
        now = [given[name] for earlier, name in group if not earlier]
        then = sorted(name for earlier, name in group if earlier)
        if not now:
            continue
        name = then[0] if then else min(_stated(now, "said") or _stated(now, "header") or _stated(now, "case"))
        if not then and name in before:
            clashes.append(name)
            continue
        of |= dict.fromkeys((scan.case for scan in now), name)
        same[name] = tuple(then)
        own = {key for scan in now for key in scan.known_by}
        known_by[name] = tuple(sorted(own.union(*(before[earlier] for earlier in then))))
        problems += _doubts(name, now)
    return Patients(of, same, known_by, tuple(clashes), tuple(problems))


def connected(keys: Mapping[Node, Collection[str]]) -> list[list[Node]]:
    """Nodes that share a key, directly or by way of others, in groups."""
    groups: list[tuple[list[Node], set[str]]] = []
    for node, own in keys.items():
        met = [group for group in groups if not group[1].isdisjoint(own)]
        groups = [group for group in groups if group[1].isdisjoint(own)]
        nodes = [other for group in met for other in group[0]]
        groups.append(([*nodes, node], set(own).union(*(group[1] for group in met))))
    return [nodes for nodes, _ in groups]


def _stated(scans: Sequence[Whose], what: str) -> set[str]:
    return {getattr(scan, what) for scan in scans} - {""}


def _doubts(name: str, scans: Sequence[Whose]) -> list[Problem]:
    """What is odd about the names and ids of one patient."""
    said, headers = _stated(scans, "said"), _stated(scans, "header")
    odd = (
        (
            len(said) > 1,
            f"{_shown(said)} are taken for one patient: they share a spelling, a header's id, a study or a CT",
            "If they are several, spell them apart, or give their CTs without that id (NIfTI)",
        ),
        (
            len(headers) > 1,
            f"patient {name!r} has CTs whose headers say {_shown(headers)}; they are taken for one",
            "If they are several, name them apart in the table or by folders",
        ),
    )
    return [Problem(scans[0].file, None, "", found, remedy, lost=False) for there, found, remedy in odd if there]


def _shown(names: Collection[str]) -> str:
    shown = [repr(name) for name in sorted(names)]
    return ", ".join(shown[:8]) + (f" and {len(shown) - 8} more" if len(shown) > 8 else "")
