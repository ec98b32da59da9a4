"""Pixels that are not square: a study is read on square ones, and what is found is told in its own.

Counts are summed to the larger side of a pixel, so that they stay counts; nothing is made up between them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Finding, Part, Point, Region, SetAside
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study

Floats = NDArray[np.float64]

# Sides that differ no more are equal: headers round them.
_ALIKE = 1.02


def is_square(study: Study) -> bool:
    """Whether the pixels of every view are as high as they are wide, or of no known size."""
    return all(max(i.grid.spacing) <= _ALIKE * min(i.grid.spacing) for i in study.images.values())


@lru_cache(maxsize=2)
def squared(study: Study) -> Study:
    """The study on square pixels of the larger side; itself where they are square. Kept: every step asks for it."""
    if is_square(study):
        return study
    return replace(study, images={name: _squared(image) for name, image in study.images.items()})


def _squared(image: Image) -> Image:
    grid = image.grid
    side = max(grid.spacing)
    down, right = (_overlaps(count, spacing / side) for count, spacing in zip(grid.shape, grid.spacing, strict=True))
    values = np.asarray(down @ image.values.astype(np.float64) @ right.T, dtype=np.float32)
    return Image(Grid.planar(values.shape, (side, side), grid.frame), values, image.quantity)


def _overlaps(count: int, size: float) -> Floats:
    """Share of each of so many pixels, of that size, in each of size 1: (ceil(count * size), count)."""
    edges = np.arange(count + 1) * size
    cells = np.arange(max(1, int(np.ceil(edges[-1] - 1e-6))))[:, None]
    low, high = np.maximum(edges[None, :-1], cells), np.minimum(edges[None, 1:], cells + 1)
    return np.asarray(np.clip(high - low, 0, None) / size)


def moved(region: Region, source: Study, target: Study) -> Region:
    """A region of the one study on the pixels of the other, both being of the same fields."""
    if source is target:
        return region
    return Region(
        tuple(_moved(part, source.images[part.image].grid, target.images[part.image].grid) for part in region.parts)
    )


def _moved(part: Part, source: Grid, target: Grid) -> Part:
    """Pixels whose middle lies in the part, and those that hold the middle of one of its pixels."""
    whole = part.full(source.shape)
    back = [_under(*ends) for ends in zip(target.shape, target.spacing, source.shape, source.spacing, strict=True)]
    mask = whole[np.ix_(*back)]
    ahead = [_under(*ends) for ends in zip(source.shape, source.spacing, target.shape, target.spacing, strict=True)]
    at = np.nonzero(whole)
    mask[tuple(index[places] for index, places in zip(ahead, at, strict=True))] = True
    return Part.from_mask(part.image, mask)


def _under(count: int, spacing: float, other: int, other_spacing: float) -> NDArray[np.int64]:
    """Of the middle of each pixel, the pixel of the other picture that it lies in."""
    at = (np.arange(count) + 0.5) * spacing / other_spacing
    return np.asarray(np.clip(at.astype(np.int64), 0, other - 1))


def site_moved(site: MappedSite, source: Study, target: Study) -> MappedSite:
    """A mapped site on the pixels of the other study."""
    return site if site.region is None else replace(site, region=moved(site.region, source, target))


def finding_moved(finding: Finding, source: Study, target: Study) -> Finding:
    """A finding on the pixels of the other study."""
    if source is target:
        return finding
    region = moved(finding.region, source, target)
    first = region.parts[0]
    return replace(finding, region=region, centre=Point.centre_of(first, target.images[first.image].grid))


def aside_moved(aside: SetAside, source: Study, target: Study) -> SetAside:
    """What was set aside on the pixels of the other study."""
    return replace(aside, region=moved(aside.region, source, target))
