"""What is drawn for one training example, noise and artefacts apart, so that it can be rendered in any way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from osteoscope.train.planar_basis import Basis, Part
from osteoscope.train.planar_draw import UNIT_OF, Floats, Heats, choose_disease, organ_weights
from osteoscope.train.planar_proportions import Proportions

_COUNTS = (1.2e5, 1.4e6)
_ONE_VIEW = 0.1
_BLURRED, _SIGMA = 0.5, (0.3, 1.3)
_KNOTS, _UNEVEN, _HEADS, _FLOOR = 7, 0.06, 0.15, 0.1
_OFF = 0.025
TRUNCATE = 2.5


@dataclass(frozen=True, eq=False)
class Disturbance:
    """Other resolution, uneven sensitivity, unequal heads, a floor of stray counts.

    Args:
        sigma: of the blur, pixels; 0 for none.
        down, right: (H,) and (W,) gains.
        posterior: gain of that view.
        floor: stray counts over the mean.
    """

    sigma: float
    down: Floats
    right: Floats
    posterior: float
    floor: float

    @classmethod
    def random(cls, shape: tuple[int, ...], rng: np.random.Generator) -> Disturbance:
        """Of pictures of a shape (H, W)."""
        sigma = float(rng.uniform(*_SIGMA)) if rng.random() < _BLURRED else 0.0
        down, right = (
            np.exp(np.interp(np.arange(n), np.linspace(0, n, _KNOTS), rng.normal(0, _UNEVEN, _KNOTS))) for n in shape
        )
        gain, floor = float(rng.lognormal(0, _HEADS)), float(rng.uniform(0, _FLOOR))
        return cls(sigma, down.astype(np.float32), right.astype(np.float32), gain, floor)

    def apply(self, expected: Floats) -> Floats:
        """Expected counts (2, H, W) so disturbed."""
        if self.sigma:
            expected = gaussian_filter(expected, (0, self.sigma, self.sigma), truncate=TRUNCATE)
        uneven = expected * (self.down[:, None] * self.right)
        uneven[1] *= self.posterior
        return np.asarray(uneven + np.float32(self.floor) * uneven.mean())


@dataclass(frozen=True, eq=False)
class Plan:
    """One example of a basis.

    Args:
        organs: multiple of each organ's concentration, in the order of the basis.
        counts: of the anterior view of the healthy child.
        disease: indices of parts.
        heats: of these.
        proportions: that the picture is brought to.
        off: (4,) errors of the outline's box: top, bottom over its height, left, right over its width.
        disturbance: of the picture.
        absent: view that is missing, -1 for none.
        foci: (n, 3) row and column in those proportions, and unit, of each focus.
    """

    organs: Floats
    counts: float
    disease: NDArray[np.int64]
    heats: Heats
    proportions: Proportions
    off: NDArray[np.float64]
    disturbance: Disturbance
    absent: int
    foci: NDArray[np.float64]

    @classmethod
    def random(cls, basis: Basis, rng: np.random.Generator) -> Plan:
        """Some uptake, disease, dose, proportions and disturbance."""
        organs = [part for part in basis.parts if part.kind == "organ"]
        place = {id(part): number for number, part in enumerate(basis.parts)}
        shape = basis.body.shape
        weights = organ_weights(basis, organs, rng)
        counts = float(np.exp(rng.uniform(*np.log(_COUNTS))))
        disease = choose_disease(basis, rng)
        proportions = Proportions.random(shape, rng)
        foci = [(*proportions.place(*part.centre), UNIT_OF[part.name]) for part in disease if part.kind == "focus"]
        return cls(
            np.array(weights, dtype=np.float32),
            counts,
            np.array([place[id(part)] for part in disease], dtype=np.int64),
            Heats.random(disease, rng),
            proportions,
            rng.normal(0, _OFF, 4),
            Disturbance.random(shape, rng),
            int(rng.integers(2)) if rng.random() < _ONE_VIEW else -1,
            np.array(foci, dtype=float).reshape(-1, 3),
        )

    def lesions(self, basis: Basis) -> list[Part]:
        """The parts of the disease."""
        return [basis.parts[number] for number in self.disease]
