"""Strain of elements, and loads read off one elastic solution.

Sources as in docs/background/strength.md: Pistoia's and Crawford's estimates with the constants of parosol-py [S84],
which were tuned on other bones; strain limits of Schileo, from memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.finding import Measure
from osteoscope.fe.element import elasticity
from osteoscope.fe.solution import Solution
from osteoscope.fe.solve import solve
from osteoscope.fe.strength_record import Strength

Array = NDArray[np.float64]
TENSION, COMPRESSION = 0.0073, 0.0104
PISTOIA_STRAIN, PISTOIA_SHARE = 0.007, 0.02
CRAWFORD = 0.0068


def element_strain(solution: Solution) -> Array:
    """Strain [n, 6] at the middle of each element of the model (those with a modulus), order ``STRAINS``."""
    u, spacing = solution.displacement, solution.model.spacing
    slope = np.empty((*solution.model.modulus.shape, 3, 3))
    for axis in range(3):
        step = np.diff(u, axis=axis) / spacing[axis]
        for other in {0, 1, 2} - {axis}:
            low = [slice(None)] * 4
            high = [slice(None)] * 4
            low[other], high[other] = slice(None, -1), slice(1, None)
            step = (step[tuple(low)] + step[tuple(high)]) / 2
        slope[..., axis] = step
    there = slope[solution.model.modulus > 0]
    return np.stack(
        [
            there[:, 0, 0], there[:, 1, 1], there[:, 2, 2], there[:, 1, 2] + there[:, 2, 1],
            there[:, 0, 2] + there[:, 2, 0], there[:, 0, 1] + there[:, 1, 0],
        ],
        axis=1,
    )  # fmt: skip


def principal(strain: Array) -> Array:
    """Principal strains [n, 3], least first, of strains [n, 6]."""
    e = np.empty((len(strain), 3, 3))
    for n in range(3):
        e[:, n, n] = strain[:, n]
    for n, (a, b) in enumerate(((1, 2), (0, 2), (0, 1)), 3):
        e[:, a, b] = e[:, b, a] = strain[:, n] / 2
    return np.asarray(np.linalg.eigvalsh(e))


def by_strain(strain: Array, force: float, share: float = PISTOIA_SHARE) -> float:
    """Load in N at which ``share`` of the bone's volume is beyond a limit of principal strain, by scaling."""
    limits = principal(strain)
    worst = np.maximum(limits[:, 2] / TENSION, -limits[:, 0] / COMPRESSION)
    return float(force / np.quantile(worst, 1 - share))


def pistoia(strain: Array, poisson: float, force: float) -> float:
    """Pistoia's load in N: 2 % of the volume beyond an effective strain of 0.7 %."""
    energy = np.einsum("ni,ij,nj->n", strain, elasticity(1.0, poisson), strain) / 2
    return float(PISTOIA_STRAIN / np.quantile(np.sqrt(2 * energy), 1 - PISTOIA_SHARE) * force)


def crawford(stiffness: float, height: float) -> float:
    """Crawford's load of a vertebra in N, from its stiffness (N/mm) and height (mm)."""
    return CRAWFORD * stiffness * height


def estimates(found: Strength) -> tuple[Measure, ...]:
    """Loads read off the elastic solution alone, beside the elastoplastic one; none without a calibration."""
    if not found.setting.material.calibration.absolute:
        return ()
    last = solve(found.trial.model, found.trial.supports)
    strain = element_strain(last)
    bone = (found.trial.mesh.share > 0)[last.model.modulus > 0]
    force = last.force
    made = [
        Measure("load_by_strain", by_strain(strain[bone], force), "N", "2 % beyond principal strains of Schileo"),
        Measure("load_by_pistoia", pistoia(strain[bone], last.model.poisson, force), "N", "Pistoia, 2 % beyond 0.7 %"),
    ]
    if found.site.startswith("vertebra_"):
        made.append(
            Measure("load_by_crawford", crawford(last.stiffness, found.trial.length), "N", "Crawford, 0.0068 K H")
        )
    return tuple(made)
