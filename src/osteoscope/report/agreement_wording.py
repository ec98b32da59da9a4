"""Figures of agreement in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from osteoscope.report.parts import Cell
from osteoscope.report.wording import JOINED
from osteoscope.stats.ratings import Statistic

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "icc_1_1": "ICC(1,1), one-way",
        "icc_2_1": "ICC(2,1), absolute agreement",
        "icc_3_1": "ICC(3,1), consistency",
        "icc_1_k": "ICC(1,k), one-way, mean of readers",
        "icc_2_k": "ICC(2,k), absolute agreement, mean of readers",
        "icc_3_k": "ICC(3,k), consistency, mean of readers",
        "bias": "Bias, points",
        "limit_low": "Lower 95 % limit of agreement, points",
        "limit_high": "Upper 95 % limit of agreement, points",
        "rank_limit_low": "Lower non-parametric limit (2.5 %), points",
        "rank_limit_high": "Upper non-parametric limit (97.5 %), points",
        "mean_absolute_difference": "Mean absolute difference, points",
        "kappa_quadratic": "Weighted kappa, quadratic",
        "kappa_linear": "Weighted kappa, linear",
        "kappa_none": "Kappa, unweighted",
        "kappa_extent_class": "Kappa of none / focal / diffuse",
        "exact": "Exact agreement",
        "within_one": "Agreement within one level",
        "sensitivity": "Sensitivity for a total above the cut",
        "specificity": "Specificity",
        "positive_predictive_value": "Positive predictive value",
        "negative_predictive_value": "Negative predictive value",
        "kappa": "Kappa",
        "mcnemar_p": "McNemar, exact p",
        "conger_kappa_quadratic": "Generalised weighted kappa (Conger), quadratic",
        "conger_kappa_linear": "Generalised weighted kappa (Conger), linear",
        "conger_kappa_none": "Generalised kappa (Conger), unweighted",
        "light_kappa_quadratic": "Mean pairwise kappa (Light), quadratic",
        "light_kappa_linear": "Mean pairwise kappa (Light), linear",
        "light_kappa_none": "Mean pairwise kappa (Light), unweighted",
        "fleiss_kappa": "Fleiss' kappa, nominal",
    }
)
_PERCENT = frozenset(
    ("exact", "within_one", "sensitivity", "specificity", "positive_predictive_value", "negative_predictive_value")
)
_POINTS = frozenset(name for name, label in LABELS.items() if label.endswith("points"))


def figure(name: str, value: float) -> str:
    """A figure as papers print it: kappa and ICC to three decimals, points to one, shares as whole per cent."""
    if name == "mcnemar_p":
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    text = f"{100 * value:.0f}{JOINED}%" if name in _PERCENT else f"{value:.1f}" if name in _POINTS else f"{value:.3f}"
    return text.removeprefix("-") if not any(c in text for c in "123456789") else text.replace("-", "−")


def interval_text(statistic: Statistic) -> str:
    """ "low to high" of the interval to report first, "" where there is none or it has no width (not estimable)."""
    first = statistic.intervals[0] if statistic.intervals else None
    if first is None or first.low == first.high:
        return ""
    return " to ".join(figure(statistic.name, end).removesuffix(f"{JOINED}%") for end in (first.low, first.high))


def cell(statistic: Statistic | None) -> Cell:
    """Value with its 95 % interval; a dash where it was not made or is undefined."""
    if statistic is None or statistic.value is None:
        return Cell("–")
    return Cell(figure(statistic.name, statistic.value), interval_text(statistic))


def sentence(statistic: Statistic | None, label: str) -> str:
    """ "ICC(2,1) 0.81 (0.61 to 0.90)", or that it is not defined."""
    if statistic is None or statistic.value is None:
        return f"{label} not defined"
    inside = interval_text(statistic)
    return f"{label} {figure(statistic.name, statistic.value)}" + (f" ({inside})" if inside else "")
