"""Small scans of box-shaped lesions."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from osteoscope.domain.finding import Part, Region
from osteoscope.stats.detection_scan import Lesion, Scan

SPACING = (2.0, 1.0, 1.0)


def box(start: int, confidence: float = 1.0, size: int = 4, kind: str = "lytic", site: str = "vertebra_L1") -> Lesion:
    """A lesion of 4 x 4 voxels and ``size`` slices from slice ``start`` on, its long axis 10 mm."""
    region = Region((Part("ct", (start, 0, 0), np.ones((size, 4, 4), dtype=bool)),))
    return Lesion(f"{start}:{size}:{confidence}", region, confidence, kind, site, 10.0, size * 0.032)


def scan(reference: list[Lesion], findings: list[Lesion], name: str = "a", patient: str = "") -> Scan:
    return Scan(name, patient or name, SPACING, tuple(reference), tuple(findings))


kinds = st.sampled_from(["lytic", "blastic", "mixed", ""])
sites = st.sampled_from(["vertebra_L1", "hip_left", "vertebra_unknown_2", ""])
# Few confidences and places, so that ties and chains of overlaps are common.
confidences = st.sampled_from([0.2, 0.4, 0.4, 0.9])
lesions = st.builds(box, st.integers(0, 12), st.just(1.0), st.integers(1, 5), kinds, sites)
findings = st.builds(box, st.integers(0, 12), confidences, st.integers(1, 5), kinds, sites)
