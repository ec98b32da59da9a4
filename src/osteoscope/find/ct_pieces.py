"""What kind of bone a piece beside the spine is, by where it lies and how large it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from osteoscope.find.ct_zones import Piece


@dataclass(frozen=True)
class PieceOptions:
    """Choices of the rules for pieces; sizes of adults, wide enough for tall children.

    Args:
        rib_depth_mm: half thickness that no rib exceeds.
        rib_ml: volume that no rib exceeds, calcified cartilage included.
        rib_length_mm: a shorter piece beside a vertebra is its transverse process.
        sternum_side_mm: the sternum's middle lies within this of the midline.
        sternum_forward_mm: and at least so far before the canal.
        girdle_ml: (least, greatest) volume of one bone of the shoulder girdle.
        arm_side_mm: the humerus lies farther to the side than this.
        behind_mm: the scapula's middle lies less far before the canal than this.
        clavicle_width_mm: the clavicle extends at least so far from right to left.
        face_mm: mandible and face lie within this below the upper end of the canal.
        skull_width_mm: no skull is wider.
        sternum_ml: no sternum is larger.
        vessel_mm: a free piece whose middle lies less than this before the face of the spine is a calcified vessel.
        vessel_side_mm: and within this of the midline.
    """

    rib_depth_mm: float = 7.6
    rib_ml: float = 75.0
    rib_length_mm: float = 45.0
    sternum_side_mm: float = 30.0
    sternum_forward_mm: float = 70.0
    girdle_ml: tuple[float, float] = (8.0, 220.0)
    arm_side_mm: float = 110.0
    behind_mm: float = 35.0
    clavicle_width_mm: float = 55.0
    face_mm: float = 120.0
    skull_width_mm: float = 210.0
    sternum_ml: float = 100.0
    vessel_mm: float = 22.0
    vessel_side_mm: float = 45.0


@dataclass(frozen=True)
class Setting:
    """Places on the spine line that rules refer to, None where they are not on the scan.

    Args:
        sacrum: disc above the sacrum.
        head: upper end of the canal, below the skull.
    """

    sacrum: float | None
    head: float | None


Rule = Callable[[Piece, Setting, PieceOptions], bool]


def _skull(piece: Piece, s: Setting, o: PieceOptions) -> bool:
    in_head = s.head is not None and piece.along[0] > s.head - o.face_mm and piece.along[1] > s.head - 15
    return in_head and piece.width < o.skull_width_mm and abs(piece.side) < o.arm_side_mm - 10


def _mandible(piece: Piece, s: Setting, o: PieceOptions) -> bool:
    below_skull = s.head is not None and piece.along[1] > s.head - o.face_mm
    return below_skull and piece.forward > 25 and abs(piece.side) < 70 and piece.volume > o.girdle_ml[0]


def _limb_beside_pelvis(piece: Piece, s: Setting, _: PieceOptions) -> bool:
    return s.sacrum is not None and piece.along[1] < s.sacrum + 60 and piece.attached is None


def _process(piece: Piece, _: Setting, o: PieceOptions) -> bool:
    return piece.attached is not None and piece.length < o.rib_length_mm and piece.forward < 45


def _rib(piece: Piece, _: Setting, o: PieceOptions) -> bool:
    return piece.attached is not None and piece.depth < o.rib_depth_mm and piece.volume < o.rib_ml


def _sternum(piece: Piece, _: Setting, o: PieceOptions) -> bool:
    near = abs(piece.side) < o.sternum_side_mm and piece.forward > o.sternum_forward_mm
    return near and 5 < piece.volume < o.sternum_ml and piece.depth < 12


def _rib_fragment(piece: Piece, _: Setting, o: PieceOptions) -> bool:
    outward = 40 < abs(piece.side) < o.arm_side_mm + 60 and piece.forward > -40
    return outward and piece.depth < 6.5 and piece.volume < 25 and piece.attached is None


def _humerus(piece: Piece, _: Setting, o: PieceOptions) -> bool:
    sized = o.girdle_ml[0] < piece.volume < o.girdle_ml[1]
    return sized and abs(piece.side) > o.arm_side_mm and piece.depth > 8


def _scapula(piece: Piece, _: Setting, o: PieceOptions) -> bool:
    sized = o.girdle_ml[0] < piece.volume < o.girdle_ml[1]
    return sized and abs(piece.side) > 50 and piece.forward < o.behind_mm and piece.attached is None


def _clavicle(piece: Piece, _: Setting, o: PieceOptions) -> bool:
    sized = o.girdle_ml[0] < piece.volume < o.girdle_ml[1] / 2 and piece.width > o.clavicle_width_mm
    beside = 25 < abs(piece.side) < o.arm_side_mm + 20 and piece.forward < o.sternum_forward_mm + 20
    return sized and beside and piece.attached is None


# asked in this order; the first that holds names the piece
_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "skull": _skull,
        "mandible": _mandible,
        "bone": _limb_beside_pelvis,
        "process": _process,
        "rib": _rib,
        "sternum": _sternum,
        "rib_fragment": _rib_fragment,
        "humerus": _humerus,
        "scapula": _scapula,
        "clavicle": _clavicle,
    }
)


def is_vessel(piece: Piece, face_mm: float, setting: Setting, options: PieceOptions = PieceOptions()) -> bool:
    """Whether a piece is the calcified wall of a vessel: it lies free, right before the spine, where no bone does.

    Args:
        piece: of what is bright, with what it walls in.
        face_mm: front face of the spine there, mm before the canal.
        setting: the rule says nothing of neck and pelvis.
    """
    in_neck = setting.head is not None and piece.along[1] > setting.head - options.face_mm
    in_pelvis = setting.sacrum is not None and piece.along[1] < setting.sacrum
    if piece.attached is not None or in_neck or in_pelvis:
        return False
    return 0 < piece.forward - face_mm < options.vessel_mm and abs(piece.side) < options.vessel_side_mm


def kind_of_piece(piece: Piece, setting: Setting, options: PieceOptions = PieceOptions()) -> str:
    """The kind of a piece beside the spine, "bone" where no rule holds."""
    return next((kind for kind, rule in _RULES.items() if rule(piece, setting, options)), "bone")
