"""Disease as a recipe names it: foci, confluent foci, diffuse involvement, masses and chains of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from osteoscope.domain.anatomy import PLANAR_UNITS, SIOPEN
from osteoscope.errors import InvalidValueError
from osteoscope.simulate.body import SOFT_TISSUE

Pattern = Literal["patch", "patchy", "metaphyseal", "column", "iliac", "calvaria", "orbital", "beads"]
MassPlace = Literal["adrenal_right", "adrenal_left", "abdomen", "mediastinum", "neck", "pelvis"]
NodePlace = Literal["neck_right", "neck_left", "mediastinum", "retroperitoneum"]


def _check_site(site: str) -> None:
    if site not in SIOPEN and (site not in PLANAR_UNITS or site == SOFT_TISSUE):
        raise InvalidValueError("build a lesion", f"site {site!r}", "Name a planar unit or a SIOPEN segment")


@dataclass(frozen=True)
class Foci:
    """Discrete skeletal lesions, each of several joined balls within a ball of its diameter.

    Args:
        site: a planar unit or a SIOPEN segment.
        count: how many, at least 1.
        diameter_mm: of each.
        contrast: concentration, mediastinum = 1.
        heat_spread, size_spread: log-standard deviation of contrast and diameter from focus to focus.
        at: "anywhere", or "ends" for the metaphyses alone.
    """

    site: str
    count: int = 1
    diameter_mm: float = 14.0
    contrast: float = 30.0
    heat_spread: float = 0.2
    size_spread: float = 0.0
    at: Literal["anywhere", "ends"] = "anywhere"

    def __post_init__(self) -> None:
        _check_site(self.site)
        if self.count < 1 or self.diameter_mm <= 0 or min(self.heat_spread, self.size_spread) < 0:
            raise InvalidValueError(
                f"build foci in {self.site}", f"{self.count} of {self.diameter_mm} mm", "Give at least 1 of some size"
            )


@dataclass(frozen=True)
class Confluent:
    """Foci that touch, which count as one lesion: diffuse where long for its bone, else one focus.

    Args:
        site: a planar unit or a SIOPEN segment; the lesion stays within one unit.
        diameter_mm: of each of its parts.
        contrast: concentration, mediastinum = 1.
        long: whether it grows beyond the length at which the truth calls it diffuse, or stops before.
    """

    site: str
    diameter_mm: float = 10.0
    contrast: float = 30.0
    long: bool = False

    def __post_init__(self) -> None:
        _check_site(self.site)
        if self.diameter_mm <= 0:
            raise InvalidValueError(
                f"build confluent foci in {self.site}", f"parts of {self.diameter_mm} mm", "Give them some size"
            )


@dataclass(frozen=True)
class Diffuse:
    """Diffuse skeletal involvement.

    Args:
        site: a planar unit or a SIOPEN segment.
        fraction: share of the site's bone volume, above 0, up to 1.
        pattern: where it begins: "patch" (one place), "patchy" (islands), "beads" (small islands), "metaphyseal" (ends
            of bones), "column" (one height), "iliac" (crests and sacro-iliac joints), "calvaria" (away from the face),
            "orbital" (around the eyes).
        contrast: concentration, mediastinum = 1.
    """

    site: str
    fraction: float = 1.0
    pattern: Pattern = "patch"
    contrast: float = 15.0

    def __post_init__(self) -> None:
        _check_site(self.site)
        if not 0 < self.fraction <= 1:
            raise InvalidValueError(
                f"build diffuse disease of {self.site}", f"fraction {self.fraction}", "Give a number in 0..1"
            )


@dataclass(frozen=True)
class Mass:
    """A primary tumour or a node: soft tissue, never bone.

    Args:
        place: where.
        diameter_mm: of the ball, or of the ball that holds all lobes.
        contrast: concentration, mediastinum = 1.
        aside: from that place: down, left, front, in lengths of the way from thoracic to lumbar spine.
        lobed: joined balls instead of one.
    """

    place: MassPlace = "adrenal_left"
    diameter_mm: float = 40.0
    contrast: float = 10.0
    aside: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lobed: bool = False


@dataclass(frozen=True)
class Nodes:
    """A chain of lymph nodes: soft tissue, never bone.

    Args:
        place: which chain.
        count: how many, at least 1; those that would touch another are left out.
        diameter_mm: of the largest.
        contrast: concentration, mediastinum = 1.
    """

    place: NodePlace = "retroperitoneum"
    count: int = 3
    diameter_mm: float = 14.0
    contrast: float = 12.0

    def __post_init__(self) -> None:
        if self.count < 1 or self.diameter_mm <= 0:
            raise InvalidValueError(
                f"build nodes of {self.place}", f"{self.count} of {self.diameter_mm} mm", "Give at least 1 of some size"
            )


Lesion = Foci | Confluent | Diffuse | Mass | Nodes
