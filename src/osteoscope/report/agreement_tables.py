"""The tables of a comparison of readers, ready for a paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from osteoscope.report.agreement_wording import LABELS, cell
from osteoscope.report.parts import Cell, Column, Table
from osteoscope.report.wording import site_name
from osteoscope.stats.ratings import POOLED, POOLED_DISEASED, SHARED_TOTAL, TOTAL, Coverage, Scale
from osteoscope.stats.readers import Agreement

_INTERVALS = "Below a value: its 95 % interval, made as said under Methods; none where all resamples are the same."
_TOTAL_ROWS = (
    "icc_2_1", "icc_3_1", "bias", "limit_low", "limit_high", "rank_limit_low", "rank_limit_high",
    "mean_absolute_difference",
)  # fmt: skip
_LEVEL_ROWS = ("kappa_quadratic", "kappa_linear", "kappa_extent_class", "exact", "within_one")
_CUT_ROWS = ("sensitivity", "specificity", "kappa", "mcnemar_p")
_STRATUM_ROWS = ("bias", "limit_low", "limit_high", "rank_limit_low", "rank_limit_high")
_ICC_ROWS = ("icc_1_1", "icc_2_1", "icc_3_1", "icc_1_k", "icc_2_k", "icc_3_k")
_GENERAL_ROWS = (
    "conger_kappa_quadratic", "conger_kappa_linear", "light_kappa_quadratic", "light_kappa_linear", "fleiss_kappa",
)  # fmt: skip


def paper(agreement: Agreement) -> Table:
    """The figures to print: totals, levels, cuts; a column per reader compared with the reference."""
    scale, pairs = agreement.panel.scale, agreement.pairs
    blocks = [
        (TOTAL, f"{scale.title} total, complete", _TOTAL_ROWS),
        (SHARED_TOTAL, f"{scale.title} total over shared segments", ("icc_2_1", "bias", "limit_low", "limit_high")),
        (POOLED, "Segment levels, pooled", _LEVEL_ROWS),
        (POOLED_DISEASED, "Segments not 0 by the reference", _LEVEL_ROWS),
        *((f"total <= {cut}", f"Total at most {cut}, or above", _CUT_ROWS) for cut in scale.cuts),
    ]
    rows = []
    for target, title, names in blocks:
        found = [_sample(agreement, pair, target, names) for pair in pairs]
        if any(found):
            rows.append((Cell(title), *(Cell(n) for n in found)))
            rows += [(Cell(LABELS[name]), *(cell(agreement.find(p, target, name)) for p in pairs)) for name in names]
    columns = (Column("Figure"), *(Column(f"{a} – {b}", numeric=True) for a, b in pairs))
    return Table(f"{scale.title}: agreement with {agreement.panel.readers[0]}", columns, tuple(rows), _INTERVALS)


def _sample(agreement: Agreement, readers: tuple[str, ...], target: str, names: Sequence[str]) -> str:
    """What the figures of a block rest on: the one that rests on most, since shares are of a part."""
    made = [statistic for name in names if (statistic := agreement.find(readers, target, name))]
    if not made:
        return ""
    found = max(made, key=lambda statistic: statistic.observations)
    return f"n = {found.observations}" + (f", {found.patients} patients" if found.patients < found.observations else "")


def segments(agreement: Agreement) -> Iterable[Table]:
    """Kappas and plain agreement by segment, one table per reader compared with the reference."""
    scale, names = agreement.panel.scale, ("kappa_quadratic", "kappa_linear", "exact", "within_one")
    columns = (Column("Segment"), Column("n", numeric=True), *(Column(LABELS[name], numeric=True) for name in names))
    for pair in agreement.pairs:
        rows = tuple(_segment(agreement, pair, site, names) for site in (*scale.sites, POOLED))
        note = "A dash: not defined, as where both readers gave one and the same level to all."
        yield Table(f"{scale.title} by segment: {pair[0]} – {pair[1]}", columns, rows, note, total=True)


def _segment(agreement: Agreement, pair: tuple[str, str], site: str, names: Sequence[str]) -> tuple[Cell, ...]:
    found = [agreement.find(pair, site, name) for name in names]
    count = str(found[0].observations) if found[0] else "0"
    return (Cell("Pooled" if site == POOLED else site_name(site)), Cell(count), *map(cell, found))


def strata(agreement: Agreement) -> Table:
    """Bias and limits by burden, in strata of the mean of both totals."""
    columns = (
        Column("Readers"),
        Column("Mean total"),
        Column("n", numeric=True),
        *(Column(LABELS[name].removesuffix(", points"), numeric=True) for name in _STRATUM_ROWS),
    )
    made = [s for s in agreement.statistics if s.target.startswith("stratum ") and s.name == "bias"]
    rows = tuple(
        (
            Cell(" – ".join(s.readers)),
            Cell(s.target.removeprefix("stratum ")),
            Cell(str(s.observations)),
            *(cell(agreement.find(s.readers, s.target, name)) for name in _STRATUM_ROWS),
        )
        for s in made
    )
    note = "Points, second reader minus first; a dash below 3 cases."
    return Table(f"{agreement.panel.scale.title} total by burden", columns, rows, note)


def cuts(agreement: Agreement) -> Table:
    """The 2 x 2 table of every cut, and the cases that hang on a point."""
    columns = tuple(
        Column(title, numeric)
        for title, numeric in (
            ("Readers", False), ("Cut", False), ("Both low", True), ("Only reference low", True),
            ("Only reader low", True), ("Both high", True), ("Within one point", True), ("Different sides", False),
            ("Incomplete", False),
        )
    )  # fmt: skip
    rows = tuple(
        (
            Cell(" – ".join(cut.readers)),
            Cell(f"at most {cut.cut}"),
            *(Cell(str(n)) for row in cut.table for n in row),
            Cell(str(len(cut.near))),
            Cell(_some(cut.discordant)),
            Cell(f"{cut.incomplete}, {cut.incomplete_above} of them above by what was read"),
        )
        for cut in agreement.cuts
    )
    note = "Incomplete: left out, since a segment of either reader is missing. Within one point: of either total."
    return Table(f"{agreement.panel.scale.title} cut-offs", columns, rows, note)


def _some(cases: Sequence[str], most: int = 12) -> str:
    """The first cases by name; agreement.json has them all."""
    more = f" and {len(cases) - most} more" if len(cases) > most else ""
    return ", ".join(cases[:most]) + more or "none"


def iccs(agreement: Agreement) -> Table:
    """All forms of ICC of the complete totals, of every pair and of all readers."""
    groups = dict.fromkeys(s.readers for s in agreement.statistics if s.target == TOTAL and s.name == "icc_2_1")
    columns = (Column("Readers"), Column("n", numeric=True), *(Column(LABELS[n], numeric=True) for n in _ICC_ROWS))
    rows = tuple(
        (
            Cell(" – ".join(group)),
            Cell(_sample(agreement, group, TOTAL, ("icc_2_1",)).removeprefix("n = ")),
            *(cell(agreement.find(group, TOTAL, name)) for name in _ICC_ROWS),
        )
        for group in groups
    )
    return Table(f"{agreement.panel.scale.title} total: intraclass correlation", columns, rows, _INTERVALS)


def everyone(agreement: Agreement) -> Iterable[Table]:
    """Pairs of readers, and all readers at once; nothing of two readers."""
    readers, title = agreement.panel.readers, agreement.panel.scale.title
    if len(readers) < 3:
        return
    rows = tuple((Cell(LABELS[n]), cell(agreement.find(readers, POOLED, n))) for n in _GENERAL_ROWS)
    note = "Segments that two readers read; Fleiss' kappa: those that all read, and without the order of levels."
    heads = (Column("Figure"), Column("All readers", numeric=True))
    yield Table(f"{title} levels: {len(readers)} readers at once", heads, rows, note)
    pairs = dict.fromkeys(s.readers for s in agreement.statistics if s.target == POOLED and s.name == "kappa_linear")
    columns = (Column("Readers"), *(Column(LABELS[name], numeric=True) for name in _LEVEL_ROWS))
    yield Table(
        f"{title} levels: every pair",
        columns,
        tuple((Cell(" – ".join(p)), *(cell(agreement.find(p, POOLED, n)) for n in _LEVEL_ROWS)) for p in pairs),
    )


def coverage(scale: Scale, counted: Sequence[Coverage]) -> Table:
    """How often each segment was read, by reader; what was not read enters no figure."""
    words = ("assessed", "not acquired", "not assessable", "not read")
    columns = (Column("Segment"), Column("Reader"), *(Column(word.capitalize(), numeric=True) for word in words))
    rows = tuple(
        (
            Cell(site_name(c.site)),
            Cell(c.reader),
            *(Cell(str(n)) for n in (c.assessed, c.not_acquired, c.not_assessable, c.not_read)),
        )
        for c in sorted(counted, key=lambda c: scale.sites.index(c.site))
    )
    return Table(f"{scale.title}: what was read", columns, rows)
