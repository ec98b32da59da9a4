"""SINS of a spinal site and Mirels score of a long bone, as ranges over what an image cannot tell.

SINS: Fisher et al. 2010, Spine 35:E1221. Mirels: Mirels 1989, Clin Orthop 249:256. Tables and their certainty:
docs/background/ct.md. The value is the least total, with every unknown component at its least; the interval is the
range. The method names every component with its points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from osteoscope.domain.anatomy import VERTEBRAE
from osteoscope.domain.finding import Finding, FindingKind, Measure
from osteoscope.domain.reading import LEVEL_UNCERTAIN, Case
from osteoscope.measure.collapse import height_loss
from osteoscope.measure.lesion_type import TypeOptions, kinds_of
from osteoscope.measure.place import CUT_BY_FIELD, shifted
from osteoscope.measure.vertebra import BODILESS, Vertebra, body_share, vertebra_at

UNSEEN = "not from an image"
_BOUNDARY = "boundary +-1 voxel"
_LOCATIONS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        3: ("C1", "C2", "C7", "T1", "T2", "T11", "T12", "L1", "L5"),
        2: ("C3", "C4", "C5", "C6", "L2", "L3", "L4"),
        1: tuple(f"T{n}" for n in range(3, 11)),
    }
)
_LOCATION = {f"vertebra_{level}": points for points, levels in _LOCATIONS.items() for level in levels}
_DOWN_TO_S1 = (*(_LOCATION[level] for level in VERTEBRAE), 3)  # an L5 of uncertain level may be S1, of its junction
_SINS_TYPE: Mapping[str, int] = MappingProxyType({"lytic": 2, "mixed": 1, "blastic": 0})
_MIRELS_TYPE: Mapping[str, int] = MappingProxyType({"lytic": 3, "mixed": 2, "blastic": 1})
_UPPER, _LOWER = ("humerus", "radius", "ulna"), ("tibia", "fibula")


@dataclass(frozen=True)
class StabilityOptions:
    """Choices that the scores leave open.

    Args:
        collapsed: a body is collapsed from this height loss (Genant et al. 1993 grade 1: about 20 %).
        side_ml: least lesion in pedicles and arch of one side that involves the side.
        kinds: how the type by fractions is told.
    """

    collapsed: float = 0.2
    side_ml: float = 0.05
    kinds: TypeOptions = field(default_factory=TypeOptions)


@dataclass(frozen=True)
class Component:
    """Points of one component, from least to greatest, and why they are a range."""

    name: str
    least: int
    greatest: int
    why: str = ""

    def __str__(self) -> str:
        points = str(self.least) if self.least == self.greatest else f"{self.least}-{self.greatest}"
        return f"{self.name} {points}" + (f" ({self.why})" if self.why else "")


def sins(case: Case, site: str, options: StabilityOptions = StabilityOptions()) -> tuple[Measure, ...]:
    """height_loss, and sins_at_least ({score}, 0-18) of a vertebra or sacrum with findings.

    0-6 stable, 7-12 potentially unstable, 13-18 unstable.
    """
    findings = [finding for finding in case.findings if finding.site == site]
    if not findings or not site.startswith(("vertebra_", "sacrum")):
        return ()
    loss = height_loss(case, site)
    components = (
        _location(case, site),
        Component("pain", 0, 3, UNSEEN),
        _type((kinds_of(f, options.kinds) for f in findings), _SINS_TYPE),
        Component("alignment", 0, 4, f"{UNSEEN} alone: needs a prior and standing views"),
        *_body_and_sides(vertebra_at(case, site), site, loss, options),
    )
    return (*loss, _total("sins_at_least", "Fisher 2010", components))


def mirels(case: Case, site: str, options: StabilityOptions = StabilityOptions()) -> tuple[Measure, ...]:
    """mirels_at_least ({score}, 4-12) of a long bone: that of its worst lesion. Up to 7 observe, from 9 fix."""
    if not site.startswith((*_UPPER, *_LOWER, "femur")):
        return ()
    return _highest(_mirels(finding, options) for finding in case.findings if finding.site == site)


def highest_scores(case: Case) -> tuple[Measure, ...]:
    """sins_at_least and mirels_at_least of the site where each is highest; interval up to what any site may reach."""
    made = [m for said in case.sites for m in said.measures]
    return tuple(
        highest
        for name in ("sins_at_least", "mirels_at_least")
        for highest in _highest(m for m in made if m.name == name)
    )


def _highest(measures: Iterable[Measure]) -> tuple[Measure, ...]:
    found = list(measures)
    if not found:
        return ()
    worst = max(found, key=lambda m: (m.value, m.interval or (m.value, m.value)))
    top = max((m.interval or (m.value, m.value))[1] for m in found)
    return (Measure(worst.name, worst.value, worst.unit, worst.method, (worst.value, top)),)


def _total(name: str, source: str, components: Iterable[Component]) -> Measure:
    parts = tuple(components)
    least, greatest = sum(c.least for c in parts), sum(c.greatest for c in parts)
    method = f"{source}, least total: {', '.join(map(str, parts))}"
    return Measure(name, least, "{score}", method, (least, greatest))


def _location(case: Case, site: str) -> Component:
    """Points by the level; of an uncertain one, also by the levels above and below, since counts err by one."""
    if site == "sacrum":
        return Component("location", 0, 3, "S1 or below not told apart")
    if site not in VERTEBRAE:
        return Component("location", 1, 3, LEVEL_UNCERTAIN)
    place, number = case.place(site), VERTEBRAE.index(site)
    doubt = int(place is not None and place.level_uncertain)
    points = _DOWN_TO_S1[max(0, number - doubt) : number + doubt + 1]
    least, greatest = min(points), max(points)
    return Component("location", least, greatest, LEVEL_UNCERTAIN if least < greatest else "")


def _type(kinds: Iterable[frozenset[FindingKind]], points: Mapping[str, int]) -> Component:
    """The worst of all lesions; a range where the fractions do not bear out the finder."""
    each = [[points[kind] for kind in own] for own in kinds]
    least, greatest = max(map(min, each)), max(map(max, each))
    return Component("type", least, greatest, "not settled by fractions" if least < greatest else "")


def _body_and_sides(
    found: Vertebra | None, site: str, loss: tuple[Measure, ...], options: StabilityOptions
) -> tuple[Component, Component]:
    if found is None or not found.body.any():
        why = "no vertebral canal or body in the mask"
        return Component("collapse", 0, 3, why), Component("posterolateral", 0, 3, why)
    if site == BODILESS:
        return Component("collapse", 0, 3, "C1 has no body"), _sides(found, options)
    return _body(found, loss, options), _sides(found, options)


def _body(found: Vertebra, loss: tuple[Measure, ...], options: StabilityOptions) -> Component:
    """Over every height loss and every share of the body that their intervals hold."""
    share = body_share(found)
    shares = share.interval or (share.value,)
    if not loss:
        why = CUT_BY_FIELD if found.cut else "no neighbour to measure height by"
        return Component("collapse", min(int(s > 0.5) for s in shares), 3, why)
    losses = loss[0].interval or (loss[0].value,)
    points = [_collapse(x, s, options) for x in losses for s in shares]
    by = {
        "height +-1 voxel": {_collapse(x, share.value, options) for x in losses},
        _BOUNDARY: {_collapse(loss[0].value, s, options) for s in shares},
    }
    return Component("collapse", min(points), max(points), ", ".join(why for why, made in by.items() if len(made) > 1))


def _sides(found: Vertebra, options: StabilityOptions) -> Component:
    """Sides of the pedicles and the arch with lesion, over its boundaries; both may be where the field cuts."""
    cell = float(np.prod(found.spacing)) / 1000
    behind = found.pedicles | found.arch
    halves = (behind & found.right, behind & ~found.right)
    points = [
        (0, 1, 3)[sum(int(np.count_nonzero(lesion & half) * cell >= options.side_ml) for half in halves)]
        for lesion in (found.lesion, *shifted(found.lesion))
    ]
    least, greatest = min(points), 3 if found.cut else max(points)
    why = CUT_BY_FIELD if found.cut else _BOUNDARY
    return Component("posterolateral", least, greatest, why if least < greatest else "")


def _collapse(loss: float, share: float, options: StabilityOptions) -> int:
    if loss < options.collapsed:
        return int(share > 0.5)
    return 3 if loss > 0.5 else 2


def _mirels(finding: Finding, options: StabilityOptions) -> Measure:
    made = {m.name: m for m in finding.measures}
    components = (
        _limb(finding.site, made),
        Component("pain", 1, 3, UNSEEN),
        _type((kinds_of(finding, options.kinds),), _MIRELS_TYPE),
        _size(made.get("diameter_share")),
    )
    return _total("mirels_at_least", "Mirels 1989", components)


def _limb(site: str, made: Mapping[str, Measure]) -> Component:
    if not site.startswith("femur"):
        points = 1 if site.startswith(_UPPER) else 2
        return Component("site", points, points)
    if "in_trochanters" not in made:
        return Component("site", 2, 3, "parts of the femur not told apart")
    trochanters, neck = (made[name].interval or (made[name].value,) for name in ("in_trochanters", "in_neck"))
    why = "neck: peritrochanteric or not" if made["in_neck"].value > 0 else _BOUNDARY
    least, greatest = 2 + int(trochanters[0] > 0), 2 + int(trochanters[-1] > 0 or neck[-1] > 0)
    return Component("site", least, greatest, why if least < greatest else "")


def _size(share: Measure | None) -> Component:
    if share is None:
        return Component("size", 1, 3, "too little of the bone in the field")
    points = [1 + int(v >= 1 / 3) + int(v > 2 / 3) for v in share.interval or (share.value,)]
    why = CUT_BY_FIELD if CUT_BY_FIELD in share.method else _BOUNDARY
    return Component("size", points[0], points[-1], why if points[0] < points[-1] else "")
