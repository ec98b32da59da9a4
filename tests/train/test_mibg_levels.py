"""Learning the level of least expected cost: from children whose foci run together, and from a real simulated child."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteoscope.find.model import shipped
from osteoscope.find.planar_maps import MODEL
from osteoscope.measure.card_digest import digest
from osteoscope.measure.level_head import BURDEN, SHIPPED, Signs, least_costly, level_head
from osteoscope.train import mibg_levels
from osteoscope.train.mibg_levels import card, fit
from osteoscope.train.mibg_levels_children import Row, children_folder, rows_in, write_child

REGIONS = ("skull", "pelvis")


def children(number: int) -> list[list[Row]]:
    """Segments with two counted foci: 2 in a child without other disease, and mostly 4 in one that is ill elsewhere."""
    rng = np.random.default_rng(5)

    def row(burden: float, score: str) -> Row:
        ill = burden > 0.4
        level = int(rng.choice([2, 4], p=[0.1, 0.9] if ill else [0.9, 0.1])) if score == "siopen" else 2
        top = 6 if score == "siopen" else 3
        chances = tuple(0.7 if k == 2 else 0.3 / top for k in range(top + 1))
        return Row(score, level, 2, chances, Signs(str(rng.choice(REGIONS)), (0.8, 0.8), (), 0.0, burden))  # type: ignore[arg-type]

    return [[row(float(rng.random()), score) for score in ("siopen", "curie") for _ in range(6)] for _ in range(number)]


def test_what_counting_misses_is_learnt() -> None:
    rows = [row for child in children(60) for row in child]
    head = fit(rows, "siopen")
    chances = next(row.chances for row in rows if row.score == "siopen")
    alone, beside = (
        least_costly(head.chances(np.array(chances), seen), 2, seen)
        for seen in (Signs("skull", (0.8, 0.8), (), 0.0, burden) for burden in (0.05, 0.9))
    )
    assert (alone, beside) == (2, 4)


def test_no_weight_of_growing_disease_is_below_0() -> None:
    head = fit([row for child in children(30) for row in child], "siopen")
    growing = ~np.isin(head.names, BURDEN)
    assert (head.weights[:, growing] >= 0).all()


def test_the_card_holds_the_head_and_figures_of_children_left_out(tmp_path: Path) -> None:
    made = card(children(40))
    assert made["sha256"] == digest(made)
    path = tmp_path / SHIPPED.name
    path.write_text(mibg_levels.written_card(made))
    loaded = level_head(path)
    assert loaded.record.name == "mibg_levels"
    assert set(loaded.scores["siopen"].offsets) == set(REGIONS)
    figures = made["figures"]["siopen"]
    counted, chosen = (next(v for n, v in figures.items() if n.startswith(way)) for way in ("counted", "of least"))
    exact = [float(text.split("exact ")[1].split(";")[0]) for text in (counted, chosen)]
    assert exact[1] > exact[0] + 0.2


@pytest.mark.parametrize("number", [0, 1])
def test_a_child_is_simulated_read_and_kept(tmp_path: Path, number: int) -> None:
    path = write_child(number, tmp_path)
    rows = rows_in(path)
    assert {row.score for row in rows} == {"siopen", "curie"}
    for row in rows:
        assert sum(row.chances) == pytest.approx(1)
        assert 0 <= row.counted < len(row.chances) in {4, 7}
    before = path.stat().st_mtime_ns
    assert write_child(number, tmp_path).stat().st_mtime_ns == before


def test_children_that_another_network_read_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, phantom = shipped(MODEL), tmp_path / "toy.npz"
    phantom.write_bytes(b"1")
    found = [children_folder(tmp_path), children_folder(tmp_path, [phantom])]
    assert found == [children_folder(tmp_path), children_folder(tmp_path, [phantom])]
    phantom.write_bytes(b"2")
    found.append(children_folder(tmp_path, [phantom]))
    for other in (replace(model.card, version="0.0.0"), replace(model.card, sha256="0" * 64)):
        changed = replace(model, card=other)
        monkeypatch.setattr("osteoscope.train.mibg_levels_children.shipped", lambda _, changed=changed: changed)
        found.append(children_folder(tmp_path))
    assert len(set(found)) == len(found)
    assert all(path.parent == tmp_path for path in found)
