"""Trained models: a card beside ONNX weights, checked by hash, run by OpenVINO on the CPU."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.reading import ModelRecord
from osteoscope.errors import ModelError

SHIPPED = Path(__file__).parent / "models"


@dataclass(frozen=True)
class Card:
    """What a model is, what it was made of, and how far it can be trusted.

    Args:
        name, version: of the model.
        weights: file name of the ONNX weights, beside the card.
        sha256: of that file.
        purpose: what it does.
        data: what it was trained on, and what it was never shown.
        figures: what was measured, each with the command that measures it.
        limits: what it does not do.
        settings: numbers that belong to these weights, such as the calibration of confidences.
    """

    name: str
    version: str
    weights: str
    sha256: str
    purpose: str
    data: str
    figures: Mapping[str, str] = field(default_factory=dict)
    limits: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> ModelRecord:
        """What a Reading keeps of it."""
        return ModelRecord(self.name, self.version, self.sha256)


@dataclass(frozen=True, eq=False)
class Model:
    """Weights that match their card; compiled at first use and kept.

    Args:
        card: the card.
        path: of the ONNX file.
    """

    card: Card
    path: Path

    @classmethod
    def load(cls, card: Path) -> Model:
        """A card (.json) and the weights that it names.

        Raises:
            ModelError: the card or the weights are missing, unreadable, or do not belong together.
        """
        try:
            content = json.loads(card.read_text(encoding="utf-8"))
            found = Card(**content)
            weights = (card.parent / found.weights).read_bytes()
        except (OSError, ValueError, TypeError) as error:
            remedy = "Install the package or the model again"
            raise ModelError(f"load the model {card.name}", str(error), remedy) from error
        digest = hashlib.sha256(weights).hexdigest()
        if digest != found.sha256:
            raise ModelError(
                f"load the model {card.name}",
                f"weights {found.weights} with SHA-256 {digest[:12]}..., not {found.sha256[:12]}... as on the card",
                "Do not use these weights; install them again",
            )
        return cls(found, card.parent / found.weights)

    @cached_property
    def _compiled(self) -> Any:
        import openvino  # noqa: PLC0415 - half a second that only a reading needs

        # Full precision on every processor, so that a study reads the same everywhere.
        return openvino.compile_model(self.path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(self, picture: NDArray[np.float32]) -> tuple[NDArray[np.float32], ...]:
        """The outputs for one input (without batch axis), in the order of the graph, without batch axis."""
        found = self._compiled(picture[None])
        return tuple(np.asarray(found[output][0], dtype=np.float32) for output in self._compiled.outputs)


def is_shipped(name: str) -> bool:
    """Whether the package holds a model of that name."""
    return (SHIPPED / f"{name}.json").exists()


@lru_cache(maxsize=8)
def shipped(name: str) -> Model:
    """A model of the package, loaded once.

    Raises:
        ModelError: see `Model.load`.
    """
    return Model.load(SHIPPED / f"{name}.json")
