"""Grown, stable, shrunk or turned sclerotic: what a lesion's volume and attenuation at two dates are called."""

from __future__ import annotations

from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.geometry import Grid
from osteoscope.measure.lesion_change_record import (
    Call,
    ChangeOptions,
    Followed,
    Interval,
    Quantity,
    Sighting,
)
from osteoscope.measure.size import size_of_mask


def sighting(findings: tuple[Finding, ...], grid: Grid) -> Sighting:
    """Findings that are one lesion at one date: volumes added, HU weighted by volume."""
    volumes = [_volume(finding, grid) for finding in findings]
    total = sum(volume.value for volume in volumes)
    spans = [volume.interval or (volume.value, volume.value) for volume in volumes]
    largest = findings[max(range(len(findings)), key=lambda n: volumes[n].value)]
    means = [finding.measure("hu_mean") for finding in findings]
    hu = hu_interval = None
    known = [(volume.value, mean) for volume, mean in zip(volumes, means, strict=True) if mean is not None]
    if len(known) == len(findings):
        hu = sum(v * mean.value for v, mean in known) / total
        ends = [mean.interval or (mean.value, mean.value) for _, mean in known]
        low, high = (sum(v * end[n] for (v, _), end in zip(known, ends, strict=True)) / total for n in (0, 1))
        hu_interval = (low, high)
    return Sighting(
        tuple(finding.id for finding in findings), largest.site, largest.kind, largest.confidence, total,
        (sum(low for low, _ in spans), sum(high for _, high in spans)), hu, hu_interval, largest.centre.position,
    )  # fmt: skip


def _volume(finding: Finding, grid: Grid) -> Measure:
    """As the reader stated it with an interval, else by the mask."""
    stated = finding.measure("volume")
    if stated is not None and stated.interval is not None and stated.value > 0:
        return stated
    return next(m for m in size_of_mask(finding.region.parts[0].mask, grid) if m.name == "volume")


def call_pair(before: Sighting, now: Sighting, options: ChangeOptions) -> Followed:
    """A lesion that is there at both dates, not yet named.

    Denser comes before larger or smaller, since a healing lesion may do either; the size is then in a note.
    """
    ratio = _ratio(before.volume_ml, before.volume_interval, now.volume_ml, now.volume_interval)
    change = quantity_of((now, before)) if before.hu is not None and now.hu is not None else None
    size = _size(ratio.value, options)
    sizes = _between(ratio, options)
    denser = change is not None and before.kind != "blastic" and change.value >= options.sclerotic_hu
    may_be = change is not None and before.kind != "blastic" and (change.high or change.value) >= options.sclerotic_hu
    may_not = change is None or before.kind == "blastic" or (change.low or change.value) < options.sclerotic_hu
    possible: tuple[Call, ...] = (*(sizes if may_not else ()), *(("turned_sclerotic",) if may_be else ()))
    notes = (f"{size} in volume",) if denser and size != "stable" else ()
    call: Call = "turned_sclerotic" if denser else size
    return Followed("", now.site, call, possible, before, now, ratio, change, notes=notes)


def _size(ratio: float, options: ChangeOptions) -> Call:
    if ratio >= options.grown**3:
        return "grown"
    return "shrunk" if ratio <= options.shrunk**3 else "stable"


def _between(ratio: Quantity, options: ChangeOptions) -> tuple[Call, ...]:
    """Every call of size that lies between the ends of the ratio, the smallest first."""
    order: tuple[Call, ...] = ("shrunk", "stable", "grown")
    low = order.index(_size(ratio.low or 0.0, options))
    high = order.index("grown" if ratio.high is None else _size(ratio.high, options))
    return order[low : high + 1]


def _ratio(before: float, spread: Interval, now: float, spread_now: Interval) -> Quantity:
    high = spread_now[1] / spread[0] if spread[0] > 0 else None
    return Quantity(now / before, spread_now[0] / spread[1], high)


def quantity_of(pair: tuple[Sighting | Quantity, Sighting | Quantity]) -> Quantity | None:
    """HU of the first less that of the second, as if both erred independently and at their worst."""
    (value, low, high), (other, other_low, other_high) = (_hu(one) for one in pair)
    return Quantity(value - other, low - other_high, high - other_low)


def _hu(one: Sighting | Quantity) -> tuple[float, float, float]:
    if isinstance(one, Quantity):
        return one.value, one.low if one.low is not None else one.value, one.high if one.high is not None else one.value
    value = one.hu or 0.0
    low, high = one.hu_interval or (value, value)
    return value, low, high
