"""Confidences of CT candidates, calibrated where no head that judges has learnt: each patient left out in turn.

Heads are surer of backgrounds that they have met than of others, and simulated ones are easier than real ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from osteoscope.find.ct_lesion_windows import Array
from osteoscope.find.ct_second_look import FEATURE
from osteoscope.train.ct_lesion_export import WEIGHED
from osteoscope.train.ct_lesion_net import LesionNet
from osteoscope.train.ct_second_look_examples import BESIDE
from osteoscope.train.ct_second_look_fit import HeadOptions, Seen, fit_heads, logits
from osteoscope.train.ct_second_look_net import SecondLookNet
from osteoscope.train.exporting import logistic


@dataclass(frozen=True, eq=False)
class OfPatient:
    """Candidates of all copies of all scans of a patient.

    Args:
        seen: as the heads see them.
        beside: (n, 2), their features `osteoscope.train.ct_second_look_examples.BESIDE`.
        weight: how much each counts.
        real: whether the patient is; confidences are calibrated on real ones.
    """

    seen: Seen
    beside: Array
    weight: float
    real: bool


def calibrated_apart(patients: Sequence[OfPatient], detector: LesionNet, options: HeadOptions) -> dict[str, float]:
    """Weights of the logistic model of a candidate being a lesion, see `osteoscope.train.exporting.logistic`.

    Args:
        patients: two or more, some of them real.
        detector: whose features they were seen by.
        options: of the heads that each real patient is left out of.
    """
    features, right = [], []
    for number, left_out in enumerate(patients):
        if not left_out.real:
            continue
        torch.manual_seed(options.seed)
        net = SecondLookNet(detector)
        others = [(p.seen, p.weight) for n, p in enumerate(patients) if n != number]
        for _ in fit_heads(net, others, options):
            pass
        said = dict(zip(BESIDE, left_out.beside.T, strict=True)) | {FEATURE: logits(net, left_out.seen).numpy()}
        features.append(np.stack([said[name] for name in WEIGHED], axis=1))
        right.append(left_out.seen.lesion.numpy() > 0)
    return logistic(np.concatenate(features).tolist(), np.concatenate(right).tolist(), WEIGHED, WEIGHED)
