"""How a patient's bone is made: the cortex of some is thick, the ends of others dense, and no two skulls are alike.

Spreads are choices, wide on purpose: what a network sees in all patients it takes for normal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from osteoscope.errors import InvalidValueError
from osteoscope.simulate.ct_canvas import Bone, Shape
from osteoscope.simulate.ct_implicit import Array, Place

_BOUNDS = (0.2, 4.0)
_KINDS = (
    "vertebra", "sacrum", "hip", "femur", "rib", "sternum", "scapula", "clavicle", "humerus", "skull", "mandible",
)  # fmt: skip
# Standard deviations of logarithms: of all bones of a patient, and of one kind of bone beside them.
_CORTEX, _CORTEX_HU, _KIND = 0.3, 0.1, 0.25
_LINING_OFTEN, _LINING_HU, _LINING_MM = 0.6, (0.0, 300.0), (2.0, 8.0)


@dataclass(frozen=True)
class BoneMake:
    """Factors on what the model's bones have; of all 1 and no lining: bones as they are modelled.

    Args:
        cortex: on the thickness of the cortex.
        cortex_hu: on its HU.
        kinds: kind of bone, such as "rib", with the factors on the cortex and on the marrow of its bones.
        lining_hu, lining_mm: marrow is denser by so much beneath the cortex, and over such a depth by a third of it.

    Raises:
        InvalidValueError: a factor that no bone would bear, or no kind of bone.
    """

    cortex: float = 1.0
    cortex_hu: float = 1.0
    kinds: tuple[tuple[str, float, float], ...] = ()
    lining_hu: float = 0.0
    lining_mm: float = 4.0

    def __post_init__(self) -> None:
        low, high = _BOUNDS
        factors = [self.cortex, self.cortex_hu, *(factor for _, *pair in self.kinds for factor in pair)]
        wrong = [f"factor {factor:g}" for factor in factors if not low <= factor <= high]
        wrong += [f"kind {kind!r}" for kind, *_ in self.kinds if kind not in _KINDS]
        if wrong or self.lining_mm <= 0:
            found = ", ".join(wrong) or f"lining_mm {self.lining_mm:g}"
            remedy = f"Give factors of {low:g} to {high:g} for {', '.join(_KINDS)}, and a lining above 0 mm"
            raise InvalidValueError("build a BoneMake", found, remedy)

    def of(self, bone: Bone) -> Bone:
        """A bone of the model, made like this."""
        own = bone.site.partition("_")[0]
        cortex, marrow = next(((c, m) for kind, c, m in self.kinds if kind == own), (1.0, 1.0))
        return replace(
            bone,
            cortex=_times(bone.cortex, self.cortex * cortex),
            marrow=_times(bone.marrow, marrow),
            cortex_hu=bone.cortex_hu * self.cortex_hu,
            lining=(self.lining_hu, self.lining_mm),
        )


def random_make(rng: np.random.Generator) -> BoneMake:
    """Any of many ways; both sides of a patient are made alike."""

    def factor(spread: float) -> float:
        return round(float(np.clip(np.exp(rng.normal(0, spread)), *_BOUNDS)), 3)

    kinds = tuple((kind, factor(_KIND), factor(_KIND)) for kind in _KINDS)
    lining = float(rng.uniform(*_LINING_HU)) if rng.random() < _LINING_OFTEN else 0.0
    return BoneMake(
        factor(_CORTEX), factor(_CORTEX_HU), kinds, round(lining), round(float(rng.uniform(*_LINING_MM)), 1)
    )


def _times(value: Shape | float, factor: float) -> Shape | float:
    if not callable(value):
        return value * factor
    inner = value

    def scaled(p: Place) -> Array:
        return inner(p) * np.float32(factor)

    return scaled
