"""The comparison of readers as a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from osteoscope.report import agreement_tables as tables
from osteoscope.report.agreement_methods import methods
from osteoscope.report.agreement_wording import sentence
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.drawing import Drawing, in_report
from osteoscope.report.parts import Document, Fact, Section, Table
from osteoscope.report.wording import count
from osteoscope.stats.ratings import POOLED, SHARED_TOTAL, TOTAL, Coverage
from osteoscope.stats.readers import Agreement

_FEW = 30


@dataclass(frozen=True)
class Scored:
    """A scale's agreement with what was drawn and counted of it."""

    agreement: Agreement
    coverage: tuple[Coverage, ...]
    drawings: tuple[Drawing, ...]

    def tables(self) -> tuple[Table, ...]:
        """All tables of the scale; the first is the one to print."""
        found = self.agreement
        scale = found.panel.scale
        cut, spread, icc = tables.cuts(found), tables.strata(found), tables.iccs(found)
        several = (*tables.segments(found), cut, spread, icc, *tables.everyone(found))
        return (tables.paper(found), *several, tables.coverage(scale, self.coverage))


def build_agreement(
    scored: Sequence[Scored], facts: tuple[Fact, ...], limits: tuple[str, ...], listings: tuple[Table, ...]
) -> Document:
    """The report of a comparison.

    Args:
        scored: every scale compared.
        facts: who was compared, on how many cases.
        limits: what happened to the input that the reader must know.
        listings: cases not matched, rows not used.
    """
    sections = []
    for one in scored:
        title = one.agreement.panel.scale.title
        sections += [
            Section(title, (), one.tables()[:1]),
            Section(f"{title}: figures", in_report(one.drawings)),
            Section(f"{title}: details", (), one.tables()[1:]),
        ]
    agreements = [one.agreement for one in scored]
    sections += [Section("Input", (), listings), Section("Methods", (), (methods(agreements),))]
    return Document(
        title="Agreement of readers",
        disclaimer=DISCLAIMER,
        patient=facts,
        asked="How far do the readers agree?",
        summary=tuple(words for a in agreements for words in _summary(a)),
        limits=(*limits, *(words for a in agreements for words in _limits(a))),
        sections=tuple(sections),
    )


def _summary(agreement: Agreement) -> list[str]:
    title, said = agreement.panel.scale.title, []
    for pair in agreement.pairs:
        total = agreement.find(pair, TOTAL, "icc_2_1")
        if total is None or total.value is None:
            total = agreement.find(pair, SHARED_TOTAL, "icc_2_1") or total
        kappa = agreement.find(pair, POOLED, "kappa_quadratic")
        of_what = total.target if total else TOTAL
        said.append(
            f"{title}, {pair[0]} – {pair[1]}: {of_what} {sentence(total, 'ICC(2,1)')}; "
            f"segments {sentence(kappa, 'quadratic kappa')}."
        )
    return said


def _limits(agreement: Agreement) -> list[str]:
    panel, said = agreement.panel, []
    for cut in agreement.cuts[:: len(panel.scale.cuts)]:
        if cut.incomplete:
            lacking = count(cut.incomplete, "case lacks", "cases lack")
            said.append(
                f"{panel.scale.title}, {' – '.join(cut.readers)}: {lacking} a segment and so a total; "
                "totals and cut-offs leave them out, levels do not."
            )
    if len(panel.cases) < _FEW:
        said.append(f"{panel.scale.title}: only {count(len(panel.cases), 'case')}; intervals are wide and approximate.")
    repeats = len(panel.cases) - len(set(panel.patients))
    if repeats:
        said.append(f"{panel.scale.title}: {count(repeats, 'case')} beyond one per patient; intervals allow for it.")
    return said
