"""The inner loops of the solver, compiled once and kept on disk.

Fields of nodes are ``[3, nz+1, ny+1, nx+1]``. A row of voxels is worked in tiles whose scratch lies at constant
offsets, so that the compiler knows that nothing overlaps and works on many voxels at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

TILE = 128
FAST = {"contract", "reassoc", "nsz"}
Field = NDArray[Any]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def to_patterns(u, t, k, j, i, n):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Sums and differences along z and y of a tile of n nodes, into scratch rows 4 c .. 4 c + 3."""
    for c in range(3):
        a, b, d, e = u[c, k, j], u[c, k, j + 1], u[c, k + 1, j], u[c, k + 1, j + 1]
        o = 4 * c * TILE
        for x in range(n):
            low, high = a[i + x] + b[i + x], d[i + x] + e[i + x]
            left, right = b[i + x] - a[i + x], e[i + x] - d[i + x]
            t[o + x] = low + high
            t[o + TILE + x] = high - low
            t[o + 2 * TILE + x] = left + right
            t[o + 3 * TILE + x] = right - left


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def from_patterns(t, out, k, j, i, n):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Add the forces of scratch rows 4 c .. 4 c + 3 to the four rows of nodes."""
    for c in range(3):
        o = 4 * c * TILE
        for side in range(2):
            a, b = out[c, k + side, j], out[c, k + side, j + 1]
            sign = t.dtype.type(2 * side - 1)
            for x in range(n):
                even, odd = t[o + x] + sign * t[o + TILE + x], t[o + 2 * TILE + x] + sign * t[o + 3 * TILE + x]
                a[i + x] += even - odd
                b[i + x] += even + odd


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def apply_stiffness(modulus, spans, s, u, out):  # type: ignore[no-untyped-def]  # pragma: no cover
    """out = stiffness @ u; spans [z, y, 2] first and last + 1 voxel of a row, s the 33 coefficients."""
    out[:] = 0
    t = np.zeros(36 * TILE, u.dtype)
    for k in range(modulus.shape[0]):
        for j in range(modulus.shape[1]):
            i = spans[k, j, 0]
            while i < spans[k, j, 1]:
                n = min(TILE - 1, spans[k, j, 1] - i)
                to_patterns(u, t, k, j, i, n + 1)
                _tile(modulus[k, j], s, t, i, n)
                from_patterns(t, out, k, j, i, n + 1)
                i += n


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def _tile(row, s, t, i, n):  # type: ignore[no-untyped-def] # noqa: PLR0915  # pragma: no cover
    """Forces of n voxels: scratch rows 12 .. 23 act on left nodes, 24 .. 35 on right; rows 0 .. 11 take the sum."""
    left, right = 12 * TILE, 24 * TILE
    for x in range(n):
        e = row[i + x]
        z_x = t[x + 1] - t[x]
        z_z = t[1 * TILE + x + 1] + t[1 * TILE + x]
        z_zx = t[1 * TILE + x + 1] - t[1 * TILE + x]
        z_y = t[2 * TILE + x + 1] + t[2 * TILE + x]
        z_yx = t[2 * TILE + x + 1] - t[2 * TILE + x]
        z_zy = t[3 * TILE + x + 1] + t[3 * TILE + x]
        z_zyx = t[3 * TILE + x + 1] - t[3 * TILE + x]
        y_x = t[4 * TILE + x + 1] - t[4 * TILE + x]
        y_z = t[5 * TILE + x + 1] + t[5 * TILE + x]
        y_zx = t[5 * TILE + x + 1] - t[5 * TILE + x]
        y_y = t[6 * TILE + x + 1] + t[6 * TILE + x]
        y_yx = t[6 * TILE + x + 1] - t[6 * TILE + x]
        y_zy = t[7 * TILE + x + 1] + t[7 * TILE + x]
        y_zyx = t[7 * TILE + x + 1] - t[7 * TILE + x]
        x_x = t[8 * TILE + x + 1] - t[8 * TILE + x]
        x_z = t[9 * TILE + x + 1] + t[9 * TILE + x]
        x_zx = t[9 * TILE + x + 1] - t[9 * TILE + x]
        x_y = t[10 * TILE + x + 1] + t[10 * TILE + x]
        x_yx = t[10 * TILE + x + 1] - t[10 * TILE + x]
        x_zy = t[11 * TILE + x + 1] + t[11 * TILE + x]
        x_zyx = t[11 * TILE + x + 1] - t[11 * TILE + x]
        odd = e * (s[9] * z_x + s[10] * x_z)
        t[left + x] = -odd
        t[right + x + 1] = odd
        odd = e * (s[16] * y_yx + s[17] * z_zx)
        even = e * (s[0] * z_z + s[1] * y_y + s[2] * x_x)
        t[left + 1 * TILE + x] = even - odd
        t[right + 1 * TILE + x + 1] = even + odd
        odd = e * (s[24] * z_yx + s[25] * y_zx + s[26] * x_zy)
        even = e * (s[12] * z_y + s[13] * y_z)
        t[left + 2 * TILE + x] = even - odd
        t[right + 2 * TILE + x + 1] = even + odd
        odd = e * (s[30] * z_zyx)
        even = e * (s[19] * x_yx + s[20] * z_zy)
        t[left + 3 * TILE + x] = even - odd
        t[right + 3 * TILE + x + 1] = even + odd
        odd = e * (s[6] * y_x + s[7] * x_y)
        t[left + 4 * TILE + x] = -odd
        t[right + 4 * TILE + x + 1] = odd
        odd = e * (s[25] * z_yx + s[27] * y_zx + s[28] * x_zy)
        even = e * (s[13] * z_y + s[14] * y_z)
        t[left + 5 * TILE + x] = even - odd
        t[right + 5 * TILE + x + 1] = even + odd
        odd = e * (s[15] * y_yx + s[16] * z_zx)
        even = e * (s[1] * z_z + s[3] * y_y + s[4] * x_x)
        t[left + 6 * TILE + x] = even - odd
        t[right + 6 * TILE + x + 1] = even + odd
        odd = e * (s[31] * y_zyx)
        even = e * (s[22] * x_zx + s[23] * y_zy)
        t[left + 7 * TILE + x] = even - odd
        t[right + 7 * TILE + x + 1] = even + odd
        odd = e * (s[2] * z_z + s[4] * y_y + s[5] * x_x)
        t[left + 8 * TILE + x] = -odd
        t[right + 8 * TILE + x + 1] = odd
        odd = e * (s[21] * x_zx + s[22] * y_zy)
        even = e * (s[10] * z_x + s[11] * x_z)
        t[left + 9 * TILE + x] = even - odd
        t[right + 9 * TILE + x + 1] = even + odd
        odd = e * (s[18] * x_yx + s[19] * z_zy)
        even = e * (s[7] * y_x + s[8] * x_y)
        t[left + 10 * TILE + x] = even - odd
        t[right + 10 * TILE + x + 1] = even + odd
        odd = e * (s[32] * x_zyx)
        even = e * (s[26] * z_yx + s[28] * y_zx + s[29] * x_zy)
        t[left + 11 * TILE + x] = even - odd
        t[right + 11 * TILE + x + 1] = even + odd
    for m in range(12):
        t[left + m * TILE + n] = 0
        t[right + m * TILE] = 0
        for x in range(n + 1):
            t[m * TILE + x] = t[left + m * TILE + x] + t[right + m * TILE + x]
