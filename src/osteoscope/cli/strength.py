"""`osteoscope strength`: what load a bone still carries, and what its lesions cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from osteoscope.cli.console import DISCLAIMER, fail, progress_bar, say, say_json, say_table

T = TypeVar("T")
EXIT_SOME_REFUSED, EXIT_ALL_REFUSED = 3, 4


def strength(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="CT [READING_FOLDER]",
            help="One CT (DICOM folder or zip, NIfTI, NRRD) and, if it was read before, the folder of its reading "
            "(made with --nifti). Without a reading the CT is read first.",
        ),
    ],
    site: Annotated[
        list[str],
        typer.Option("--site", "-s", help="A femur or vertebra, such as femur_left, vertebra_L3. Repeatable."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results; made if absent.")] = Path(
        "osteoscope-strength"
    ),
    case: Annotated[
        str, typer.Option(help="Load case: stance (default) or fall for a femur, compression for a vertebra.")
    ] = "",
    law: Annotated[
        str,
        typer.Option(
            help="Material law: for a femur keyak_2005 (default), morgan_2003_neck, morgan_2003_trochanter, yosibash; "
            "for a vertebra kopperdahl_2002 (default), morgan_2003_vertebra."
        ),
    ] = "",
    rod: Annotated[
        list[str] | None,
        typer.Option(help="A rod of a phantom in the scan as DENSITY=HU in mg/cm3 and mean HU, such as 50=62. Repeat."),
    ] = None,
    phantom: Annotated[str, typer.Option(help='What the rods are made of: "K2HPO4" or "HA".')] = "K2HPO4",
    calibrate: Annotated[
        bool, typer.Option(help="Calibrate by the patient's air, fat and muscle where no rods are given.")
    ] = True,
    element_mm: Annotated[
        float, typer.Option(min=0.0, max=5.0, help="Size of the elements; 0: 1.5 mm in vertebrae, 2 mm in femora.")
    ] = 0.0,
    interval: Annotated[bool, typer.Option(help="Give intervals; takes several times as long.")] = True,
    other_side: Annotated[bool, typer.Option(help="Test the other side too, where it is in the field.")] = True,
    weight_kg: Annotated[
        float | None, typer.Option(min=1.0, help="The patient's weight, if the header lacks it.")
    ] = None,
    bone: Annotated[
        list[str] | None,
        typer.Option(help="A mask drawn elsewhere, SITE=FILE[:LABEL], such as vertebra_L3=seg.nii.gz:22. Repeatable."),
    ] = None,
    lesions: Annotated[Path | None, typer.Option(help="With --bone: a label map of lesions.")] = None,
    landmark: Annotated[
        list[str] | None,
        typer.Option(
            help="Correct a landmark, NAME=X,Y,Z in mm (LPS), such as head=88,-35,-95 or radius=24. Repeatable."
        ),
    ] = None,
    tets_mm: Annotated[
        float,
        typer.Option(min=0.0, max=10.0, help="Write each bone as tetrahedra of about this edge in mm too; 0: no."),
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print strength.json instead of text.")] = False,
) -> None:
    """Compute the strength of bones by finite elements, with and without each lesion; a report beside strength.json.

    Exit code: 0 all bones tested, 3 some refused, 4 all refused, 1 the input cannot be used, 2 wrong usage.
    """
    from osteoscope.deliver.strength import StrengthRequest, compute_strength
    from osteoscope.deliver.strength_inputs import Drawn
    from osteoscope.domain import codec
    from osteoscope.reading.strength import BoneLoading
    from osteoscope.report.wording import label, quantity, site_name

    if phantom not in {"K2HPO4", "HA"}:
        raise typer.BadParameter('give "K2HPO4" or "HA"', param_hint="--phantom")
    sites = tuple(dict.fromkeys(site))
    if landmark and len(sites) > 1:
        raise typer.BadParameter(
            f"landmarks are one bone's: give one --site, not {len(sites)}", param_hint="--landmark"
        )
    how = BoneLoading(
        case, law, tuple(_pair(text) for text in rod or ()), "HA" if phantom == "HA" else "K2HPO4", calibrate,
        element_mm, interval, weight_kg, _once([_point(text) for text in landmark or ()], "--landmark"),
    )  # fmt: skip
    drawn = Drawn(_once([_named(text) for text in bone or ()], "--bone"), lesions)
    request = StrengthRequest(sites, how, other_side, drawn, tets_mm)
    with progress_bar() as progress:
        tested = compute_strength(inputs, output, request, progress)
    record = tested.record
    if as_json:
        say_json(codec.encode(record))
    else:
        for gap in record.gaps:
            say(f"Not given: {gap.where}, {gap.step}: {gap.reason}")
        for found in record.bones:
            rows = [(label(m.name), quantity(m)) for m in (*found.measures, *found.estimates)]
            rows += [(f"{cost.lesion}, {label(m.name)}", quantity(m)) for cost in found.lesions for m in cost.measures]
            say_table(site_name(found.site), ("what", "result"), [(site_name(found.site), *row) for row in rows])
            for gap in found.gaps:
                say(f"Not given: {gap.where}, {gap.step}: {gap.reason}")
        say(f"{output / 'strength.json'}")
        say(DISCLAIMER)
    for gap in record.refused:
        fail(f"{gap.where} refused: {gap.step}: {gap.reason}")
    if record.refused:
        raise typer.Exit(EXIT_SOME_REFUSED if record.bones else EXIT_ALL_REFUSED)


def _once(pairs: Sequence[tuple[str, T]], option: str) -> dict[str, T]:
    """The values by their names, each given once."""
    names = [name for name, _ in pairs]
    twice = dict.fromkeys(name for name in names if names.count(name) > 1)
    if twice:
        raise typer.BadParameter(f"{', '.join(twice)} given more than once: give one value", param_hint=option)
    return dict(pairs)


def _pair(text: str) -> tuple[float, float]:
    density, sign, hu = text.partition("=")
    try:
        pair = float(density), float(hu if sign else "")
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not DENSITY=HU", param_hint="--rod") from error
    if not all(map(math.isfinite, pair)):
        raise typer.BadParameter(f"{text!r} is not DENSITY=HU in finite numbers", param_hint="--rod")
    return pair


def _named(text: str) -> tuple[str, str]:
    site, sign, place = text.partition("=")
    if not (site and sign and place):
        raise typer.BadParameter(f"{text!r} is not SITE=FILE[:LABEL]", param_hint="--bone")
    return site, place


def _point(text: str) -> tuple[str, tuple[float, ...]]:
    name, sign, numbers = text.partition("=")
    try:
        place = tuple(float(n) for n in numbers.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not NAME=X,Y,Z", param_hint="--landmark") from error
    if not (name and sign):
        raise typer.BadParameter(f"{text!r} is not NAME=X,Y,Z", param_hint="--landmark")
    return name, place
