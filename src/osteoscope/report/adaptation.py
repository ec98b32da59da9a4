"""The report of an adaptation: whether it helped, by how much, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from osteoscope.measure.adaptation_card import Card, Gain, Verdict
from osteoscope.measure.adaptation_evidence import FEATURES
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.parts import Cell, Column, Document, Fact, Figure, Section, Table
from osteoscope.report.wording import site_name
from osteoscope.stats.ratings import POOLED, SCALES, TOTAL

FIGURES: Mapping[str, str] = MappingProxyType(
    {
        "kappa_quadratic": "kappa, quadratic weights",
        "kappa_linear": "kappa, linear weights",
        "exact": "exact agreement",
        "within_one": "within one level",
        "icc_2_1": "ICC(2,1)",
        "bias": "bias, program minus reader",
        "mean_absolute_difference": "mean absolute difference",
        "cut_3_agreement": "same side of the cut at 3",
        "cut_3_kappa": "kappa of the cut at 3",
    }
)
_ANSWERS: Mapping[Verdict, str] = MappingProxyType(
    {
        "helps": "The adaptation helps: on patients it was not fitted to, levels agree better with the reader.",
        "mixed": "The adaptation is not recommended: linear kappa rises, but another figure gets worse.",
        "no evidence": "The adaptation is not recommended: its gain cannot be told from chance.",
        "harms": "The adaptation must not be used: levels agree less well with the reader.",
    }
)


def answer(card: Card) -> tuple[str, ...]:
    """The verdict and the figure that it rests on, in words."""
    gain = card.gain(POOLED, "kappa_linear")
    shown = _cells(gain) if gain else None
    figures = f"Linear kappa of levels {shown[0]} before, {shown[1]} after: {shown[2]}." if shown else ""
    return tuple(filter(None, (_ANSWERS[card.verdict], figures)))


def pooled_table(card: Card) -> Table:
    """Figures of all segments together and of totals, before and after."""
    title = "Agreement with the reader, on patients not fitted to"
    return _table(title, [g for g in card.gains if g.target in (POOLED, TOTAL)], lambda g: f"{g.target}: {_name(g)}")


def build_adaptation(card: Card, figure: Figure, listings: tuple[Table, ...]) -> Document:
    """The report of a card.

    Args:
        card: the adaptation.
        figure: its calibration.
        listings: what of the input was not used.
    """
    segments = [g for g in card.gains if g.target in SCALES["siopen"].sites and g.name != "within_one"]
    by_segment = _table("By segment", segments, lambda g: f"{site_name(g.target)}: {_name(g)}")
    return Document(
        title="Adaptation of SIOPEN levels to a reader",
        disclaimer=DISCLAIMER,
        patient=(
            Fact("Adaptation", f"{card.name} {card.version}"),
            Fact("On top of", str(card.base)),
            Fact("Cohort", f"{card.cohort.studies} studies of {card.cohort.patients} patients"),
            Fact("Levels 0 to 6", ", ".join(map(str, card.cohort.levels))),
            Fact("Software", card.software),
            Fact("SHA-256 of the card", card.record.sha256),
        ),
        asked="Do adapted levels agree better with this reader than the shipped ones?",
        summary=answer(card),
        limits=card.limits,
        sections=(
            Section("Before and after", (), (pooled_table(card),)),
            Section("Calibration", (figure,)),
            Section("By segment", (), (by_segment,)),
            Section("What was learned", (), (_coefficients(card),)),
            Section("Input", (), listings),
        ),
    )


def _table(title: str, gains: list[Gain], name: Callable[[Gain], str]) -> Table:
    columns = (Column("Figure"), *(Column(t, True) for t in ("Shipped", "Adapted", "Change [95 % interval]")))
    rows = tuple((Cell(name(g)), *map(Cell, _cells(g))) for g in gains)
    note = "Intervals by drawing patients. A dash: undefined, since all levels are the same or too few are there."
    return Table(title, columns, rows, note)


def _name(gain: Gain) -> str:
    return FIGURES.get(gain.name, gain.name)


def _cells(gain: Gain) -> tuple[str, str, str]:
    before, after, change = ("–" if v is None else f"{v:.3f}" for v in (gain.before, gain.after, gain.gain))
    if gain.gain is not None:
        change = f"{gain.gain:+.3f}"
    ends = f" [{gain.interval[0]:+.3f}, {gain.interval[1]:+.3f}]" if gain.interval else ""
    return before, after, change + ends


def _coefficients(card: Card) -> Table:
    found = card.coefficients
    rows = [
        ("slope of the shipped log odds", found.slope, 1.0),
        ("chance above which a level is given", found.cut, 0.5),
        *((f"shift of level {n} and above", shift, 0.0) for n, shift in enumerate(found.shifts, 1)),
        *((f"weight of {name.replace('_', ' ')}", found.weights.get(name, 0.0), 0.0) for name in FEATURES),
        *((f"offset of {site_name(s)}", found.offsets.get(s, 0.0), 0.0) for s in SCALES["siopen"].sites),
    ]
    columns = (Column("Coefficient"), Column("Adapted", True), Column("Shipped", True))
    cells = tuple((Cell(name), Cell(f"{value:.3f}"), Cell(f"{plain:g}")) for name, value, plain in rows)
    penalty = "without limit: the shipped scorer" if card.penalty is None else f"{card.penalty:g}"
    return Table(
        "Coefficients, in logits", columns, cells, f"Penalty on the departure from the shipped scorer: {penalty}."
    )
