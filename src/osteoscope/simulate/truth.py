"""The truth of a simulation: sites, findings and scores from the lesions that were put in.

How the truth decides (docs/background/mibg.md; open wordings settled as there):

- What counts is what the camera looked at. A voxel is in the field if its column of pixels was exposed. A SIOPEN
  segment or Curie region with less than `ACQUIRED_SHARE` of its bone volume in the field is "not acquired".
- A focus counts once, in the unit of its centre, if most of its voxels are in the field.
- The diffuse share of a segment is the share of its bone *volume* in the field that was put in as diffuse disease;
  it does not depend on pose or view. Diffuse patches go through the body from front to back, so that the share of
  the projected area is close to it.
- SIOPEN: share above 0.95: 6; from 0.5: 5; any diffuse disease or more than three foci: 4; else the number of foci.
- Curie: diffuse share above 0.5: 3; else 1 for one site and 2 for more, a diffuse part of one unit being one site.
- Soft tissue, Curie's tenth region: number of masses up to 2, or 3 where one fills over half of the chest or of the
  abdomen, each taken as half of the viscera.
- A total is a range where something was not acquired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import CURIE, SIOPEN, SKELETAL_UNITS
from osteoscope.domain.finding import Finding, Measure, Point, Region, SetAside
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import MappedSite, SiteReading, Status
from osteoscope.simulate.body import SOFT_TISSUE, VISCERA, Body
from osteoscope.simulate.camera import Floats
from osteoscope.simulate.flesh import TRUNK_ORGANS
from osteoscope.simulate.lesions import Placed
from osteoscope.simulate.silhouettes import Silhouettes
from osteoscope.simulate.uptake import organ_of

ACQUIRED_SHARE = 0.5
_METHOD = "truth of the simulation"
_VISIBLE_UPTAKE = 1.4


@dataclass(frozen=True, eq=False)
class Truth:
    """Everything known of a simulated study.

    Args:
        silhouettes: of the labelled voxels.
        placed: lesions.
        grids: of the anterior and the posterior view.
        visibility: contrast-to-noise ratio at each pixel of both views (`osteoscope.simulate.visibility`).
    """

    silhouettes: Silhouettes
    placed: tuple[Placed, ...]
    grids: Mapping[str, Grid]
    visibility: Mapping[str, Floats]

    @property
    def body(self) -> Body:
        """The labelled voxels."""
        return self.silhouettes.body

    @cached_property
    def _volumes(self) -> Mapping[str, tuple[int, int]]:
        """Voxels of each skeletal unit: all, and in the field."""
        bones = {unit: self.body.bone((unit,)) for unit in SKELETAL_UNITS}
        return {unit: (bone.size, int(self.silhouettes.seen(bone).sum())) for unit, bone in bones.items()}

    @cached_property
    def _visible(self) -> tuple[Placed, ...]:
        """Lesions as far as they are in the field."""
        kept = []
        for lesion in self.placed:
            seen = self.silhouettes.seen(lesion.voxels)
            if seen.mean() > 0.5 or (lesion.kind == "diffuse" and seen.any()):
                kept.append(Placed(lesion.unit, lesion.kind, lesion.voxels[seen], lesion.contrast))
        return tuple(kept)

    def findings(self) -> tuple[Finding, ...]:
        """One per lesion and unit."""
        found: list[Finding] = []
        for lesion in self._visible:
            region = self.silhouettes.region(lesion.voxels)
            if region is not None:
                number, first = f"lesion_{len(found) + 1}", region.parts[0]
                centre = Point.centre_of(first, self.grids[first.image])
                seen = (self._contrast(region),)
                found.append(Finding(number, lesion.unit, lesion.kind, 1.0, region, centre, seen))
        return tuple(found)

    def _contrast(self, region: Region) -> Measure:
        best = max(float(self.visibility[part.image][part.box][part.mask].max()) for part in region.parts)
        return Measure("contrast_to_noise", round(best, 2), "1", "expected counts, better view, 12 mm aperture")

    def mapped(self) -> tuple[MappedSite, ...]:
        """The silhouette of every planar unit; that of soft tissue is the whole body."""
        everything = range(1, len(self.body.structures))
        sites = [MappedSite(SOFT_TISSUE, self.silhouettes.region(self.body.voxels(everything)))]
        for unit, (whole, seen) in self._volumes.items():
            region = self.silhouettes.region(self.body.bone((unit,)))
            acquired = region is not None and seen >= ACQUIRED_SHARE * whole
            sites.append(MappedSite(unit, region, "assessed" if acquired else "not_acquired"))
        return tuple(sites)

    def set_aside(self, concentration: NDArray[np.float32]) -> tuple[SetAside, ...]:
        """Organs whose uptake stands out, by concentration per structure (mediastinum = 1)."""
        organs: dict[str, list[int]] = {}
        for label, name in enumerate(self.body.structures):
            if self.body.unit_of_structure[label] < 0 and concentration[label] >= _VISIBLE_UPTAKE:
                organs.setdefault(organ_of(name), []).append(label)
        regions = {organ: self.silhouettes.region(self.body.voxels(labels)) for organ, labels in organs.items()}
        return tuple(SetAside(organ, "physiological uptake", region) for organ, region in regions.items() if region)

    def sites(self, findings: Sequence[Finding]) -> tuple[SiteReading, ...]:
        """SIOPEN segments and Curie regions with their levels; a name that both share is one site."""
        sites = []
        for name in dict.fromkeys((*SIOPEN, *CURIE)):
            units = set(SIOPEN.get(name, ())) | set(CURIE.get(name, ()))
            evidence = tuple(f.id for f in findings if f.site in units)
            share = self._acquired_share(units)
            status: Status = "assessed" if share >= ACQUIRED_SHARE else "not_acquired"
            notes = () if share > 0.99 else (f"{share:.0%} of its bone in the field",)
            measures = self._levels(name, findings) if status == "assessed" else ()
            sites.append(SiteReading(name, status, measures, evidence, None, notes))
        return tuple(sites)

    def _levels(self, name: str, findings: Sequence[Finding]) -> tuple[Measure, ...]:
        levels = []
        if name in SIOPEN:
            foci, _, share = self._extent(SIOPEN[name], findings)
            levels.append(("siopen", siopen_level(foci, share)))
        if name == SOFT_TISSUE:
            levels.append(("curie", self._soft_tissue_level(findings)))
        elif name in CURIE:
            foci, patches, share = self._extent(CURIE[name], findings)
            levels.append(("curie", curie_level(foci + patches, share)))
        return tuple(Measure(score, float(level), "{score}", _METHOD, (level, level)) for score, level in levels)

    def _extent(self, units: Iterable[str], findings: Sequence[Finding]) -> tuple[int, int, float]:
        """Foci, diffuse parts and diffuse share of the bone volume in the field."""
        wanted = set(units)
        kinds = [f.kind for f in findings if f.site in wanted]
        diffuse = [p.voxels for p in self._visible if p.unit in wanted and p.kind == "diffuse"]
        bone = sum(self._volumes[unit][1] for unit in wanted)
        share = np.unique(np.concatenate(diffuse)).size / max(bone, 1) if diffuse else 0.0
        return kinds.count("focal"), kinds.count("diffuse"), share

    def _soft_tissue_level(self, findings: Sequence[Finding]) -> int:
        masses = [p.voxels.size for p in self._visible if p.unit == SOFT_TISSUE]
        inner = [n for n, name in enumerate(self.body.structures) if name in (VISCERA, *TRUNK_ORGANS)]
        room = self.body.voxels(inner).size
        if room and masses and max(masses) > 0.5 * (room / 2):
            return 3
        return min(2, sum(f.site == SOFT_TISSUE for f in findings))

    def _acquired_share(self, units: Iterable[str]) -> float:
        volumes = [self._volumes[unit] for unit in units if unit != SOFT_TISSUE]
        whole, seen = (sum(v) for v in zip(*volumes, strict=True)) if volumes else (1, 1)
        return seen / whole if whole else 0.0


def siopen_level(foci: int, share: float) -> int:
    """SIOPEN level of a segment with that many foci and that diffuse share (see the module's text)."""
    if share >= 0.5:
        return 6 if share > 0.95 else 5
    return 4 if share > 0 or foci > 3 else foci


def curie_level(places: int, share: float) -> int:
    """Curie level of a region with that many involved places and that diffuse share (see the module's text)."""
    return 3 if share > 0.5 else min(places, 2)


def totals(sites: Sequence[SiteReading]) -> tuple[Measure, ...]:
    """SIOPEN and Curie totals, each with the range that places not acquired leave open."""
    found = []
    for score, members, highest in (("siopen", SIOPEN, 6), ("curie", CURIE, 3)):
        levels = [s.measure(score) for s in sites if s.site in members]
        total = sum(level.value for level in levels if level)
        missing = sum(level is None for level in levels)
        found.append(Measure(f"{score}_total", total, "{score}", _METHOD, (total, total + highest * missing)))
    return tuple(found)
