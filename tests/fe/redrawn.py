"""Masks of bones as another reader, or a network, might have drawn them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.fe.bone import Bone, shifted

PATCH_MM = 8.0


def perturbed(bone: Bone, seed: int) -> Bone:
    """One voxel larger on some patches of the surface, one smaller on others."""
    noise = np.random.default_rng(seed).normal(size=bone.mask.shape)
    patches = ndimage.gaussian_filter(noise, PATCH_MM / np.asarray(bone.grid.spacing))
    patches /= patches.std()
    grown, shrunk = (shifted(bone.mask, bone.grid, voxels) for voxels in (1, -1))
    return _with(bone, np.where(patches > 0.5, grown, np.where(patches < -0.5, shrunk, bone.mask)))


def smoothed(bone: Bone) -> Bone:
    """Blurred by one voxel and cut at a half again."""
    return _with(bone, ndimage.gaussian_filter(bone.mask.astype(np.float32), 1.0) > 0.5)


def _with(bone: Bone, mask: NDArray[np.bool_]) -> Bone:
    lesions = {name: part & mask for name, part in bone.lesions.items()}
    return replace(bone, mask=mask, lesions=lesions).snapped()
