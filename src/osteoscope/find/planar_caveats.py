"""What makes a planar study less fit for automatic scoring, said before any score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.reading import Gap
from osteoscope.domain.study import Study
from osteoscope.find.planar_outlines import (
    NO_PAIRING,
    POOR_PAIRING,
    cut_ends,
    fewest_counts,
    length_mm,
    length_pixels,
    overlap,
    pixel_mm,
    side_by_side,
)
from osteoscope.find.planar_square import is_square

# Choices: the simulated children of the training are younger and shorter, and their scans hold more counts.
OLDEST_YEARS = 18.0
LONGEST_MM = 1900.0
FEWEST_COUNTS = 100_000
# Far below any clinical scan: so few show no focus, and would be read as a certain 0.
LEAST_COUNTS = 10_000
_CLIPPED, _NEARLY = 8, 0.8
# Pixels of the training are 1.8 to 3.3 mm, and show the smallest child on 150. Beyond the first numbers single foci of
# simulated children fade; beyond the others noise and anatomy are no longer told apart.
COARSE_MM, COARSEST_MM = 4.0, 7.0
SHORT_PIXELS, SHORTEST_PIXELS = 150, 80


def caveats(study: Study) -> tuple[Gap, ...]:
    """One gap for each caveat that holds."""
    found = (said for look in _LOOKS.values() if (said := look(study)))
    return tuple(Gap("study", "score", said) for said in found)


def unfit(study: Study) -> str:
    """Why nothing on the study can be assessed, with what to do; "" if nothing speaks against it."""
    return next((said for look in _REFUSALS.values() if (said := look(study))), "")


def unpaired(study: Study) -> str:
    """Why the views are not read together, "" where they may be; to be asked of a body that lies head up."""
    alike = overlap(study)
    if alike is None or alike >= NO_PAIRING:
        return ""
    asked = "check that both views are of one child and one scan, or give one view alone"
    return f"the outlines of the views overlap by {alike:.0%} only, too little for views of one body: {asked}"


def _views(study: Study) -> str:
    return "" if len(study.images) > 1 else "one view only: what lies deep on the other side may be missed"


def _age(study: Study) -> str:
    age = study.patient.age_years
    if age is None:
        return "age not stated: made for children"
    return f"{age:.0f} years old: made for children" if age >= OLDEST_YEARS else ""


def _length(study: Study) -> str:
    length = length_mm(study) or 0.0
    return f"a body {length / 1000:.1f} m long by its pixel size: made for children" if length > LONGEST_MM else ""


def _coarse(study: Study) -> str:
    found = _coarser(study, COARSE_MM, SHORT_PIXELS)
    return f"coarse picture ({found}): small and faint foci may be missed" if found else ""


def _too_coarse(study: Study) -> str:
    found = _coarser(study, COARSEST_MM, SHORTEST_PIXELS)
    asked = f"give pixels of at most {COARSEST_MM:g} mm that show the body on at least {SHORTEST_PIXELS}"
    return f"{found}, too coarse for any statement: {asked}" if found else ""


def _coarser(study: Study, most_mm: float, least_pixels: int) -> str:
    """What is coarser than that, "" where nothing is."""
    side, length = pixel_mm(study), length_pixels(study)
    if length is not None and length < least_pixels:
        return f"a body {length} pixels long"
    return f"pixels of {side:.1f} mm" if side is not None and side > most_mm else ""


def _square(study: Study) -> str:
    if is_square(study):
        return ""
    sizes = (image.grid.spacing for image in study.images.values())
    down, right = max(sizes, key=lambda size: max(size) / min(size))
    sides = f"pixels {down:.2f} mm high and {right:.2f} mm wide"
    return f"{sides}: read on square ones of {max(down, right):.2f} mm, counts summed"


def _counts(study: Study) -> str:
    fewest = min(int(np.sum(image.values, dtype=np.int64)) for image in study.images.values())
    return f"few counts ({fewest} in a view): faint foci may be missed" if fewest < FEWEST_COUNTS else ""


def _too_few(study: Study) -> str:
    fewest = fewest_counts(study)
    if fewest == 0:
        return "no body found on a view: give the view that shows one alone"
    asked = f"at least {LEAST_COUNTS} are needed: give the original counts"
    return f"{fewest} counts on the body in a view, too few for any statement; {asked}" if fewest < LEAST_COUNTS else ""


def _pairing(study: Study) -> str:
    alike = overlap(study)
    poor = alike is not None and alike < POOR_PAIRING
    return f"the outlines of the views overlap by {alike:.0%} only: they may not show one body" if poor else ""


def _beside(study: Study) -> str:
    found = "two large separate bodies, or limbs alone, side by side in one picture"
    return f"{found}: give each child alone, with the trunk" if side_by_side(study) else ""


def _cut(study: Study) -> str:
    ends = cut_ends(study)
    where = f"cut off at the {' and the '.join(ends)} end of the field; make sure that the head is up"
    return f"part of the body only: {where}" if ends else ""


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
    facts = [_GUESSES.get(fact, fact.replace("_", " ")) for fact in study.acquisition.guessed]
    return f"guessed at intake: {', '.join(facts)}" if facts else ""


_GUESSES: Mapping[str, str] = MappingProxyType(
    {"energy_window": "energy window (none is known to hold the photopeak: what is read may be scatter)"}
)
_LOOKS: Mapping[str, Callable[[Study], str]] = MappingProxyType(
    {
        "views": _views,
        "pairing": _pairing,
        "beside": _beside,
        "cut": _cut,
        "age": _age,
        "length": _length,
        "coarse": _coarse,
        "square": _square,
        "counts": _counts,
        "clipped": _clipped,
        "nuclide": _nuclide,
        "guessed": _guessed,
    }
)
_REFUSALS: Mapping[str, Callable[[Study], str]] = MappingProxyType(
    {"coarse": _too_coarse, "beside": _beside, "counts": _too_few}
)
