"""Two CTs of one patient as a report: the answer, lesions side by side, what each was called, how bones moved."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from osteoscope.domain.finding import DOUBTFUL_BELOW
from osteoscope.measure.lesion_change_record import CALLS, Call, CtResponse, DateRecord, Followed, Quantity, Sighting
from osteoscope.report.ct_response_views import CALL_COLOURS, Pictured, pictures
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.parts import Cell, Column, Document, Fact, Section, Table
from osteoscope.report.wording import JOINED, count, number, percent, sentence_case, site_name

WORDS: Mapping[Call, str] = MappingProxyType({call: call.replace("_", " ") for call in CALLS})


def build_ct_response(response: CtResponse, pictured: Pictured | None) -> Document:
    """The report of a comparison; pictures where both CTs are at hand."""
    return Document(
        title="Change of bone lesions on CT",
        disclaimer=DISCLAIMER,
        patient=_facts(response, pictured),
        asked="Which bone lesions are new, grown, stable, shrunk, turned sclerotic or gone?",
        summary=headline(response),
        limits=(*_limits(response), *response.notes),
        sections=tuple(
            section
            for section in (
                Section("Images", pictures(response, pictured) if pictured else ()),
                Section("Lesions", (), (_calls(response), _lesions(response))),
                Section("Bones", (), (_bones(response),)),
                Section("Dates", (), (_dates(response),)),
            )
            if section.figures or section.tables
        ),
    )


def headline(response: CtResponse) -> tuple[str, ...]:
    """The answer in two or three sentences."""
    numbers = [(call, len(response.called(call))) for call in CALLS]
    said = ", ".join(f"{n} {WORDS[call]}" for call, n in numbers if n) or "no lesion at either date"
    doubtful = sum(_doubtful(one) for call in ("new", "gone") for one in response.called(call))
    unsure = sum(len(one.possible) > 1 for one in response.lesions)
    before, now = response.dates
    lines = [
        f"{_when(before, 'earlier')} to {_when(now, 'later')}: {said}.",
        f"{count(before.lesions, 'lesion')} of {number(before.volume_ml)} mL before, "
        f"{count(now.lesions, 'lesion')} of {number(now.volume_ml)} mL now, whatever the fields hold.",
    ]
    if unsure:
        lines.append(f"{count(unsure, 'call')} may be another: see what is possible beside it.")
    if doubtful:
        lines.append(f"{doubtful} of the new or gone ones had a confidence below {percent(DOUBTFUL_BELOW)}.")
    return tuple(lines)


def _doubtful(lesion: Followed) -> bool:
    return any(sight is not None and sight.confidence < DOUBTFUL_BELOW for sight in (lesion.before, lesion.now))


def _when(date: DateRecord, otherwise: str) -> str:
    return date.date or f"{otherwise} date"


def _facts(response: CtResponse, pictured: Pictured | None) -> tuple[Fact, ...]:
    name = pictured.patient if pictured else ""
    before, now = response.dates
    return (
        Fact("Patient", name.replace("^", ", ", 1).replace("^", " ").rstrip(", ") or "not stated"),
        Fact("Identifier", response.patient or "not stated"),
        Fact("Dates", f"{_when(before, 'earlier')}, {_when(now, 'later')}"),
        Fact("Read by", "; ".join(dict.fromkeys((before.reader, now.reader)))),
    )


def _limits(response: CtResponse) -> tuple[str, ...]:
    lines = ["What is found at one date alone may have been missed at the other: look at both places."]
    for sites, when in ((response.only_before, "earlier"), (response.only_now, "later")):
        if sites:
            lines.append(f"Seen at the {when} date alone, not compared: {', '.join(map(site_name, sites))}.")
    if not all(date.images for date in response.dates):
        lines.append("The images were not at hand: no pictures, and no HU where a lesion is not found.")
    return tuple(lines)


def _calls(response: CtResponse) -> Table:
    options = response.options
    rows = tuple(
        (Cell(sentence_case(WORDS[call]), colour=CALL_COLOURS[call]), Cell(str(len(found))), Cell(_ids(found)))
        for call in CALLS
        if (found := response.called(call))
    )
    note = (
        f"Grown (shrunk): the diameter of a ball of the lesion's volume is {number(options.grown)} times the earlier "
        f"one or more ({number(options.shrunk)} or less). Turned sclerotic: a lytic or mixed lesion whose mean rose by "
        f"{number(options.sclerotic_hu)} HU or more, whatever its size. No published rule for single bone lesions was "
        "found: thresholds are choices. Not comparable: the bone or the place is in one field alone, or metal kept the "
        "place from being searched at one date."
    )
    columns = (Column("Call"), Column("Lesions", numeric=True), Column("Which"))
    return Table("Calls", columns, rows, note if rows else "")


def _ids(lesions: tuple[Followed, ...]) -> str:
    return ", ".join(lesion.id for lesion in lesions)


def _lesions(response: CtResponse) -> Table:
    columns = (
        Column("Id"), Column("Bone"), Column("Call"), Column("Before"), Column("Now"),
        Column("Volume ratio", numeric=True), Column("HU change", numeric=True), Column("Notes"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(one.id),
            Cell(site_name(one.site)),
            Cell(sentence_case(WORDS[one.call]), _possible(one), CALL_COLOURS[one.call]),
            _sight(one.before),
            _sight(one.now),
            _quantity(one.volume_ratio),
            _quantity(one.hu_change),
            Cell("; ".join(map(sentence_case, one.notes)), _at_place(one)),
        )
        for one in response.lesions
    )
    note = (
        "Below a call: all calls within the intervals. Volumes, their ratio: boundary half a voxel further in or out, "
        "both dates at their worst. HU change: mean now less before; where no lesion is found, the mean at its place."
    )
    return Table("Lesions", columns, rows, note if rows else "")


def _possible(lesion: Followed) -> str:
    return f"possible: {', '.join(WORDS[call] for call in lesion.possible)}" if len(lesion.possible) > 1 else ""


def _sight(sight: Sighting | None) -> Cell:
    if sight is None:
        return Cell("–")
    low, high = sight.volume_interval
    hu = "" if sight.hu is None else f", {number(sight.hu)}{JOINED}HU"
    about = f"{sight.kind}, {percent(sight.confidence)}, {', '.join(sight.findings)}"
    return Cell(f"{number(sight.volume_ml)}{JOINED}mL{hu}", f"{number(low)} to {number(high)} mL; {about}")


def _quantity(quantity: Quantity | None) -> Cell:
    if quantity is None:
        return Cell("–")
    ends = ["no bound" if end is None else number(end) for end in (quantity.low, quantity.high)]
    return Cell(number(quantity.value), " to ".join(ends))


def _at_place(lesion: Followed) -> str:
    return "" if lesion.hu_at_place is None else f"{number(lesion.hu_at_place.value)} HU at its place"


def _bones(response: CtResponse) -> Table:
    columns = (Column("Bone"), Column("Seen"), Column("Against the others, mm", numeric=True),
               Column("Misfit, mm", numeric=True), Column("Aligned"))  # fmt: skip
    both = [
        (
            Cell(site_name(m.site)),
            Cell("both dates"),
            Cell(number(m.off_mm) if m.aligned else "–"),
            Cell("–" if m.residual_mm is None else number(m.residual_mm)),
            Cell("on its own" if m.aligned else "with the nearest bone"),
        )
        for m in response.motions
    ]
    alone = [
        (Cell(site_name(site)), Cell(f"{when} date alone"), Cell("–"), Cell("–"), Cell("–"))
        for sites, when in ((response.only_before, "earlier"), (response.only_now, "later"))
        for site in sites
    ]
    note = (
        "Each bone is moved as a whole onto the later date. Against the others: how far its middle lies from where the "
        "motion of all bones puts it. Misfit: median distance of the surfaces."
    )
    return Table("Bones", columns, (*both, *alone), note)


def _dates(response: CtResponse) -> Table:
    columns = (Column("Date"), Column("Given as"), Column("Read by"), Column("Lesions", numeric=True),
               Column("Volume, mL", numeric=True), Column("Images at hand"))  # fmt: skip
    rows = tuple(
        (
            Cell(_when(date, word)),
            Cell(date.name),
            Cell(sentence_case(date.reader)),
            Cell(str(date.lesions)),
            Cell(number(date.volume_ml)),
            Cell("yes" if date.images else "no"),
        )
        for date, word in zip(response.dates, ("earlier", "later"), strict=True)
    )
    return Table("Dates", columns, rows)
