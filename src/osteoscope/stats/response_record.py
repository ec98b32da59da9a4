"""The nouns of response.json: dates, segments over the dates, comparisons of two dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.domain.reading import Status
from osteoscope.stats.inrc import Relative, Score, Verdict
from osteoscope.stats.lesion_identity import Lesion
from osteoscope.stats.score_totals import CURIE_BONE

SCHEMA: Literal["osteoscope/response/1"] = "osteoscope/response/1"
ScoreName = Literal["siopen", "curie"]


@dataclass(frozen=True)
class ScoreRule:
    """A score: its places, its highest level, its cut-off (favourable at most), what the cut-off is taken of."""

    name: ScoreName
    title: str
    places: tuple[str, ...]
    top: int
    cut: int
    cut_places: tuple[str, ...]


RULES: tuple[ScoreRule, ...] = (
    ScoreRule("siopen", "SIOPEN", tuple(SIOPEN), 6, 3, tuple(SIOPEN)),
    ScoreRule("curie", "Curie", CURIE_BONE, 3, 2, tuple(CURIE)),
)


@dataclass(frozen=True)
class ExamRecord:
    """One date: where it came from, who read it, its totals (Curie: of all 10 regions)."""

    name: str
    date: str
    uid: str
    reader: str
    siopen: Score
    curie: Score
    outlines: bool


@dataclass(frozen=True)
class Level:
    """The level of a place on one date; None where it has none."""

    status: Status
    value: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Course:
    """A segment or region over the dates.

    Args:
        change: last level less the first, None where one is missing.
        new: ids of lesions that count and were new after the first date.
    """

    site: str
    levels: tuple[Level, ...]
    change: float | None
    new: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scored:
    """A comparison by one score.

    Args:
        before, now: bone scores.
        relative: their ratio.
        verdict: INRC bone component by this score.
        flags: thresholds that lie within an interval.
    """

    score: ScoreName
    before: Score
    now: Score
    relative: Relative
    verdict: Verdict
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Two of the dates, by their numbers from 0.

    Args:
        new, possibly_new, resolved: ids of bone lesions.
        scores: by SIOPEN, then by Curie.
    """

    prior: int
    current: int
    new: tuple[str, ...]
    possibly_new: tuple[str, ...]
    resolved: tuple[str, ...]
    scores: tuple[Scored, ...]


@dataclass(frozen=True)
class Response:
    """The dates of one child compared.

    Args:
        exams: oldest first.
        segments: SIOPEN; regions: Curie, soft tissue included.
        lesions: every lesion with its course.
        comparisons: every later date with the first, and with the one before it.
        notes: what the reader must know.
    """

    patient: str
    exams: tuple[ExamRecord, ...]
    segments: tuple[Course, ...]
    regions: tuple[Course, ...]
    lesions: tuple[Lesion, ...]
    comparisons: tuple[Comparison, ...]
    notes: tuple[str, ...] = ()
    schema: Literal["osteoscope/response/1"] = SCHEMA
