"""What a training begins with: a model and, where it is known, who trained it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.ct_outputs import SPLIT_FILE, read_kept
from osteoscope.deliver.ct_split import Stored
from osteoscope.deliver.ratings import Problem
from osteoscope.errors import IntakeError
from osteoscope.find.ct_lesion_windows import MODEL
from osteoscope.find.model import Model, is_shipped, shipped


@dataclass(frozen=True, eq=False)
class Start:
    """A start.

    Args:
        model: None for a new network.
        elder: the split of the training that made the model; None where it is the shipped one, or not known.
        problems: what is not known of it; none of them ``lost``.
    """

    model: Model | None
    elder: Stored | None = None
    problems: tuple[Problem, ...] = ()


def start_of(given: Path | None, anew: bool) -> Start:
    """A new network, a model (card or folder), or by default the shipped one where there is one.

    Raises:
        ModelError: the model given is none.
    """
    own = shipped(MODEL) if is_shipped(MODEL) and not anew else None
    if anew or given is None:
        return Start(own)
    card = given / f"{MODEL}.json" if given.is_dir() else given
    model = Model.load(card)
    if own is not None and own.card.sha256 == model.card.sha256:
        return Start(model)
    try:
        elder, why = read_kept(Stored, card.resolve().parent.parent / SPLIT_FILE), ""
    except IntakeError as error:
        elder, why = None, f": {error.found}"
    if elder is not None:
        return Start(model, elder)
    found = f"who trained this model is not known (no {SPLIT_FILE} that can be read beside its folder{why})"
    remedy = "If patients of the dataset did, held-out figures are too good: start from the shipped model, or --anew"
    return Start(model, None, (Problem(str(given), None, "", found, remedy, lost=False),))
