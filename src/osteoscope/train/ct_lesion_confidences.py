"""Confidences of the shipped lesion network, anew: `python -m osteoscope.train.ct_lesion_confidences WORK FOLDER`.

Copies of real scans, each with other lesions put in, are searched (about a minute each on one core). The network has
learnt on these scans, though not on these lesions, so that its chances in them are a little too hopeful; confidences
that simulated scans calibrate are far more so.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from osteoscope.find.ct_lesion_windows import MODEL
from osteoscope.find.model import SHIPPED, shipped
from osteoscope.train.ct_backgrounds import find_real, write_real
from osteoscope.train.ct_lesion_export import COPIES, calibrate, scans_of
from osteoscope.train.exporting import write_card


def main(
    work: Annotated[Path, typer.Argument(help="Folder for prepared scans and the card.")],
    backgrounds: Annotated[list[Path], typer.Argument(help="Folders of real CTs, each with a SOURCE.txt.")],
    leave_out: Annotated[
        list[str] | None, typer.Option(help="Start of the name of a scan that is not used; may be given again.")
    ] = None,
    ship: Annotated[bool, typer.Option("--ship", help="Write the card into the package.")] = False,
) -> None:
    """Fit the confidences of the lesion network of CT on real scans with lesions put in."""
    work.mkdir(parents=True, exist_ok=True)
    free = [real for folder in backgrounds for real in find_real(folder) if real.free]
    wanted = [real for real in free if not real.name.startswith(tuple(leave_out or ()))]
    paths = [write_real(real, work / "real") for real in sorted(wanted, key=attrgetter("name"))]
    detector = shipped(MODEL)
    copies = track(scans_of(paths), "copies", total=COPIES * len(paths))
    settings = {**detector.card.settings, **calibrate(detector, copies)}
    data = f"{detector.card.data}; {COPIES} copies of each of {len(paths)} real scans calibrate"
    folder = SHIPPED if ship else work
    typer.echo(str(write_card(replace(detector.card, settings=settings, data=data), folder)))


if __name__ == "__main__":
    typer.run(main)
