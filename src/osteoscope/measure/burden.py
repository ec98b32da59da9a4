"""How much tumour: number and volume of lesions in a bone and in the whole study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from osteoscope.domain.finding import Finding, Measure, Part
from osteoscope.domain.reading import Case
from osteoscope.measure.place import spread

METHOD = "sum over findings"
_SHARE = "lesion_volume within mapped bone over the volume of all mapped bone in the field"


def burden_of_site(case: Case, site: str) -> tuple[Measure, ...]:
    """lesion_count ({count}) and lesion_volume (mL) of one bone; intervals add up those of the findings."""
    return _burden([finding for finding in case.findings if finding.site == site])


def burden(case: Case) -> tuple[Measure, ...]:
    """lesion_count ({count}) and lesion_volume (mL) of the study. Nothing where no bone was assessed: no count of 0."""
    return _burden(case.findings) if _assessed(case) else ()


def skeleton_share(case: Case) -> tuple[Measure, ...]:
    """lesion_share: share 0..1 of the bone in the field that is lesion. Nothing where no bone was assessed.

    Of each finding's volume and its interval, the share of voxels that lie in mapped bone counts.
    """
    parts = [part for place in case.mapped if place.region and (part := place.region.on("ct"))]
    if not parts or not _assessed(case):
        return ()
    whole = sum(int(np.count_nonzero(part.mask)) for part in parts) * case.study.images["ct"].grid.cell / 1000
    inside = _volume(case.findings, [_share_within(finding, parts) for finding in case.findings])
    return (spread("lesion_share", "1", _SHARE, [min(1.0, volume / whole) for volume in inside]),)


def _assessed(case: Case) -> bool:
    statuses = {*(place.status for place in case.mapped), *(site.status for site in case.sites)}
    return bool(case.findings) or "assessed" in statuses


def _share_within(finding: Finding, bones: Sequence[Part]) -> float:
    part = finding.region.on("ct")
    if part is None:
        return 0.0
    held = np.zeros_like(part.mask)
    for bone in bones:
        held |= bone.within(part.box)
    return float(held[part.mask].mean())


def _burden(findings: Sequence[Finding]) -> tuple[Measure, ...]:
    total, low, high = _volume(findings, [1.0] * len(findings))
    return (
        Measure("lesion_count", len(findings), "{count}", METHOD),
        Measure("lesion_volume", total, "mL", METHOD, (low, high)),
    )


def _volume(findings: Sequence[Finding], shares: Sequence[float]) -> tuple[float, float, float]:
    """Volume in mL and its bounds, summed over findings that count by a share each."""
    ends = np.zeros(3)
    for finding, share in zip(findings, shares, strict=True):
        for measure in finding.measures:
            if measure.name == "volume":
                ends += share * np.array([measure.value, *(measure.interval or (measure.value,) * 2)])
    total, low, high = ends.tolist()
    return total, min(low, total), max(high, total)
