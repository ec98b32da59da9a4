"""From trained weights to the bones model that the package ships."""

from __future__ import annotations

from pathlib import Path

from osteoscope.find.ct_bone_maps import MODEL, OUTPUTS, PLANES, TILE
from osteoscope.train.ct_bones_net import BonesNet
from osteoscope.train.exporting import Graph, Story, load_weights, write_model

_PURPOSE = (
    "Mask and names of bones on CT: vertebrae by level, sacrum, hip bones, femora, ribs by side and number, sternum, "
    "clavicles, scapulae, humeri, skull, mandible. Research use only, not a medical device."
)


def export(weights: Path, folder: Path, story: Story, tile: tuple[int, int, int] = TILE) -> Path:
    """Write the model and its card into a folder; returns the card's path.

    Args:
        weights: "weights.pt" of `osteoscope.train.ct_bones_fit.fit`.
        folder: where the package looks for models, or another.
        story: the card's words.
        tile: cells that the exported network takes; reading gives it `TILE`.
    """
    graph = Graph(MODEL, _PURPOSE, (PLANES, *tile), tuple(OUTPUTS))
    return write_model(load_weights(BonesNet(), weights), graph, folder, story, lambda _: {})
