"""evaluation.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from osteoscope.deliver.ratings import Problem
from osteoscope.stats.detection import Criterion
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.detection_record import Detection
from osteoscope.stats.ratings import Statistic

SCHEMA: Literal["osteoscope/evaluation/1"] = "osteoscope/evaluation/1"


@dataclass(frozen=True)
class Evaluation:
    """How well a reading of CTs finds the lesions of a reference.

    Args:
        disclaimer, software: as they say.
        readers: names of the reference and of the reading.
        settings: rate, threshold, ignored sizes, resampling.
        criteria: when a finding was taken for a lesion.
        detection: curves, statistics, strata, types, and every scan.
        adequacy: shares of marks that say right; () where no marks were given.
        problems: what could not be used, or what the user should know.
    """

    disclaimer: str
    software: str
    readers: tuple[str, str]
    settings: DetectionOptions
    criteria: tuple[Criterion, ...]
    detection: Detection
    adequacy: tuple[Statistic, ...]
    problems: tuple[Problem, ...]
    schema: Literal["osteoscope/evaluation/1"] = SCHEMA
