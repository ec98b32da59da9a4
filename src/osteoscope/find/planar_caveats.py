"""What makes a planar study less fit for automatic scoring, said before any score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.reading import Gap
from osteoscope.domain.study import Study

# Choices: the simulated children of the training are younger and their scans hold more counts.
OLDEST_YEARS = 18.0
FEWEST_COUNTS = 100_000
_CLIPPED, _NEARLY = 8, 0.8


def caveats(study: Study) -> tuple[Gap, ...]:
    """One gap for each caveat that holds."""
    found = (said for look in _LOOKS.values() if (said := look(study)))
    return tuple(Gap("study", "score", said) for said in found)


def _views(study: Study) -> str:
    return "" if len(study.images) > 1 else "one view only: what lies deep on the other side may be missed"


def _age(study: Study) -> str:
    age = study.patient.age_years
    return f"{age:.0f} years old: made for children" if age is not None and age >= OLDEST_YEARS else ""


def _counts(study: Study) -> str:
    fewest = min(int(np.sum(image.values, dtype=np.int64)) for image in study.images.values())
    return f"few counts ({fewest} in a view): faint foci may be missed" if fewest < FEWEST_COUNTS else ""


def _clipped(study: Study) -> str:
    found = [(name, *_at_the_top(image.values)) for name, image in study.images.items()]
    said = [f"{count} pixels of the {name} view stand at {most}" for name, most, count in found if count >= _CLIPPED]
    return f"clipped: {' and '.join(said)}, its highest value; foci among them are not told apart" if said else ""


def _at_the_top(values: NDArray[Any]) -> tuple[int, int]:
    """The highest value, and how many pixels hold it, if more than come near to it; else 0: counts thin out upwards."""
    most = values.max()
    count = int((values == most).sum())
    near = int(((values >= _NEARLY * most) & (values < most)).sum())
    return int(most), count if most > 0 and count > near else 0


def _nuclide(study: Study) -> str:
    nuclide = study.acquisition.radionuclide
    return f"radionuclide {nuclide}: made for I-123" if nuclide not in ("", "I-123") else ""


def _guessed(study: Study) -> str:
    facts = [fact.replace("_", " ") for fact in study.acquisition.guessed]
    return f"guessed at intake: {', '.join(facts)}" if facts else ""


_LOOKS: Mapping[str, Callable[[Study], str]] = MappingProxyType(
    {"views": _views, "age": _age, "counts": _counts, "clipped": _clipped, "nuclide": _nuclide, "guessed": _guessed}
)
