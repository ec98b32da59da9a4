"""How much tumour: number and volume of lesions in a bone and in the whole study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.reading import Case
from osteoscope.measure.place import spread

METHOD = "sum over findings"


def burden_of_site(case: Case, site: str) -> tuple[Measure, ...]:
    """lesion_count ({count}) and lesion_volume (mL) of one bone; intervals add up those of the findings."""
    return _burden([finding for finding in case.findings if finding.site == site])


def burden(case: Case) -> tuple[Measure, ...]:
    """lesion_count ({count}) and lesion_volume (mL) of the study."""
    return _burden(case.findings)


def skeleton_share(case: Case) -> tuple[Measure, ...]:
    """lesion_share: share 0..1 of the bone in the field that is lesion. Nothing where no bone was mapped."""
    parts = [part for place in case.mapped if place.region and (part := place.region.on("ct"))]
    if not parts:
        return ()
    whole = sum(int(np.count_nonzero(part.mask)) for part in parts) * case.study.images["ct"].grid.cell / 1000
    volume = burden(case)[1]
    shares = [min(1.0, v / whole) for v in (volume.value, *(volume.interval or ()))]
    return (spread("lesion_share", "1", "lesion_volume over the volume of all mapped bone in the field", shares),)


def _burden(findings: Sequence[Finding]) -> tuple[Measure, ...]:
    volumes = [m for finding in findings for m in finding.measures if m.name == "volume"]
    bounds = [m.interval or (m.value, m.value) for m in volumes]
    interval = (sum(low for low, _ in bounds), sum(high for _, high in bounds))
    total = sum(m.value for m in volumes)
    return (
        Measure("lesion_count", len(findings), "{count}", METHOD),
        Measure("lesion_volume", total, "mL", METHOD, (min(interval[0], total), max(interval[1], total))),
    )
