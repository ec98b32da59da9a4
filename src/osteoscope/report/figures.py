"""Which pictures belong to which kind of study."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from osteoscope.domain.reading import Case, Reading
from osteoscope.domain.study import StudyKind
from osteoscope.report import child, overview, planar_views, planes
from osteoscope.report.parts import Figure

Draw = Callable[[Reading, Case], tuple[Figure, ...]]

IMAGES: Mapping[StudyKind, tuple[Draw, ...]] = MappingProxyType(
    {
        "ct": (lambda _, case: overview.overview(case), lambda _, case: planes.lesions(case)),
        "nm-planar": (lambda _, case: planar_views.views(case),),
    }
)
SCHEMATICS: Mapping[StudyKind, tuple[Draw, ...]] = MappingProxyType(
    {"ct": (), "nm-planar": (lambda reading, _: child.child(reading),)}
)


def draw(draws: tuple[Draw, ...], reading: Reading, case: Case) -> tuple[Figure, ...]:
    """All figures of those drawing functions, in order."""
    return tuple(figure for act in draws for figure in act(reading, case))
