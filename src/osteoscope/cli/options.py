"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Rate = Annotated[float, typer.Option(min=0.0, help="Give the sensitivity within this many false positives per scan.")]
Confidence = Annotated[
    float, typer.Option(min=0.0, max=1.0, help="Use findings from this confidence on, for all but the FROC.")
]
Smallest = Annotated[
    float, typer.Option(min=0.0, help="Ignore lesions of the reference with a long axis below this, mm.")
]
Draws = Annotated[int, typer.Option(min=100, help="Resamples of the intervals by patient.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the resamples; the same seed gives the same intervals.")]
