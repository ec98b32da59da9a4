"""Agreement of readers: the statistics of one sample, under one name each."""

from __future__ import annotations

from osteoscope.stats.icc import FORMS, Icc, IccForm, icc, icc_absolute
from osteoscope.stats.kappa import Weighting, fleiss_kappa, weighted_kappa
from osteoscope.stats.limits import LimitsOfAgreement, limits_of_agreement
from osteoscope.stats.resampling import Estimate, bootstrap

__all__ = [
    "FORMS",
    "Estimate",
    "Icc",
    "IccForm",
    "LimitsOfAgreement",
    "Weighting",
    "bootstrap",
    "fleiss_kappa",
    "icc",
    "icc_absolute",
    "limits_of_agreement",
    "weighted_kappa",
]
