"""What a reader must know of a comparison of two CTs beside its calls: bones that fit badly, scans made otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from osteoscope.domain.study import Acquisition
from osteoscope.measure.bone_motion import Alignment

# A bone whose middle lies further than this from where all bones together put it may be another bone of that name.
_MISNAMED_MM = 20.0


def of_motions(aligned: Alignment) -> Iterator[str]:
    """Of bones that were not aligned on their own, or that lie far off."""
    for motion in aligned.bones.values():
        if not motion.aligned:
            yield f"{motion.site}: too little of it, or too unlike, to align on its own; moved with the nearest bone"
        elif motion.off_mm > _MISNAMED_MM:
            yield (
                f"{motion.site}: lies {motion.off_mm:.0f} mm from where the other bones put it: check that both "
                "dates give it the same name"
            )


def of_acquisitions(before: Acquisition, now: Acquisition) -> Iterator[str]:
    """Of what shifts HU without a change of the bone."""
    made = (before, now)
    for what, pair in (
        ("contrast agents", [m.contrast_agent or "none stated" for m in made]),
        ("tube voltages", [f"{m.kvp:g} kV" if m.kvp else "not stated" for m in made]),
        ("kernels", [m.kernel or "not stated" for m in made]),
    ):
        if pair[0] != pair[1]:
            yield f"Different {what} ({pair[0]}; {pair[1]}): HU shift without a change of the bone"
