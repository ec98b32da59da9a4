"""Figures of a bone in the testing machine: its pictures, its curve, its rigidity."""

from __future__ import annotations

from collections.abc import Iterator

from matplotlib.figure import Figure

from osteoscope.fe.rigidity import CRITICAL_LOSS, KINDS
from osteoscope.fe.strength_record import Strength
from osteoscope.report.drawing import Drawing, new_axes
from osteoscope.report.strength_views import STRAIN_TOP, relief, sections
from osteoscope.report.style import BLUE, FAINT, GREEN, LESION, VERMILION, new_figure
from osteoscope.report.wording import number, site_name


def drawings(found: Strength) -> Iterator[Drawing]:
    """Sections, relief, curve and profile of one bone."""
    name, site = site_name(found.site), found.site
    yield Drawing(
        f"{site}_sections",
        f"{name} in the testing machine, sections through {_place(found)}. Grey: modulus; blue: cement; orange line: "
        "lesion; red: elements that had flowed at the failure load, by plastic strain; yellow: landmarks and axis.",
        f"Two sections of {name} with failed elements", sections(found), 0.55,
    )  # fmt: skip
    yield Drawing(
        f"{site}_relief",
        f"{name} in relief from four sides. Colour: greatest principal strain at the failure load, grey (0) to red "
        f"({100 * STRAIN_TOP:g} %); blue: cement.",
        f"Surface of {name} with strain", relief(found), 0.7,
    )  # fmt: skip
    yield Drawing(
        f"{site}_curve",
        "Force against displacement, as it is"
        + (" and with all lesions replaced by the bone's own healthy tissue." if found.healed else "."),
        f"Force-displacement curve of {name}", _curve(found), 0.55,
    )  # fmt: skip
    yield Drawing(
        f"{site}_rigidity",
        "Axial, bending and torsional rigidity of every cross-section along the axis of the load, as share of the "
        f"greatest healed one; broken: healed. Grey: sections that are not compared. Literature calls a loss above "
        f"{100 * CRITICAL_LOSS:.0f} % critical (from memory, not verified).",
        f"Rigidity profile of {name}", _profile(found), 0.55,
    )  # fmt: skip


def _place(found: Strength) -> str:
    return "the place of first failure" if found.failure else "the middle of the bone"


def _curve(found: Strength) -> Figure:
    absolute = found.setting.material.calibration.absolute
    scale = 1.0 if absolute else 1 / found.curve.failure_load
    figure = new_figure(5.2, 3.4)
    axes = new_axes(figure, "Displacement, mm", "Force, N" if absolute else "Force, share of the failure load")
    if found.healed is not None:
        axes.plot(found.healed.displacement, found.healed.force * scale, color=FAINT, linestyle="--", label="healed")
    axes.plot(
        found.curve.displacement, found.curve.force * scale, color=BLUE, marker="o", markersize=3, label="as it is"
    )
    axes.axhline(found.curve.failure_load * scale, color=VERMILION, linewidth=0.9, linestyle=":")
    if absolute:
        axes.annotate(
            f"{number(found.curve.failure_load)} N", (0, found.curve.failure_load), xytext=(4, 3),
            textcoords="offset points", fontsize=8, color=VERMILION,
        )  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    figure.tight_layout()
    return figure


def _profile(found: Strength) -> Figure:
    own, healed = found.profiles
    figure = new_figure(5.2, 3.6)
    axes = new_axes(figure, "Height along the axis, mm", "Rigidity, share of the greatest")
    inside = found.trial.mesh.share.any(axis=(1, 2))
    for kind, colour in zip(KINDS, (BLUE, GREEN, VERMILION), strict=True):
        top = float((healed or own).of(kind)[inside].max())
        axes.plot(own.height[inside], own.of(kind)[inside] / top, color=colour, linewidth=1.5, label=kind)
        if healed is not None:
            axes.plot(own.height[inside], healed.of(kind)[inside] / top, color=colour, linewidth=1, linestyle="--")
    outside = ~found.trial.sections & inside
    axes.fill_between(
        own.height[inside], 0, 1, where=outside[inside], color=FAINT, alpha=0.15, linewidth=0,
        transform=axes.get_xaxis_transform(),
    )  # fmt: skip
    for cost in found.lesions:
        if cost.weakest:
            axes.axvline(cost.weakest.height, color=LESION, linewidth=0.9, linestyle=":")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    return figure
