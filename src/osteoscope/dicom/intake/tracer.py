"""Which radiopharmaceutical was given, as far as a header tells.

Codes are of DICOM PS3.16 CID 18 (radionuclides) and CID 25 (radiopharmaceuticals), SCT and the SRT codes before them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from osteoscope.dicom.intake.header import Header

MIBG, BONE = "mIBG", "bone agent"

_NUCLIDE_CODES: Mapping[str, str] = {
    "21572004": "I-123", "C-114A4": "I-123",
    "1368003": "I-131", "C-114B1": "I-131",
    "72454006": "Tc-99m", "C-163A8": "Tc-99m",
    "56609000": "In-111", "C-145A4": "In-111",
    "447553000": "Lu-177", "C-101ED": "Lu-177",
    "60057003": "Tl-201", "C-138A9": "Tl-201",
    "2008008": "Ga-67", "C-131A2": "Ga-67",
}  # fmt: skip
_TRACER_CODES: Mapping[str, tuple[str, str]] = {
    "395787009": (MIBG, "I-123"), "C-B110E": (MIBG, "I-123"),
    "395789007": (MIBG, "I-131"), "C-B112D": (MIBG, "I-131"),
    "96390006": (BONE, "Tc-99m"), "C-B1218": (BONE, "Tc-99m"),
    "53951001": (BONE, "Tc-99m"), "C-B1213": (BONE, "Tc-99m"),
    "111162007": (BONE, "Tc-99m"), "C-B1211": (BONE, "Tc-99m"),
    "764821009": (BONE, "Tc-99m"),
}  # fmt: skip
_TRACER_WORDS = (
    (re.compile(r"m-?ibg|iobenguan|iodobenzylguanidin|adreview", re.IGNORECASE), MIBG),
    (
        re.compile(r"\b(mdp|hmdp|hdp|dpd)\b|medronat|oxidronat|tecean|diphosphonat|bisphosphonat", re.IGNORECASE),
        BONE,
    ),
)
# A description names the examination, not the syringe: what it says is a guess.
_EXAMINATION_WORDS = (
    *_TRACER_WORDS,
    (re.compile(r"\bbone|\bos\b|osseu|knochen|skelet|oss[ae]\b|hueso|[óo]sea", re.IGNORECASE), BONE),
)
_NUCLIDE_WORDS = (
    (re.compile(r"(?<!\d)123[\s^-]*i(?![a-z])|\bi(od\w*)?[\s^-]*123(?!\d)", re.IGNORECASE), "I-123"),
    (re.compile(r"(?<!\d)131[\s^-]*i(?![a-z])|\bi(od\w*)?[\s^-]*131(?!\d)", re.IGNORECASE), "I-131"),
    (re.compile(r"(?<!\d)99m?[\s^-]*tc|\btc[\s^-]*99|\btechneti\w*", re.IGNORECASE), "Tc-99m"),
)
# Main gamma lines in keV (Lu-177 and In-111 have two).
PEAKS_KEV: Mapping[str, tuple[float, ...]] = {
    "I-123": (159.0,),
    "Tc-99m": (140.5,),
    "I-131": (364.5,),
    "In-111": (171.3, 245.4),
    "Lu-177": (208.4, 112.9),
    "Tl-201": (71.0,),
    "Ga-67": (93.3, 184.6),
}
_CARRIERS: Mapping[str, frozenset[str]] = {MIBG: frozenset({"I-123", "I-131"}), BONE: frozenset({"Tc-99m"})}
_WINDOW_CENTRE_KEV = 6.0


@dataclass(frozen=True)
class Tracer:
    """Tracer and radionuclide, "" where unknown.

    Args:
        guessed: "tracer" and "radionuclide" where they are inferred, not stated.
        problems: (problem, action) to be shown.
    """

    name: str = ""
    radionuclide: str = ""
    guessed: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


def tracer_of(header: Header) -> Tracer:
    """What was given: by code, else by the header's words for the drug, else guessed by the name of the examination."""
    item = header.item("RadiopharmaceuticalInformationSequence")
    drug, nuclide_code = item.item("RadiopharmaceuticalCodeSequence"), item.item("RadionuclideCodeSequence")
    words = " ".join(filter(None, (item.text("Radiopharmaceutical"), drug.text("CodeMeaning"))))
    name, carried = _TRACER_CODES.get(drug.text("CodeValue"), (_match(_TRACER_WORDS, words), ""))
    nuclide = (
        _NUCLIDE_CODES.get(nuclide_code.text("CodeValue"), "")
        or _match(_NUCLIDE_WORDS, nuclide_code.text("CodeMeaning"))
        or carried
        or _match(_NUCLIDE_WORDS, f"{words} {header.text('GenieRadionuclide')}")
    )
    return _guess_the_rest(header, name or words, nuclide)


def tracer_named(words: str) -> str:
    """The name used here for what a person calls a tracer; the words themselves where they name none that is known."""
    return _match(_TRACER_WORDS, words) or words


def windows_kev(header: Header) -> list[tuple[tuple[float, float], ...]]:
    """Energy ranges in keV of each energy window; () where one states none."""
    windows = []
    for window in header.items("EnergyWindowInformationSequence"):
        limits = [
            (item.number("EnergyWindowLowerLimit"), item.number("EnergyWindowUpperLimit"))
            for item in window.items("EnergyWindowRangeSequence")
        ]
        windows.append(tuple((low, high) for low, high in limits if low is not None and high is not None))
    return windows


def _guess_the_rest(header: Header, name: str, nuclide: str) -> Tracer:
    guessed: list[str] = []
    problems: list[tuple[str, str]] = []
    description = " ".join(header.text(key) for key in ("SeriesDescription", "ProtocolName", "StudyDescription"))
    if not nuclide:
        nuclide = _match(_NUCLIDE_WORDS, description) or _nuclide_of_windows(header)
        if nuclide:
            guessed.append("radionuclide")
            problems.append(("the radionuclide is not stated", f"taken as {nuclide} from description or energy window"))
    if not name:
        examination = _match(_EXAMINATION_WORDS, description)
        if examination and nuclide in {"", *_CARRIERS[examination]}:
            name = examination
            guessed.append("tracer")
            problems.append(("the radiopharmaceutical is not stated", f"taken as {name} from {description.strip()!r}"))
        elif examination:
            problem = f"described as {examination} but labelled with {nuclide}"
            problems.append((problem, "the radiopharmaceutical is left unknown"))
    elif nuclide and nuclide not in _CARRIERS.get(name, {nuclide}):
        problems.append((f"{name} labelled with {nuclide}, which does not exist", "kept as stated; check the header"))
    return Tracer(name, nuclide, tuple(guessed), tuple(problems))


def _nuclide_of_windows(header: Header) -> str:
    ranges = [limits for window in windows_kev(header) for limits in window]
    for nuclide in ("I-123", "Tc-99m"):
        peak = PEAKS_KEV[nuclide][0]
        if any(abs((low + high) / 2 - peak) <= _WINDOW_CENTRE_KEV for low, high in ranges):
            return nuclide
    return ""


def _match(table: tuple[tuple[re.Pattern[str], str], ...], text: str) -> str:
    return next((name for pattern, name in table if pattern.search(text)), "")
