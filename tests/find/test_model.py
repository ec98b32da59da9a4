"""Models and their cards: what does not belong together is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from osteoscope.errors import ModelError
from osteoscope.find.model import SHIPPED, Model
from osteoscope.find.planar_canvas import CANVAS
from osteoscope.find.planar_maps import MODEL


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for suffix in (".json", ".onnx"):
        shutil.copy(SHIPPED / f"{MODEL}{suffix}", tmp_path)
    return tmp_path / f"{MODEL}.json"


def test_every_shipped_model_has_a_card_that_says_what_it_is() -> None:
    cards = sorted(SHIPPED.glob("*.json"))
    assert cards
    for path in cards:
        card = Model.load(path).card
        assert card.purpose
        assert card.data
        assert card.limits
        assert "not a medical device" in card.purpose


def test_the_same_picture_gives_the_same_answer(copy: Path) -> None:
    picture = np.random.default_rng(1).uniform(0, 1, (3, *CANVAS)).astype(np.float32)
    first, second = (Model.load(copy).run(picture) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_tampered_weights_are_refused(copy: Path) -> None:
    weights = copy.with_suffix(".onnx")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="Do not use these weights"):
        Model.load(copy)


@pytest.mark.parametrize("fault", ["{", json.dumps({"name": "x"})])
def test_a_broken_card_is_refused(copy: Path, fault: str) -> None:
    copy.write_text(fault)
    with pytest.raises(ModelError, match=MODEL):
        Model.load(copy)


def test_missing_weights_are_named(copy: Path) -> None:
    copy.with_suffix(".onnx").unlink()
    with pytest.raises(ModelError, match="onnx"):
        Model.load(copy)
