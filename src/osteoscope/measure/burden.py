"""How much tumour: number and volume of lesions in a bone and in the whole study."""

from __future__ import annotations

from collections.abc import Sequence

from osteoscope.domain.finding import Finding, Measure
from osteoscope.domain.reading import Case

METHOD = "sum over findings"


def burden_of_site(case: Case, site: str) -> tuple[Measure, ...]:
    """lesion_count ({count}) and lesion_volume (mL) of one bone; intervals add up those of the findings."""
    return _burden([finding for finding in case.findings if finding.site == site])


def burden(case: Case) -> tuple[Measure, ...]:
    """lesion_count ({count}) and lesion_volume (mL) of the study."""
    return _burden(case.findings)


def _burden(findings: Sequence[Finding]) -> tuple[Measure, ...]:
    volumes = [m for finding in findings for m in finding.measures if m.name == "volume"]
    bounds = [m.interval or (m.value, m.value) for m in volumes]
    interval = (sum(low for low, _ in bounds), sum(high for _, high in bounds))
    total = sum(m.value for m in volumes)
    return (
        Measure("lesion_count", len(findings), "{count}", METHOD),
        Measure("lesion_volume", total, "mL", METHOD, (min(interval[0], total), max(interval[1], total))),
    )
