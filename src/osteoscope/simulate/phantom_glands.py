"""Glands that published phantoms lack, placed relative to the skull and the neck as in the parametric child."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import SIDES, Side
from osteoscope.domain.geometry import Grid
from osteoscope.simulate import flesh
from osteoscope.simulate.body import SOFT_TISSUE
from osteoscope.simulate.growth import Stature
from osteoscope.simulate.painting import paint
from osteoscope.simulate.phantom import Phantom
from osteoscope.simulate.phantom_parts import Anatomy
from osteoscope.simulate.posture import Limb, Posture
from osteoscope.simulate.shapes import Frame, Solid

_NECK_RADIUS = 0.033
# Depth of the eyes below the crown in `flesh`, share of the head's length.
_EYES = 0.56
_SUBMANDIBULAR = 0.3


def with_glands(anatomy: Anatomy) -> Phantom:
    """The phantom with the glands that it lacks: parotid, submandibular, lacrimal, nasal, oral, thyroid, brown fat."""
    phantom = anatomy.phantom
    labels = phantom.labels.copy()
    names = list(phantom.structures)
    if SOFT_TISSUE not in names:
        return phantom
    soft = names.index(SOFT_TISSUE)
    missing = {name: gland for name, gland in _glands(anatomy).items() if name != "brain" and name not in names}
    for side in SIDES:
        _part_salivary(labels, names, side)
    missing = {name: gland for name, gland in missing.items() if name not in names}
    grid = Grid.axial(labels.shape, phantom.spacing)
    for name, gland in missing.items():
        names.append(name)
        paint(labels, grid, gland, len(names) - 1, (soft,))
    return Phantom(labels, phantom.spacing, tuple(names))


def _part_salivary(labels: NDArray[np.uint8], names: list[str], side: Side) -> None:
    """Where one name stands for all salivary glands of a side, the lowest of it becomes the submandibular gland."""
    if f"parotid_{side}" not in names or f"submandibular_{side}" in names:
        return
    z, y, x = np.nonzero(labels == names.index(f"parotid_{side}"))
    if not z.size:
        return
    names.append(f"submandibular_{side}")
    low = z <= np.quantile(z, _SUBMANDIBULAR)
    labels[z[low], y[low], x[low]] = len(names) - 1


def _glands(anatomy: Anatomy) -> dict[str, Solid]:
    """Glands in the phantom's millimetres."""
    crown, (breadth, depth, eyes, _) = anatomy.head
    trunk, length = anatomy.trunk
    tall = float(crown.origin[2])
    middle = anatomy.girths[max(anatomy.girths)]
    neck = Frame(np.array([trunk.origin[0], (middle[0][1] + middle[1][1]) / 2, trunk.origin[2]]), np.eye(3))
    lengths = {"head": eyes / _EYES, "trunk": length}
    girths = {"head_breadth": breadth, "head_depth": depth, "neck_radius": _NECK_RADIUS * tall}
    stature = Stature(tall, MappingProxyType(lengths), MappingProxyType(girths), 1.0, 1.0)
    limbs: Mapping[Side, Limb] = MappingProxyType({})
    posed = Posture(neck, crown, limbs, limbs)
    return flesh.head_organs(stature, posed) | flesh.neck_organs(stature, posed)
