"""The strength of bones as a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from osteoscope.domain.finding import Measure
from osteoscope.domain.reading import Gap
from osteoscope.domain.study import Study
from osteoscope.fe.density import Calibration
from osteoscope.fe.laws import MaterialLaw
from osteoscope.fe.strength_record import Strength
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.drawing import Drawing, in_report
from osteoscope.report.parts import Cell, Column, Document, Fact, Section, Table
from osteoscope.report.strength_marks import mark_rows
from osteoscope.report.wording import interval, label, number, quantity, sentence_case, site_name, unit

# Shown as literature, never as advice; both from memory, not checked against the primary paper.
LITERATURE = (
    "Literature, from memory, not verified, no advice: a femur was called at high risk below 7.5 times body weight in "
    "stance (Eggermont 2020), a section where rigidity was reduced by more than 35 % (Damron 2015).",
)


@dataclass(frozen=True, eq=False)
class Tried:
    """A bone for the report: its result, further measures, its figures."""

    found: Strength
    more: tuple[Measure, ...]
    figures: tuple[Drawing, ...]


def build_strength(
    study: Study, bones: Sequence[Tried], refused: Sequence[Gap], of_none: Sequence[Gap] = ()
) -> Document:
    """The report of the bones of one CT; ``of_none`` are gaps of no bone of these."""
    gaps = [*of_none, *(gap for tried in bones for gap in tried.found.gaps)]
    notes = dict.fromkeys(sentence_case(note) + "." for tried in bones for note in tried.found.notes)
    return Document(
        title="Strength of bones",
        disclaimer=DISCLAIMER,
        patient=tuple(_facts(study, bones)),
        asked="What load does each bone still carry, where does it fail first, and what does each lesion cost?",
        summary=(*(line for tried in bones for line in _summary(tried)), *(_refusal(gap) for gap in refused)),
        limits=(*notes, *LITERATURE),
        sections=(
            *(Section(site_name(t.found.site), in_report(t.figures), tuple(_tables(t))) for t in bones),
            Section("Not given", (), (_gaps([*refused, *gaps]),)),
            Section("Methods", (), (_laws([tried.found for tried in bones]),)),
        ),
    )


def _facts(study: Study, bones: Sequence[Tried]) -> Iterator[Fact]:
    patient, made = study.patient, study.acquisition
    weight = next((t.found.setting.weight_kg for t in bones if t.found.setting.weight_kg), patient.weight_kg)
    yield Fact("Patient", patient.name.replace("^", ", ", 1).replace("^", " ") or "not stated")
    yield Fact("Identifier", patient.id or "not stated")
    yield Fact("Weight", f"{number(weight)} kg" if weight else "not stated")
    yield Fact("Study date", study.date or "not stated")
    voltage = f"{made.kvp:g} kVp" if made.kvp else "tube voltage not stated"
    yield Fact("Images", ", ".join(filter(None, (made.description, voltage, made.kernel, made.contrast_agent))))
    for text in dict.fromkeys(t.found.setting.material.calibration.method for t in bones):
        yield Fact("Calibration of density", text)


def _summary(tried: Tried) -> Iterator[str]:
    found, name = tried.found, site_name(tried.found.site)
    load, by_weight, loss = (found.measure(n) for n in ("failure_load", "failure_load_by_weight", "strength_loss"))
    if load:
        weights = f", {quantity(by_weight)} times body weight" if by_weight else ""
        yield f"{name}: failure load {quantity(load)}{weights}."
    else:
        yield f"{name}: no failure load in newtons, since the density is not calibrated."
    if loss:
        yield f"{name}: all lesions together cost {quantity(loss)} of its strength."
    for measure in tried.more:
        if measure.name == "strength_of_other_side":
            yield f"{name}: {quantity(measure)} of the other side's strength."
    if found.failure and found.lesions:
        where = f"at lesion {found.failure.nearest}" if found.failure.at_lesion > 0.5 else "away from every lesion"
        yield f"{name}: fails first {where}."
    yield from _lesions_apart(found, name)


def _lesions_apart(found: Strength, name: str) -> Iterator[str]:
    """Of which lesions the numbers say nothing, or not all."""
    for lesion in found.partly:
        yield f"{name}: its lesion {lesion} reaches beyond what is modelled: the numbers are of the part within."
    for gap in found.left_out:
        yield f"{name}: its lesion {gap.where} is not in the model ({gap.reason}): the failure load says nothing of it."
    if not found.bone.lesions and not found.left_out:
        yield f"{name}: no lesion in it."


def _refusal(gap: Gap) -> str:
    return f"{site_name(gap.where)}: not tested. {sentence_case(gap.reason)}"


def _tables(tried: Tried) -> Iterator[Table]:
    found, name = tried.found, site_name(tried.found.site)
    yield _measures(f"Result, {name}", (*found.measures, *tried.more))
    if found.lesions:
        yield _costs(found)
    if found.terms:
        yield _terms(found)
    rows = tuple(
        (Cell(what), Cell(value))
        for what, value in (*mark_rows(found.marks, found.setting.landmarks), *_site_rows(found))
    )
    yield Table(f"Landmarks and first failure, {name}", (Column("What"), Column("Where")), rows)


def _costs(found: Strength) -> Table:
    columns = (Column("Lesion"), Column("Measure"), Column("Value", numeric=True), Column("Method"))
    rows = tuple(
        (Cell(cost.lesion), Cell(sentence_case(label(m.name))), _value(m), Cell(m.method))
        for cost in found.lesions
        for m in cost.measures
    )
    note = "Negative: the lesion is denser than what it replaces."
    return Table(f"Cost of each lesion, {site_name(found.site)}", columns, rows, note)


def _terms(found: Strength) -> Table:
    columns = (Column("Uncertainty"), Column("Failure load", numeric=True), Column("Share left", numeric=True))
    ordered = sorted(found.terms, key=lambda term: term.load[0] - term.load[1])
    rows = tuple((Cell(sentence_case(t.name)), Cell(_change(t.load)), Cell(_change(t.left))) for t in ordered)
    note = (
        f"Change in % where each is moved alone, largest first, on elements of {found.setting.interval_size:g} mm: "
        f"{_moved(found.setting.material.calibration)}, mask ±1 voxel, axis ±5°, lesion tissue half and twice as stiff "
        "and strong. Share left: of the healed bone's failure load."
    )
    return Table(f"What the interval is made of, {site_name(found.site)}", columns, rows, note)


def _moved(calibration: Calibration) -> str:
    low, high = calibration.slopes
    offset = f", its offset by ±{1000 * calibration.offset_spread:.0f} mg/cm³" if calibration.offset_spread else ""
    return f"slope of the calibration by {_change((low - 1, high - 1))} %{offset}"


def _site_rows(found: Strength) -> Iterator[tuple[str, str]]:
    if found.failure:
        x, y, z = found.failure.centre
        yield "First failure", f"x {x:.0f}, y {y:.0f}, z {z:.0f} mm (LPS), {found.failure.volume_mm3 / 1000:.2g} mL"
        yield "Of its plastic work in a lesion", f"{100 * found.failure.in_lesion:.0f} %"
        yield "Of its plastic work within 5 mm of one", f"{100 * found.failure.at_lesion:.0f} %"
    for cost in found.lesions:
        if cost.weakest:
            yield (
                f"Weakest section, lesion {cost.lesion}",
                f"{cost.weakest.kind}, at height {cost.weakest.height:.0f} mm",
            )


def _measures(title: str, measures: Sequence[Measure]) -> Table:
    rows = tuple((Cell(sentence_case(label(m.name))), _value(m), Cell(m.method)) for m in measures)
    return Table(title, (Column("Measure"), Column("Value", numeric=True), Column("Method")), rows)


def _value(measure: Measure) -> Cell:
    return Cell(" ".join(filter(None, (number(measure.value), unit(measure.unit)))), interval(measure))


def _change(change: tuple[float, float]) -> str:
    return " to ".join(f"{100 * v:+.0f}".replace("-", "−") for v in change)


def _gaps(gaps: Sequence[Gap]) -> Table:
    rows = tuple((Cell(gap.where), Cell(label(gap.step)), Cell(gap.reason)) for gap in gaps)
    return Table("What is not given, and why", (Column("Where"), Column("Step"), Column("Reason")), rows)


def _laws(bones: Sequence[Strength]) -> Table:
    columns = (Column("Bone"), Column("Load case"), Column("Material law"), Column("Elements", numeric=True))
    rows = tuple(
        (
            Cell(site_name(b.site)), Cell(b.setting.case.title),
            Cell(b.setting.material.law.name, _law(b.setting.material.law)),
            Cell(f"{int((b.trial.model.modulus > 0).sum())}", f"{b.setting.size:g} mm"),
        )
        for b in bones
    )  # fmt: skip
    note = (
        "Bricks with incompatible modes, perfectly plastic (von Mises); modulus and yield stress integrated over each."
    )
    return Table("Models", columns, rows, note)


def _law(law: MaterialLaw) -> str:
    return law.source + ("" if law.verified else " NOT VERIFIED")
