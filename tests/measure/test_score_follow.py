"""A Curie level that follows from SIOPEN levels is the one that the same findings would give."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from osteoscope.domain.anatomy import CURIE, siopen_members
from osteoscope.measure.score_follow import curie_of_siopen
from osteoscope.measure.score_tables import ScoreOptions, scheme

UNITS = sorted({unit for units in CURIE.values() for unit in units} - {"soft_tissue"})
disease = st.fixed_dictionaries(
    {unit: st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.0, 0.2, 0.7, 1.0])) for unit in UNITS}
)


@given(disease, st.sampled_from(["spine", "pelvis"]))
def test_it_is_what_the_findings_give(found: dict[str, tuple[int, float]], sacrum: str) -> None:
    options = ScoreOptions(sacrum="spine" if sacrum == "spine" else "pelvis")
    tables = {"siopen": scheme("siopen", options), "curie": scheme("curie", options)}

    def levels(name: str) -> dict[str, int | None]:
        table = tables[name]
        said: dict[str, int | None] = {}
        for site, units in table.members.items():
            inside = [found[unit] for unit in units if unit in found]
            patches = sum(fraction > 0 for _, fraction in inside) if table.patch_is_site else 0
            fraction = float(np.mean([f for _, f in inside])) if inside else 0.0
            said[site] = table.level(sum(foci for foci, _ in inside) + patches, fraction)
        return said

    curie = levels("curie")
    for region, (level, segments) in curie_of_siopen(levels("siopen"), siopen_members(options.sacrum)).items():
        assert segments
        assert level == curie[region]


def test_what_is_said_and_what_is_left_open() -> None:
    def said(**levels: int | None) -> dict[str, int]:
        every: dict[str, int | None] = {**dict.fromkeys(siopen_members(), 0), **levels}
        return {region: level for region, (level, _) in curie_of_siopen(every, siopen_members()).items() if level}

    assert said() == {}
    assert [said(pelvis=level).get("pelvis", 0) for level in range(7)] == [0, 1, 2, 2, 0, 3, 3]
    assert said(proximal_lower_limb_left=1) == {"femurs": 1}
    assert said(proximal_lower_limb_left=1, proximal_lower_limb_right=1) == {"femurs": 2}
    assert said(spine=6) == {"cervicothoracic_spine": 3, "lumbosacral_spine": 3}


def test_what_is_left_open() -> None:
    members = siopen_members()
    quiet: dict[str, int | None] = dict.fromkeys(members, 0)
    open_ones: dict[str, dict[str, int | None]] = {
        "pelvis": {"pelvis": 4},
        "chest": {"thoracic_cage": None},
        "lumbosacral_spine": {"spine": 1},
        "femurs": {"proximal_lower_limb_left": 5},
    }
    for region, levels in open_ones.items():
        assert region in curie_of_siopen(quiet, members)
        assert region not in curie_of_siopen(quiet | levels, members)
