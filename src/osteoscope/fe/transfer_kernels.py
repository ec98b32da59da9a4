"""Loops between lattices and over lattices: restriction, interpolation, and updates of smoother and gradients."""

from __future__ import annotations

import numpy as np
from numba import njit

from osteoscope.fe.kernels import FAST


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def restrict(fine, coarse):  # type: ignore[no-untyped-def]  # pragma: no cover
    """coarse = interpolation transposed @ fine; coarse node I lies on fine node 2 I."""
    _, nz, ny, nx = fine.shape
    row = np.zeros(2 * coarse.shape[3] + 1, fine.dtype)
    for c in range(3):
        for k in range(coarse.shape[1]):
            for j in range(coarse.shape[2]):
                row[:] = 0
                for kk in range(max(2 * k - 1, 0), min(2 * k + 2, nz)):
                    for jj in range(max(2 * j - 1, 0), min(2 * j + 2, ny)):
                        weight = fine.dtype.type(1 / (1 + abs(kk - 2 * k)) / (1 + abs(jj - 2 * j)))
                        line = fine[c, kk, jj]
                        for x in range(nx):
                            row[1 + x] += weight * line[x]
                half = fine.dtype.type(0.5)
                for x in range(coarse.shape[3]):
                    coarse[c, k, j, x] = row[2 * x + 1] + half * (row[2 * x] + row[2 * x + 2])


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def interpolate(coarse, inverse, fine):  # type: ignore[no-untyped-def]  # pragma: no cover
    """fine = trilinear interpolation of coarse, 0 where ``inverse`` (of the diagonal) is 0."""
    _, nz, ny, nx = fine.shape
    row = np.zeros(coarse.shape[3] + 1, fine.dtype)
    half = fine.dtype.type(0.5)
    for c in range(3):
        for k in range(nz):
            for j in range(ny):
                row[:] = 0
                weight = fine.dtype.type(1 / (1 + k % 2) / (1 + j % 2))
                for kk in range(k // 2, (k + 1) // 2 + 1):
                    for jj in range(j // 2, (j + 1) // 2 + 1):
                        line = coarse[c, kk, jj]
                        for x in range(coarse.shape[3]):
                            row[x] += weight * line[x]
                for x in range(nx):
                    value = row[x // 2] if x % 2 == 0 else half * (row[x // 2] + row[x // 2 + 1])
                    fine[c, k, j, x] = value if inverse[c, k, j, x] != 0 else 0


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def smooth(r, q, d, x, inverse, keep, step):  # type: ignore[no-untyped-def] # noqa: PLR0913, PLR0917  # pragma: no cover
    """One Chebyshev update of flat fields: r -= q at free nodes; d = keep d + step inverse r; x += d."""
    for i in range(r.size):
        rest = r[i] - q[i] if inverse[i] != 0 else 0
        r[i] = rest
        d[i] = keep * d[i] + step * inverse[i] * rest
        x[i] += d[i]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def remove(r, q, inverse):  # type: ignore[no-untyped-def]  # pragma: no cover
    """r -= q where ``inverse`` is not 0, r = 0 elsewhere; flat fields."""
    for i in range(r.size):
        r[i] = r[i] - q[i] if inverse[i] != 0 else 0


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def advance(u, r, p, q, alpha, free):  # type: ignore[no-untyped-def]  # pragma: no cover
    """u += alpha p, r -= alpha q; returns the sums of squares of r at free (free != 0) and at held places."""
    loose, held = 0.0, 0.0
    for i in range(r.size):
        u[i] += alpha * p[i]
        rest = r[i] - alpha * q[i]
        r[i] = rest
        if free[i] != 0:
            loose += rest * rest
        else:
            held += rest * rest
    return loose, held


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def turn(p, z, beta):  # type: ignore[no-untyped-def]  # pragma: no cover
    """p = z + beta p."""
    for i in range(p.size):
        p[i] = z[i] + beta * p[i]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def dot(a, b):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Sum of a b in double precision."""
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy")
def squares(r, free):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Sums of squares of a flat field at free (free != 0) and at held places."""
    loose, held = 0.0, 0.0
    for i in range(r.size):
        if free[i] != 0:
            loose += r[i] * r[i]
        else:
            held += r[i] * r[i]
    return loose, held
