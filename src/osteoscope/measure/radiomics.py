"""Radiomics of a lesion by the definitions of the IBSI, through mirp (extra "radiomics")."""

from __future__ import annotations

import logging
import math
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from osteoscope.domain.finding import Finding
from osteoscope.domain.geometry import widened
from osteoscope.domain.reading import Case
from osteoscope.errors import DependencyError, InvalidValueError, UnsuitableStudyError
from osteoscope.measure.place import Mask, part_on_ct, shifted

# What surrounds a lesion must be there for interpolation and for the 1 mL sphere of local peaks (radius 6.2 mm).
_MARGIN_MM = 10.0
_FAMILIES = ("local_intensity", "statistics", "ivh", "ih", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
# Shape is measured on a picture without contrast, where mirp's sampling for Moran's I and Geary's C, which takes
# minutes, ends at once; these, and what else of shape asks for contrast, are left out.
_SHAPE_BY_CONTRAST = frozenset({"morph_moran_i", "morph_geary_c", "morph_com", "morph_integ_int"})
# mirp's endings that name the discretisation, the distance and the coarseness: one of each is computed.
_CHOICES = re.compile(r"_d1(?=_)|_a0\.0|_fbs_w[\d.]+$")
# mirp's names of texture in three dimensions, and those of the IBSI's tables.
_TAGS = MappingProxyType({"_3d_v_mrg": "_3D_comb", "_3d": "_3D"})


@dataclass(frozen=True)
class RadiomicsOptions:
    """How features are computed: IBSI's configuration C (3-D, fixed bin size) in the range and detail of bone.

    The IBSI asks that these are reported and sets none; the values are design choices, but for the bins, which are
    those of configurations A and C (Zwanenburg et al., Radiology 2020;295:328-338, supplement).

    Args:
        spacing_mm: voxels are made cubes of this edge by linear interpolation.
        range_hu: voxels outside are left out of everything but shape; bins begin at the lower end.
        bin_hu: width of a bin of grey levels.

    Raises:
        InvalidValueError: a spacing or width is not above 0, or the range is empty.
    """

    spacing_mm: float = 1.0
    range_hu: tuple[float, float] = (-1000.0, 3000.0)
    bin_hu: float = 25.0

    def __post_init__(self) -> None:
        if min(self.spacing_mm, self.bin_hu) <= 0 or self.range_hu[0] >= self.range_hu[1]:
            raise InvalidValueError("choose radiomics", f"{self}", "Give a spacing and bins above 0 and a range")

    @property
    def settings(self) -> Mapping[str, Any]:
        """The same in mirp's words."""
        texture = dict.fromkeys(("glszm", "gldzm", "ngtdm", "ngldm"), "3d")
        texture |= dict.fromkeys(("glcm", "glrlm"), "3d_volume_merge")
        return {
            "image_modality": "ct",
            "new_spacing": self.spacing_mm,
            "spline_order": 1,
            "anti_aliasing": False,
            "resegmentation_intensity_range": [float(hu) for hu in self.range_hu],
            "base_discretisation_method": "fixed_bin_size",
            "base_discretisation_bin_width": float(self.bin_hu),
            "ivh_discretisation_method": "fixed_bin_size",
            "ivh_discretisation_bin_width": 2.5,
        } | {f"{family}_spatial_method": method for family, method in texture.items()}


@dataclass(frozen=True)
class Radiomics:
    """Features of a lesion by the boundary they are of, and why a boundary has none."""

    features: Mapping[str, Mapping[str, float]]
    failed: Mapping[str, str]


def require() -> None:
    """Check that the library is installed.

    Raises:
        DependencyError: it is not.
    """
    if find_spec("mirp") is None:
        raise DependencyError(
            "compute radiomics", "mirp is not installed", "pip install '.[radiomics]' in the checkout"
        )


def radiomics(case: Case, finding: Finding, options: RadiomicsOptions = RadiomicsOptions()) -> Radiomics:
    """Features by the tags of the IBSI's tables ("stat_mean", "cm_contrast_3D_comb"), of three boundaries.

    Lengths in mm, areas in mm2, volumes in mm3, "stat_", "ivh_i" and "loc_" in HU, grey levels in bins. A feature that
    is not defined for the lesion (texture of a single voxel) is left out.

    Returns:
        Features "as drawn" and with the boundary "one voxel smaller" and "one voxel larger": what changes much
        between them depends on the outline more than on the lesion. A boundary that fails costs no other.

    Raises:
        DependencyError: mirp is not installed.
        UnsuitableStudyError: the finding has no region on the CT of the study.
    """
    require()
    part, image = part_on_ct(case, finding)
    axes = zip(part.box, image.grid.spacing, image.grid.shape, strict=True)
    box = tuple(widened((held,), math.ceil(_MARGIN_MM / step), (size,))[0] for held, step, size in axes)
    values = np.asarray(image.values[box], dtype=np.float32)
    drawn = part.within(box)
    smaller, larger = shifted(drawn)
    made: dict[str, Mapping[str, float]] = {}
    failed: dict[str, str] = {}
    for name, mask in (("as drawn", drawn), ("one voxel smaller", smaller), ("one voxel larger", larger)):
        try:
            made[name] = features(values, mask, image.grid.spacing, options)
        except UnsuitableStudyError as error:
            failed[name] = error.found
        except Exception as error:  # noqa: BLE001 - mirp raises many kinds for masks that it does not foresee
            failed[name] = f"{type(error).__name__}: {error}"
    return Radiomics(made, failed)


def features(
    values: NDArray[np.float32], mask: Mask, spacing: tuple[float, ...], options: RadiomicsOptions
) -> Mapping[str, float]:
    """Features of a mask on an array of HU, both [z, y, x], with the spacing of its axes in mm.

    Raises:
        DependencyError: mirp is not installed.
        UnsuitableStudyError: nothing of the mask is left on the cubes that it is interpolated to.
    """
    require()
    looks = _extracted(values, mask, spacing, {**options.settings, "base_feature_families": list(_FAMILIES)})
    plain = np.full_like(values, sum(options.range_hu) / 2)
    try:
        shape = _extracted(plain, mask, spacing, {**options.settings, "base_feature_families": "morphological"})
    except TypeError as error:
        if looks:
            raise
        found = f"nothing of it is left on cubes of {options.spacing_mm:g} mm"
        raise UnsuitableStudyError(
            "compute radiomics", found, "Choose a finer spacing for lesions this small"
        ) from error
    return {name: value for name, value in shape.items() if name not in _SHAPE_BY_CONTRAST} | looks


def _extracted(
    values: NDArray[np.float32], mask: Mask, spacing: tuple[float, ...], settings: Mapping[str, Any]
) -> dict[str, float]:
    from mirp import extract_features  # noqa: PLC0415 - an optional extra

    with tempfile.TemporaryDirectory(prefix="osteoscope-") as folder, _quiet():
        # mirp takes the size of voxels from files only.
        paths = {name: str(Path(folder) / f"{name}.nii.gz") for name in ("image", "mask")}
        for name, array in (("image", values), ("mask", mask.astype(np.uint8))):
            picture = SimpleITK.GetImageFromArray(array)
            picture.SetSpacing([float(step) for step in spacing[::-1]])
            SimpleITK.WriteImage(picture, paths[name])
        (table,) = extract_features(**paths, **settings)
    made = table.iloc[0].to_dict()
    return {_tag(name): float(value) for name, value in made.items() if _is_feature(name, value)}


def _is_feature(name: str, value: Any) -> bool:
    return not name.startswith(("image_", "sample_")) and isinstance(value, float) and math.isfinite(value)


def _tag(name: str) -> str:
    plain = _CHOICES.sub("", name)
    for ending, tag in _TAGS.items():
        if plain.endswith(ending):
            return plain.removesuffix(ending) + tag
    return plain


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep mirp from setting up logging to the terminal; warnings of itk's bindings, and what ``features`` says too."""
    root, handler = logging.getLogger(), logging.NullHandler()
    root.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.filterwarnings("ignore", ".* mask is empty after registering it to its image")
            yield
    finally:
        root.removeHandler(handler)
