"""Hypothesis strategies for the nouns of the domain."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from osteoscope.domain import anatomy
from osteoscope.domain.finding import Finding, FindingKind, Measure, Part, Point, Region, SetAside
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import (
    Gap,
    ImageRecord,
    Input,
    ModelRecord,
    Provenance,
    Reader,
    Reading,
    SiteReading,
    StudyRecord,
)
from osteoscope.domain.study import Acquisition, IntakeNote, Patient

finite = st.floats(-1e6, 1e6, allow_nan=False)
names = st.text("abcdefghij_ ÀéΩ<>&'\"", min_size=1, max_size=12)
fractions = st.floats(0, 1)
site_ids = st.sampled_from(sorted(anatomy.SITES)) | st.sampled_from(["vertebra_unknown_3", "rib_left_unknown_1"])


@st.composite
def rotations(draw: st.DrawFn) -> NDArray[np.float64]:
    """Orthonormal 3 x 3 matrices, mirrored ones too."""
    seed = draw(st.integers(0, 2**32 - 1))
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return np.asarray(q)


@st.composite
def volume_grids(draw: st.DrawFn) -> Grid:
    shape = draw(st.tuples(*[st.integers(1, 40)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.3, 6)] * 3))
    matrix = np.eye(4)
    matrix[:3, :3] = draw(rotations()) * np.asarray(spacing)
    matrix[:3, 3] = draw(st.tuples(*[st.floats(-900, 900)] * 3))
    return Grid.from_matrix(shape, matrix)


planar_grids = st.builds(
    Grid.planar,
    st.tuples(st.integers(40, 1024), st.integers(40, 256)),
    st.none() | st.tuples(st.floats(1, 4), st.floats(1, 4)),
    st.sampled_from(["anterior", "posterior"]),
)


@st.composite
def parts(draw: st.DrawFn, image: str = "ct", ndim: int = 3) -> Part:
    mask = draw(npst.arrays(bool, st.tuples(*[st.integers(1, 5)] * ndim)).filter(lambda m: bool(m.any())))
    return Part(image, draw(st.tuples(*[st.integers(0, 30)] * ndim)), mask)


@st.composite
def measures(draw: st.DrawFn) -> Measure:
    low, value, high = sorted(draw(st.tuples(finite, finite, finite)))
    interval = draw(st.sampled_from([None, (low, high)]))
    return Measure(draw(names), value, draw(names), draw(names), interval)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    if draw(st.booleans()):
        return Region((draw(parts()),))
    return Region((draw(parts("anterior", 2)), draw(parts("posterior", 2))))


kinds: st.SearchStrategy[FindingKind] = st.sampled_from(["lytic", "blastic", "mixed", "focal", "diffuse"])
points = st.builds(Point, st.just("LPS"), st.just("mm"), st.tuples(finite, finite, finite))
measure_lists = st.lists(measures(), max_size=2).map(tuple)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Any valid Reading: no region of it reaches beyond 40 elements."""
    findings = tuple(
        Finding(
            f"f{n}", draw(site_ids), draw(kinds), draw(fractions), draw(regions()), draw(points), draw(measure_lists)
        )
        for n in range(draw(st.integers(0, 3)))
    )
    evidence = tuple(f.id for f in findings)
    sites = tuple(
        SiteReading(site, "assessed", draw(measure_lists), evidence, draw(st.none() | fractions), ("level uncertain",))
        for site in draw(st.lists(site_ids, max_size=3, unique=True))
    )
    volume, view = Grid.from_matrix((40, 40, 40), draw(volume_grids()).matrix), draw(planar_grids)
    record = StudyRecord(
        draw(names),
        "ct",
        "2026-01-01",
        Patient(draw(names), draw(names), draw(st.none() | st.floats(0, 100)), draw(st.sampled_from([None, "F", "M"]))),
        Acquisition(kvp=draw(st.none() | finite), guessed=("view",)),
        {"ct": ImageRecord(volume, "HU"), "anterior": ImageRecord(view, "counts")},
    )
    settings: dict[str, Any] = draw(st.dictionaries(names, st.booleans() | st.integers() | finite | names, max_size=3))
    return Reading(
        record,
        Reader("program", draw(names), "1", (ModelRecord("m", "2", "ab"),)),
        findings,
        sites,
        draw(measure_lists),
        Provenance("osteoscope", (Input(draw(names), "00"),), settings, "2026-01-01T00:00:00+00:00", 1.5),
        tuple(SetAside("table", "not the patient", f.region) for f in findings),
        (Gap("study", "size", draw(names)),),
        (IntakeNote("repaired", draw(names), draw(names), draw(names)),),
    )
