"""Loops of plasticity: von Mises flow without hardening at the middle of each voxel, by radial return.

(Simo and Hughes, Computational Inelasticity, 1998.) What a voxel carries while part of its depth flows is that of a bar
under the same mean strain and bending: ``limit``, the mean stress at which it flows, and ``soft``, what is left of its
stiffness against bending, twisting and hourglassing.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from osteoscope.fe.kernels import FAST
from osteoscope.fe.modes import PATTERNS

LEAST = 0.05
SIGNS = np.ascontiguousarray(PATTERNS.T)


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _gather(u, k, j, i, b):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Patterns b[axis, 8] of the displacements of a voxel's corners."""
    for c in range(3):
        a0, a1, a2, a3 = u[c, k, j, i], u[c, k, j, i + 1], u[c, k, j + 1, i], u[c, k, j + 1, i + 1]
        a4, a5, a6, a7 = u[c, k + 1, j, i], u[c, k + 1, j, i + 1], u[c, k + 1, j + 1, i], u[c, k + 1, j + 1, i + 1]
        p0, p1, p2, p3 = a0 + a1, a2 + a3, a4 + a5, a6 + a7
        q0, q1, q2, q3 = a1 - a0, a3 - a2, a5 - a4, a7 - a6
        b[c, 1] = p2 + p3 - p0 - p1
        b[c, 2] = p1 + p3 - p0 - p2
        b[c, 3] = q0 + q1 + q2 + q3
        b[c, 4] = q1 + q3 - q0 - q2
        b[c, 5] = q2 + q3 - q0 - q1
        b[c, 6] = p0 + p3 - p1 - p2
        b[c, 7] = q0 + q3 - q1 - q2


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _scatter(out, k, j, i, f, signs):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add forces f[axis, 8] of patterns to a voxel's corners."""
    for c in range(3):
        for n in range(8):
            total = 0.0
            for m in range(1, 8):
                total += signs[m, n] * f[c, m]
            out[c, k + n // 4, j + n // 2 % 2, i + n % 2] += total


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _bending(s, factor, b, f):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Forces of the twelve patterns that are no constant strain: ``factor`` times the elastic ones."""
    f[1, 4] = factor * (s[15] * b[1, 4] + s[16] * b[0, 5])
    f[0, 5] = factor * (s[16] * b[1, 4] + s[17] * b[0, 5])
    f[2, 4] = factor * (s[18] * b[2, 4] + s[19] * b[0, 6])
    f[0, 6] = factor * (s[19] * b[2, 4] + s[20] * b[0, 6])
    f[2, 5] = factor * (s[21] * b[2, 5] + s[22] * b[1, 6])
    f[1, 6] = factor * (s[22] * b[2, 5] + s[23] * b[1, 6])
    f[0, 4] = factor * (s[24] * b[0, 4] + s[25] * b[1, 5] + s[26] * b[2, 6])
    f[1, 5] = factor * (s[25] * b[0, 4] + s[27] * b[1, 5] + s[28] * b[2, 6])
    f[2, 6] = factor * (s[26] * b[0, 4] + s[28] * b[1, 5] + s[29] * b[2, 6])
    for c in range(3):
        f[c, 7] = factor * s[30 + c] * b[c, 7]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _strain(b, size, e):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Constant strain e[6], order STRAINS, of patterns."""
    e[0], e[1], e[2] = b[0, 1] / (4 * size[0]), b[1, 2] / (4 * size[1]), b[2, 3] / (4 * size[2])
    e[3] = b[1, 3] / (4 * size[2]) + b[2, 2] / (4 * size[1])
    e[4] = b[0, 3] / (4 * size[2]) + b[2, 1] / (4 * size[0])
    e[5] = b[0, 2] / (4 * size[1]) + b[1, 1] / (4 * size[0])


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _constant(stress, size, f):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Forces of patterns of a constant stress."""
    volume = size[0] * size[1] * size[2] / 4
    f[0, 1], f[1, 2], f[2, 3] = volume * stress[0] / size[0], volume * stress[1] / size[1], volume * stress[2] / size[2]
    f[1, 3], f[2, 2] = volume * stress[3] / size[2], volume * stress[3] / size[1]
    f[0, 3], f[2, 1] = volume * stress[4] / size[2], volume * stress[4] / size[0]
    f[0, 2], f[1, 1] = volume * stress[5] / size[1], volume * stress[5] / size[0]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _gradient(b, size):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Strain at the faces of a voxel from bending alone."""
    z, y, x = size
    total = (b[0, 5] ** 2 + b[0, 6] ** 2) / z**2 + (b[1, 4] ** 2 + b[1, 6] ** 2) / y**2
    return np.sqrt(total + (b[2, 4] ** 2 + b[2, 5] ** 2) / x**2) / 4


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def _share(mean, bending, limit):  # type: ignore[no-untyped-def]  # pragma: no cover
    """A bar whose elastic stress would be mean - bending to mean + bending: its mean stress, its share of moment."""
    if mean + bending <= limit:
        return limit, 1.0
    if mean - bending >= limit:
        return limit, LEAST
    high, low = (limit - mean) / bending, max(-1.0, (-limit - mean) / bending)
    stress = mean * (high - low) + bending * (high**2 - low**2) / 2 + limit * (1 - high) - limit * (low + 1)
    moment = mean * (high**2 - low**2) / 2 + bending * (high**3 - low**3) / 3 + limit * (2 - high**2 - low**2) / 2
    return stress / 2, max(LEAST, 1.5 * moment / bending)


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def flow(voxels, law, u, plastic, out, tangent, renew):  # type: ignore[no-untyped-def]  # noqa: PLR0913, PLR0917  # pragma: no cover
    """out = forces of displacements u with the plastic strains of before, and what the tangent needs.

    ``voxels``: moduli, yield stresses [z, y, x], spans, plastic strain [z, y, x, 6] of before. ``law``: 33
    coefficients, sizes, Poisson's ratio, signs. Writes the new plastic strain and ``tangent``: where to ``renew``, the
    mean stress ``limit`` of flow and ``soft``; ``theta`` (limit over trial stress, 1 where elastic); the unit direction
    ``way`` of flow.
    """
    modulus, strength, spans, before = voxels
    limit, soft, theta, way = tangent
    s, size, poisson, signs = law
    out[:] = 0
    b, f, e, stress = np.zeros((3, 8)), np.zeros((3, 8)), np.zeros(6), np.zeros(6)
    shear_part = 1 / (2 * (1 + poisson))
    bulk_part = 1 / (3 * (1 - 2 * poisson))
    for k in range(modulus.shape[0]):
        for j in range(modulus.shape[1]):
            for i in range(spans[k, j, 0], spans[k, j, 1]):
                if modulus[k, j, i] == 0:
                    continue
                shear, bulk = shear_part * modulus[k, j, i], bulk_part * modulus[k, j, i]
                _gather(u, k, j, i, b)
                _strain(b, size, e)
                mean = (e[0] + e[1] + e[2]) / 3
                whole, size2 = 0.0, 0.0
                for a in range(6):
                    half = 1.0 if a < 3 else 0.5
                    total = e[a] - mean if a < 3 else half * e[a]
                    stress[a] = 2 * shear * (total - half * before[k, j, i, a])
                    whole += total * total / half
                    size2 += stress[a] * stress[a] / half
                mises = np.sqrt(1.5 * size2)
                if renew:
                    secant = 3 * shear * np.sqrt(whole / 1.5)
                    bending = modulus[k, j, i] * _gradient(b, size)
                    limit[k, j, i], soft[k, j, i] = _share(secant, bending, strength[k, j, i])
                ratio = min(1.0, limit[k, j, i] / mises) if mises > 0 else 1.0
                theta[k, j, i] = ratio
                for a in range(6):
                    half = 1.0 if a < 3 else 0.5
                    way[k, j, i, a] = stress[a] / np.sqrt(size2) if size2 > 0 else 0.0
                    plastic[k, j, i, a] = before[k, j, i, a] + (1 - ratio) * stress[a] / (2 * shear * half)
                    stress[a] = ratio * stress[a] + (3 * bulk * mean if a < 3 else 0.0)
                _constant(stress, size, f)
                _bending(s, soft[k, j, i] * modulus[k, j, i], b, f)
                _scatter(out, k, j, i, f, signs)


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def weaken(places, modulus, law, state, u, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """out -= (elastic - tangent stiffness) @ u of the flowing voxels, given by their places [n, 3]."""
    s, size, poisson, signs = law
    _, soft, theta, way = state
    b, f, e, stress = np.zeros((3, 8)), np.zeros((3, 8)), np.zeros(6), np.zeros(6)
    for n in range(places.shape[0]):
        k, j, i = places[n, 0], places[n, 1], places[n, 2]
        shear = modulus[k, j, i] / (2 * (1 + poisson))
        _gather(u, k, j, i, b)
        _strain(b, size, e)
        mean = (e[0] + e[1] + e[2]) / 3
        along = 0.0
        if theta[k, j, i] < 1:
            for a in range(6):
                along += way[k, j, i, a] * (e[a] - mean if a < 3 else e[a])
        for a in range(6):
            total = e[a] - mean if a < 3 else 0.5 * e[a]
            stress[a] = -2 * shear * ((1 - theta[k, j, i]) * total + theta[k, j, i] * along * way[k, j, i, a])
        _constant(stress, size, f)
        _bending(s, (soft[k, j, i] - 1) * modulus[k, j, i], b, f)
        _scatter(out, k, j, i, f, signs)
