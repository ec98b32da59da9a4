"""A CT whose bones and lesions are known, measured as a reader measures what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from osteoscope.domain.finding import Finding
from osteoscope.domain.reading import MappedSite, Reading
from osteoscope.domain.study import Study
from osteoscope.find.detection import Detection
from osteoscope.measure.intensity import attenuation
from osteoscope.measure.size import size
from osteoscope.reading.ct_plans import CT_BASELINE
from osteoscope.reading.plan import Plan
from osteoscope.reading.read import read

SIZED = replace(CT_BASELINE, of_finding=(size, attenuation), of_site=(), of_study=())


def read_known(
    study: Study, mapped: tuple[MappedSite, ...], findings: Sequence[Finding], plan: Plan = SIZED
) -> Reading:  # fmt: skip
    """A Reading of these findings; measures that they carry give way to those of the plan.

    Args:
        study: a CT.
        mapped: its bones, as they are.
        findings: its lesions, as they are.
        plan: what is measured (default: size and HU of each lesion).
    """
    bare = tuple(replace(finding, measures=()) for finding in findings)
    return read(study, replace(plan, map_sites=lambda _: mapped, detect=lambda *_: Detection(bare))).reading
