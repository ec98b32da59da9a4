"""From trained weights to the lesion model that the package ships, with confidences that mean chances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from osteoscope.find.ct_lesion_spots import Spot, spots
from osteoscope.find.ct_lesion_windows import MODEL, STEP_MM, look
from osteoscope.find.ct_twins import FEATURE as TWINS
from osteoscope.find.ct_twins import Coarse, compared
from osteoscope.find.model import Model
from osteoscope.train.ct_held_out import with_implants, with_more
from osteoscope.train.ct_lesion_net import LesionNet
from osteoscope.train.ct_scans import Scan, of_lesion
from osteoscope.train.exporting import Graph, Story, load_weights, logistic, write_model

# Share of a candidate that is truly lesion from which it counts as right.
_RIGHT = 0.3
# Copies of each real scan, each with other lesions put in.
COPIES = 4
WINDOW, OVERLAP = 96, 16
# What confidence follows from. With peak, volume, share in bone and contrast too, 218 instead of 226 of 315 lesions of
# tuning scans were found at 0.62 false positives per scan.
WEIGHED = ("mean", TWINS)

_PURPOSE = (
    "Lytic, blastic and mixed bone metastases of adults on CT, within or grown out of bone, and benign look-alikes. "
    "Research use only, not a medical device."
)


def export(
    weights: Path, folder: Path, held_out: Sequence[Path], story: Story, window: int = WINDOW,
    net: LesionNet | None = None,
) -> Path:  # fmt: skip
    """Write MODEL.onnx and MODEL.json into a folder; confidences are calibrated on scans not trained on.

    Args:
        weights: of `osteoscope.train.ct_lesion_fit.fit`.
        folder: where the package looks for models.
        held_out: prepared scans that training never saw; those without lesions get some put in.
        story: the card's words.
        window: side of the cube that is looked at at once, voxels, a multiple of 16.
        net: of the size of the weights, the usual one by default.
    """
    graph = Graph(MODEL, _PURPOSE, (2, window, window, window), ("classes",))
    loaded = load_weights(net or LesionNet(), weights)
    settings = {"window": window, "stride": window - OVERLAP, "step_mm": STEP_MM, "mirrored": False}
    return write_model(loaded, graph, folder, story, lambda model: calibrate(model, scans_of(held_out)), settings)


def calibrate(detector: Model, scans: Iterable[Scan]) -> dict[str, Any]:
    """The setting "confidence": weights of the logistic model of a candidate being a lesion."""
    # One sure lesion and one sure miss stand in where the scans show one kind only.
    features = [[end, *[0.0] * (len(WEIGHED) - 1)] for end in (9.0, -9.0)]
    right = [True, False]
    for scan in scans:
        seen, coarse = look(scan.hu, scan.bone, detector), Coarse.of(scan.hu, STEP_MM)
        for spot in spots(seen, scan.hu, scan.bone):
            judged = compared(spot, coarse)
            features.append([judged.features[name] for name in WEIGHED])
            right.append(is_lesion(spot, scan))
    return {"confidence": logistic(features, right, WEIGHED, WEIGHED)}


def scans_of(paths: Sequence[Path]) -> Iterator[Scan]:
    """Each scan with lesions of its own as it is and with more put in; copies of those without, with lesions put in."""
    for number, path in enumerate(paths):
        scan = Scan.load(path)
        if scan.label.any():
            yield scan
            yield with_more(scan, np.random.default_rng(number))
        else:
            for copy in range(COPIES):
                yield with_implants(scan, np.random.default_rng((number, copy)))


def is_lesion(spot: Spot, scan: Scan) -> bool:
    """Whether enough of a candidate is truly lesion."""
    return bool(of_lesion(scan.label[spot.box][spot.mask]).mean() >= _RIGHT)
