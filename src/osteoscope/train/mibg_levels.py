"""Learn how likely each level is: `python -m osteoscope.train.mibg_levels WORK`. Resumable: run it again.

Children are simulated and read first (about 1 s each on one core), then one logistic regression is fitted for each
level of each score (minutes), and the card written into WORK; `--ship` puts it where the package looks for it. A new
planar network needs a new one, and reads the children anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize
from scipy.special import expit

from osteoscope.find.model import shipped
from osteoscope.find.planar_maps import MODEL
from osteoscope.measure.card_digest import digest
from osteoscope.measure.level_head import BURDEN, SHIPPED, ScoreHead, inputs, least_costly
from osteoscope.measure.score_tables import SCHEME_NAMES
from osteoscope.stats.agreement import weighted_kappa
from osteoscope.train.mibg_levels_children import Row, children_folder, rows_in, write_children
from osteoscope.train.written import written

Floats = NDArray[np.float64]

NAME, VERSION = "mibg_levels", "0.4.0"
_FOLDS = 5
_RIDGE = 3.0  # of the weights of inputs scaled to a spread of 1
_LIMITS = (
    "learnt on simulated children: how often disease comes in numbers, and how often it is missed, is theirs",
    "for what the planar network named on this card finds, under the default choices of scoring",
)


def main(
    work: Annotated[Path, typer.Argument(help="Folder for what was found in each child, and the card.")],
    phantoms: Annotated[Path | None, typer.Option(help="Folder of ICRP-110 phantoms (.npz), every third body.")] = None,
    children: Annotated[int, typer.Option(min=10)] = 2000,
    cores: Annotated[int, typer.Option(min=1)] = 2,
    ship: Annotated[bool, typer.Option("--ship", help="Write the card into the package.")] = False,
) -> None:
    """Learn the chances of SIOPEN and Curie levels from simulated children."""
    found = sorted(phantoms.glob("*.npz")) if phantoms else []
    paths = track(
        write_children(range(children), children_folder(work, found), cores, found), "children", total=children
    )
    rows = [rows_in(path) for path in paths]
    content = card(rows)
    target = SHIPPED if ship else work / SHIPPED.name
    with written(target) as unfinished:
        unfinished.write_text(written_card(content), encoding="utf-8")
    typer.echo(json.dumps(content["figures"], indent=1))
    typer.echo(str(target))


def written_card(content: Mapping[str, Any]) -> str:
    """The card as text."""
    return json.dumps(content, indent=1) + "\n"


def card(children: Sequence[Sequence[Row]]) -> dict[str, Any]:
    """The card of a head learnt from the rows of some children, with figures on children left out."""
    planar = shipped(MODEL).card
    rows = [row for child in children for row in child]
    content = {
        "name": NAME,
        "version": VERSION,
        "purpose": "Chance of each SIOPEN and Curie level of a segment, from all that was found in the child. Research "
        "use only, not a medical device.",
        "made_for": f"{planar.name} {planar.version}",
        "data": f"{len(children)} simulated children that the network was not trained on",
        "limits": _LIMITS,
        "figures": {score: _figures(children, score) for score in SCHEME_NAMES},
        "scores": {score: _written(fit(rows, score)) for score in SCHEME_NAMES},
    }
    plain: dict[str, Any] = json.loads(json.dumps(content))
    return {**plain, "sha256": digest(plain)}


def fit(rows: Sequence[Row], score: str) -> ScoreHead:
    """One penalised logistic regression per level; inputs that grow with disease have no weight below 0."""
    own = [row for row in rows if row.score == score]
    segments = sorted({row.signs.segment for row in own})
    found = [inputs(np.array(row.chances), row.signs) for row in own]
    names = tuple(found[0])
    raw = np.array([list(one.values()) for one in found])
    middle, spread = raw.mean(axis=0), raw.std(axis=0) + 1e-6
    members = np.array([[row.signs.segment == s for s in segments] for row in own], dtype=float)
    seen = np.hstack([(raw - middle) / spread, members, np.ones((len(own), 1))])
    least = [*(None if name in BURDEN else 0.0 for name in names), *[None] * (len(segments) + 1)]
    levels = np.array([row.level for row in own])
    fitted = np.array([_logistic(seen, levels >= k, least) for k in range(1, len(own[0].chances))])
    weights, offsets, constant = fitted[:, : raw.shape[1]] / spread, fitted[:, raw.shape[1] : -1], fitted[:, -1]
    base = constant - weights @ middle
    return ScoreHead(names, weights, {s: base + offsets[:, n] for n, s in enumerate(segments)})


def _logistic(seen: Floats, reached: NDArray[np.bool_], least: Sequence[float | None]) -> Floats:
    sign = np.where(reached, 1.0, -1.0)
    shrunk = np.append(np.full(seen.shape[1] - 1, _RIDGE), 0.0)  # all but the constant

    def loss(at: Floats) -> tuple[float, Floats]:
        margin = sign * (seen @ at)
        slope = seen.T @ (-sign * expit(-margin)) + shrunk * at
        return float(np.logaddexp(0, -margin).sum() + shrunk @ at**2 / 2), slope

    start, bounds = np.zeros(seen.shape[1]), [(low, None) for low in least]
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}).x)


def _written(head: ScoreHead) -> dict[str, Any]:
    return {
        "inputs": head.names,
        "weights": np.round(head.weights, 4).tolist(),
        "offsets": {segment: np.round(values, 4).tolist() for segment, values in head.offsets.items()},
    }


def _figures(children: Sequence[Sequence[Row]], score: str) -> Mapping[str, str]:
    """Agreement with the truth of counted levels and of those of least cost, of children left out by turns."""
    truth, counted, chosen = [], [], []
    for fold in range(_FOLDS):
        kept = [row for n, child in enumerate(children) if n % _FOLDS != fold for row in child]
        head = fit(kept, score)
        for row in (row for child in children[fold::_FOLDS] for row in child if row.score == score):
            truth.append(row.level)
            counted.append(row.counted)
            chosen.append(least_costly(head.chances(np.array(row.chances), row.signs), row.counted, row.signs))
    true, sick = np.array(truth), np.array(truth) > 0
    ways = {"counted": np.array(counted), "of least expected cost": np.array(chosen)}
    return {
        f"{name}, {len(children)} simulated children": f"quadratic kappa {weighted_kappa(true, said):.3f}, where not 0 "
        f"{weighted_kappa(true[sick], said[sick]):.3f}; exact {np.mean(true == said):.3f}; within 1 "
        f"{np.mean(abs(true - said) <= 1):.3f}"
        for name, said in ways.items()
    }


if __name__ == "__main__":
    typer.run(main)
