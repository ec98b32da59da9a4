"""What a mask is, by the words of its label: a lesion, a look-alike, or neither."""

from __future__ import annotations

import re
from typing import Literal

from osteoscope.domain.finding import FindingKind
from osteoscope.errors import InvalidValueError

MaskKind = Literal["lesion", "look-alike", ""]

# Which masks of a DICOM file are lesions, by their labels or what they are said to be.
LESION_NAMES = (
    r"lesion|metast|\bmets?\d*\b|\bbm\d*\b|tumou?r|neoplas|malignan|myelom|sarcom|carcinom|cancer|\bmass(es)?\b|gtv"
    r"|lytic|lysis|blastic|sclerotic|sclerosis|mixed"
)
# Which are benign, and teach what no lesion is.
BENIGN_NAMES = (
    r"look.?alike|benign|enostosis|bone.?island|bone cyst|fibrous dysplasia|ha?emangioma"  # in the bone
    r"|degenerat|mimic|osteophyte|schmorl"  # at its ends
)
# Which only say that no lesion is there.
_NO_LESION = (
    r"\b(no|non|not|without)\b\W+([a-z]+\W+){0,3}?(lesion|metast|mets?\b|tumou?r|mass)|nonlesion|lesion.?free"
    r"|\b(normal|healthy|unremarkable|uninvolved|background)\b"
)
_KINDS: tuple[tuple[str, FindingKind], ...] = (
    ("mixed", "mixed"),
    ("lytic|lysis", "lytic"),
    ("blastic|sclerotic|sclerosis", "blastic"),
)


def checked_names(given: str) -> str:
    """The regular expression of lesions to go by; the usual one for "".

    Raises:
        InvalidValueError: it is none.
    """
    try:
        re.compile(given)
    except re.error as error:
        remedy = (
            "Give a regular expression as Python's re reads it; put a backslash before ( ) [ ] + * ? that are meant"
        )
        raise InvalidValueError(f"take {given!r} for names of lesions", f"no expression: {error}", remedy) from error
    return given or LESION_NAMES


def mask_kind(said: str, names: str = LESION_NAMES) -> MaskKind:
    """What a label says, with the meaning of its code; look-alikes come first.

    Args:
        said: the words.
        names: regular expression of lesions; another than the usual is taken at its word.
    """
    if _says(BENIGN_NAMES, said):
        return "look-alike"
    negated = names == LESION_NAMES and says_no_lesion(said)
    return "lesion" if _says(names, said) and not negated else ""


def says_no_lesion(said: str) -> bool:
    """Whether words deny a lesion."""
    return _says(_NO_LESION, said)


def lesion_kind(said: str, otherwise: FindingKind) -> FindingKind:
    """The type of a lesion where its label says one."""
    return next((kind for words, kind in _KINDS if _says(words, said)), otherwise)


def _says(names: str, said: str) -> bool:
    """Also where underscores stand for blanks, which end no word in a regular expression."""
    return any(re.search(names, text, re.IGNORECASE) for text in (said, said.replace("_", " ")))
