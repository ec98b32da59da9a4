"""The card of an adaptation: what it was made of, what it was worth, and a hash over all of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from osteoscope.domain import codec
from osteoscope.domain.reading import ModelRecord, Reading
from osteoscope.errors import ModelError, OutputError
from osteoscope.measure.adaptation import Coefficients, Head
from osteoscope.measure.card_digest import digest
from osteoscope.measure.score_choices import in_words
from osteoscope.measure.score_tables import ScoreOptions

NAME = "siopen-adaptation"
SCHEMA: Literal["osteoscope/adaptation/2"] = "osteoscope/adaptation/2"
Verdict = Literal["helps", "mixed", "no evidence", "harms"]
_DEFAULT = ScoreOptions()
# No choices to check: the models of a base tell the level, and the width of a shipped total's interval enters nothing.
_FREE = frozenset({"level", "together"})
_REMEDY = "Give an adaptation.json as `osteoscope train mibg` wrote it, unchanged"


@dataclass(frozen=True)
class Base:
    """What an adaptation stands on: the models of a Reading, or the program's own name where it uses none."""

    reader: str
    models: tuple[ModelRecord, ...]

    @classmethod
    def of(cls, reader: str, models: Sequence[ModelRecord]) -> Base:
        """The base of a reader, an adaptation among its models left out."""
        kept = tuple(model for model in models if model.name != NAME)
        return cls("" if kept else reader, kept)

    @classmethod
    def of_reading(cls, reading: Reading) -> Base:
        """The base that a Reading was made with."""
        return cls.of(reading.reader.name, reading.reader.models)

    def __str__(self) -> str:
        names = (f"{m.name} {m.version} (SHA-256 {m.sha256[:12]}...)" for m in self.models)
        return ", ".join(names) or f"{self.reader!r} without a trained model"


def other_choices(options: ScoreOptions) -> str:
    """The choices of scoring that an adaptation is not learnt under, in words; "" of the default ones."""
    default = in_words(_DEFAULT)
    made = {name: word for name, word in in_words(options).items() if name not in _FREE and word != default[name]}
    return ", ".join(f"{name}={word}" for name, word in made.items())


@dataclass(frozen=True)
class Cohort:
    """What an adaptation was fitted to, without anything that names a patient.

    Args:
        studies, patients: how many.
        levels: how many segments the reader put at each level 0 to 6.
    """

    studies: int
    patients: int
    levels: tuple[int, ...]


@dataclass(frozen=True)
class Gain:
    """A figure of agreement with the reader before and after adaptation, on studies not fitted to.

    Args:
        target: "pooled", a segment, or "total".
        name: as in `osteoscope agree`, such as "kappa_quadratic".
        before, after: its value; None where undefined.
        gain, interval: after minus before, and its 95 % interval by patient; None where undefined.
    """

    target: str
    name: str
    before: float | None
    after: float | None
    gain: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Card:
    """An adaptation and all that is known of it.

    Args:
        name, version: as named in Readings that it takes part in.
        purpose: what it is for and what not.
        software: that fitted it.
        base: what it was fitted on top of and may be used with.
        cohort: what it was fitted to.
        coefficients: what it does.
        penalty: strength of the regularisation; None where the shipped scorer was kept as it is.
        gains: out-of-fold figures.
        verdict: whether it helped, by the intervals of the gains in pooled figures and in those of totals.
        limits: what it does not do.
    """

    name: str
    version: str
    purpose: str
    software: str
    base: Base
    cohort: Cohort
    coefficients: Coefficients
    penalty: float | None
    gains: tuple[Gain, ...]
    verdict: Verdict
    limits: tuple[str, ...]
    schema: Literal["osteoscope/adaptation/2"] = SCHEMA

    @property
    def content(self) -> dict[str, Any]:
        """All of it as plain data."""
        plain: dict[str, Any] = codec.encode(self)
        return plain

    @property
    def record(self) -> ModelRecord:
        """What a Reading keeps of it."""
        return ModelRecord(self.name, self.version, digest(self.content))

    @property
    def head(self) -> Head:
        """What is applied."""
        return Head(self.coefficients, self.record)

    def gain(self, target: str, name: str) -> Gain | None:
        """The figure of that target and name, if any."""
        return next((g for g in self.gains if (g.target, g.name) == (target, name)), None)

    def check(self, base: Base, options: ScoreOptions = _DEFAULT) -> None:
        """Whether it was made for that base and those choices of scoring.

        No card names its choices: they are taken to be the default ones, the only ones that training accepts. An older
        card, whose training did not look, may rest on others.

        Raises:
            ModelError: it was made for another base, or the choices are not the default ones.
        """
        asked = f"apply {self.name} {self.version}"
        if base != self.base:
            raise ModelError(
                asked,
                f"it was fitted to {self.base}, and this study is read by {base}",
                "Train the adaptation again on readings of this version, or read without --adapt",
            )
        if others := other_choices(options):
            found = f"it was fitted under the default choices of scoring, and this study is scored under {others}"
            raise ModelError(asked, found, "Read under the default choices, or without the adaptation")

    def write(self, path: Path) -> None:
        """Write the card with its hash.

        Raises:
            OutputError: the file cannot be written.
        """
        text = json.dumps({**self.content, "sha256": self.record.sha256}, indent=1, ensure_ascii=False, allow_nan=False)
        try:
            path.write_text(f"{text}\n", encoding="utf-8")
        except OSError as error:
            raise OutputError(f"write {path}", str(error), "Choose a folder that can be written with -o") from error

    @classmethod
    def load(cls, path: Path) -> Card:
        """The card of a file.

        Raises:
            ModelError: it cannot be read, is no card, or was changed since it was written.
        """
        asked = f"load the adaptation {path}"
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            stated = plain.pop("sha256", None) if isinstance(plain, dict) else None
            card = codec.decode(cls, plain)
        except (OSError, ValueError, RecursionError) as error:
            raise ModelError(asked, f"no adaptation in it ({error})", _REMEDY) from error
        own = digest(plain)
        if own != stated or card.name != NAME:
            found = f"content with SHA-256 {own[:12]}..., not {str(stated)[:12]}... as it says itself"
            raise ModelError(asked, found, f"It was changed or damaged. {_REMEDY}")
        return card
