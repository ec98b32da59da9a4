"""Material laws as one table of sets: density of a calibrated CT -> density of the law -> modulus and yield stress.

A set is used as a whole: its conversion, its modulus and its strength were fitted or are used together. What could not
be checked against a primary paper or published code is marked unverified and shown so wherever numbers made with it
are. Sources are numbered as in docs/background/strength.md: [S82] code of Ogo, [S84] code of parosol-py, [S85] Morgan
2003.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from osteoscope.errors import InvalidValueError

Array = NDArray[np.float32]
Phantom = Literal["K2HPO4", "HA"]
# Fat and tumour have densities near or below 0: below these, elements would have no stiffness at all [S82: 0.1 MPa].
LEAST_MODULUS, LEAST_STRENGTH = 1.0, 0.01


@dataclass(frozen=True)
class Line:
    """slope * density + intercept, in g/cm3."""

    slope: float
    intercept: float
    source: str
    verified: bool


@dataclass(frozen=True)
class Power:
    """constant + factor * density ** exponent in MPa, for densities (g/cm3) from ``above`` on."""

    factor: float
    exponent: float
    constant: float = 0.0
    above: float = 0.0


@dataclass(frozen=True)
class MaterialLaw:
    """One set.

    Args:
        name: its key.
        bones: prefixes of sites that it was made for.
        density: what its density is ("ash", "apparent", "QCT").
        from_phantom: calibrated density -> that density, by what the calibration is equivalent to.
        modulus: pieces of Young's modulus, lowest density first.
        strength: yield stress; None where the set has none (``yield_strain`` may then give one).
        yield_strain: yield stress over modulus.
        poisson: Poisson's ratio.
        valid: densities (g/cm3) of the specimens or of use; beyond them the law is extrapolated.
        source, verified: where its numbers are from, and whether they were checked there.
    """

    name: str
    bones: tuple[str, ...]
    density: str
    from_phantom: Mapping[Phantom, Line]
    modulus: tuple[Power, ...]
    strength: Power | None
    yield_strain: float | None
    poisson: float
    valid: tuple[float, float]
    source: str
    verified: bool

    def density_of(self, calibrated: NDArray[np.floating], phantom: Phantom) -> Array:
        """The law's density in g/cm3, at least 0.

        Raises:
            InvalidValueError: the set has no conversion from that phantom.
        """
        line = self.from_phantom.get(phantom)
        if line is None:
            raise InvalidValueError(
                f"use the material law {self.name}",
                f"a calibration in {phantom}, which it has no conversion from",
                f"Calibrate in one of {sorted(self.from_phantom)}, or choose another law",
            )
        value = np.float32(line.slope) * calibrated + np.float32(line.intercept)
        return np.asarray(np.maximum(value, 0), np.float32)

    def modulus_of(self, density: Array) -> Array:
        """Young's modulus in MPa of the law's density, at least ``LEAST_MODULUS``."""
        value = np.zeros_like(density)
        for piece in self.modulus:
            part = density >= piece.above
            value[part] = _power(piece, density[part])
        return np.maximum(value, np.float32(LEAST_MODULUS))

    def strength_of(self, density: Array) -> Array:
        """Yield stress in MPa of the law's density, at least ``LEAST_STRENGTH``.

        Raises:
            InvalidValueError: the set is elastic only.
        """
        if self.strength is not None:
            return np.maximum(_power(self.strength, density), np.float32(LEAST_STRENGTH))
        if self.yield_strain is None:
            remedy = f"Choose one of {sorted(n for n, law in LAWS.items() if law.plastic)}"
            raise InvalidValueError(f"load a bone until it fails by {self.name}", "a set without a strength", remedy)
        return np.float32(self.yield_strain) * self.modulus_of(density)

    @property
    def plastic(self) -> bool:
        """Whether it gives a failure load."""
        return self.strength is not None or self.yield_strain is not None

    def caveats(self, phantom: Phantom) -> tuple[str, ...]:
        """What is not verified of the set as used, in words."""
        line = self.from_phantom.get(phantom)
        said = (
            (not self.verified, f"material law {self.name}: coefficients not verified against the primary paper"),
            (
                line is not None and not line.verified,
                f"material law {self.name}: conversion from {phantom} not verified ({line.source if line else ''})",
            ),
        )
        return tuple(text for there, text in said if there)


def _power(piece: Power, density: Array) -> Array:
    return np.asarray(
        np.float32(piece.constant) + np.float32(piece.factor) * density ** np.float32(piece.exponent), np.float32
    )


_KEYAK_1994 = Line(1.06, 0.0389, "Keyak 1994, in the code of Ogo and parosol-py [S82][S84]", True)
_KEYAK_2005 = Line(0.887, 0.0633, "Keyak 2005, from memory", False)
_ASH: Mapping[Phantom, Line] = MappingProxyType({"K2HPO4": _KEYAK_1994, "HA": _KEYAK_2005})
# Apparent density: ash / 0.60 (Schileo 2008, from memory).
_APPARENT: Mapping[Phantom, Line] = MappingProxyType(
    {
        "K2HPO4": Line(1.06 / 0.6, 0.0389 / 0.6, "Keyak 1994 with ash / apparent 0.60 (Schileo 2008, memory)", False),
        "HA": Line(0.887 / 0.6, 0.0633 / 0.6, "Keyak 2005 with ash / apparent 0.60 (both from memory)", False),
    }
)
_QCT: Mapping[Phantom, Line] = MappingProxyType(
    {
        "K2HPO4": Line(1.0, 0.0, "the law's own density", True),
        "HA": Line(0.887 / 1.06, 0.0244 / 1.06, "equal ash density by Keyak 2005 and 1994, derived here", False),
    }
)

_FEMUR, _SPINE = ("femur",), ("vertebra",)
_TABLE = (
    MaterialLaw(
        "keyak_2005", _FEMUR, "ash", _ASH, (Power(14900, 1.86),), Power(102, 1.80), None, 0.4, (0.1, 1.25),
        "Keyak et al. 2005, Clin Orthop 437:219, perfectly plastic without its softening, from memory", False,
    ),
    MaterialLaw(
        "keller_ogo", _FEMUR, "ash", _ASH, (Power(10500, 2.29),), None, None, 0.3, (0.1, 1.25),
        "Keller type, femur default of Ogo [S82]", True,
    ),
    MaterialLaw(
        "morgan_2003_neck", _FEMUR, "apparent", _APPARENT, (Power(6850, 1.49),), None, 0.0085, 0.3, (0.26, 0.75),
        "Morgan et al. 2003 [S85], yield strain in compression [S84]; range from memory", True,
    ),
    MaterialLaw(
        "morgan_2003_trochanter", _FEMUR, "apparent", _APPARENT, (Power(15010, 2.18),), None, 0.0070, 0.3,
        (0.14, 0.28), "Morgan et al. 2003 [S84][S85], yield strain in compression; range from memory", True,
    ),
    MaterialLaw(
        "morgan_2003_vertebra", _SPINE, "apparent", _APPARENT, (Power(4730, 1.56),), None, 0.0077, 0.3, (0.11, 0.35),
        "Morgan et al. 2003 [S82]; yield strain and range from memory", False,
    ),
    MaterialLaw(
        "kopperdahl_2002", _SPINE, "QCT", _QCT, (Power(2980, 1.05),), Power(37.4, 1.39), None, 0.3, (0.05, 0.35),
        "Kopperdahl et al. 2002, in the code of Ogo [S82]; range from memory", True,
    ),
    MaterialLaw(
        "crawford_2003", _SPINE, "QCT", _QCT, (Power(3230, 1.0, -34.7),), None, None, 0.3, (0.05, 0.35),
        "Crawford et al. 2003 [S82]; range from memory", True,
    ),
    MaterialLaw(
        # Its strength as remembered, 284 rho^2.27, means yield strains above 10 %: left out until checked.
        "keller_1994", _SPINE, "ash", _ASH, (Power(1890, 1.92),), None, None, 0.3, (0.03, 1.2),
        "Keller 1994, modulus alone, from memory", False,
    ),
    MaterialLaw(
        "yosibash", _FEMUR, "ash",
        MappingProxyType({"K2HPO4": Line(1.22, 0.0523, "as used by the Yosibash group, from memory", False)}),
        (Power(33900, 2.20), Power(0, 1, 2398, 0.3), Power(10200, 2.01, 0, 0.486)), None, 0.0104, 0.3, (0.0, 1.2),
        "Yosibash group, p-FE; yield strain of Schileo in compression; from memory", False,
    ),
)  # fmt: skip
LAWS: Mapping[str, MaterialLaw] = MappingProxyType({law.name: law for law in _TABLE})
DEFAULTS: Mapping[str, str] = MappingProxyType({"femur": "keyak_2005", "vertebra": "kopperdahl_2002"})


def usable(bones: str = "") -> list[str]:
    """Names of the sets that give a failure load, of one bone or of all."""
    return sorted(law.name for law in LAWS.values() if law.plastic and (not bones or bones.startswith(law.bones)))


def check_name(name: str) -> None:
    """Refuse a name that no bone can be loaded with; "" is a bone's default.

    Raises:
        InvalidValueError: no such set, or one without a strength.
    """
    if name and name not in usable():
        found = f"the law {name!r}, {'elastic only: no failure load comes of it' if name in LAWS else 'not known'}"
        choices = "; ".join(f"for a {bone} {', '.join(usable(bone))}" for bone in DEFAULTS)
        raise InvalidValueError("choose a material law", found, f"Choose one of these: {choices}")


def law_for(site: str, name: str = "") -> MaterialLaw:
    """The set of that name, or the default of a site's bone.

    Raises:
        InvalidValueError: no such set, one without a strength or for other bones, or a bone without a default.
    """
    check_name(name)
    own = usable(site)
    chosen = name or next((law for bone, law in DEFAULTS.items() if site.startswith(bone)), "")
    if chosen not in own:
        found = f"the law {chosen!r}" if chosen else "no validated law for this bone"
        remedy = f"Choose one of {own}" if own else f"Strength is given for {sorted(DEFAULTS)} only"
        raise InvalidValueError(f"choose a material law for {site}", found, remedy)
    return LAWS[chosen]
