"""The whole training of the second look of CT: `python -m osteoscope.train.ct_second_look WORK`.

WORK is the folder of `osteoscope.train.ct_lesions`, whose scans are taken; the detector is the one that the package
ships. Resumable: run it again. Candidates are gathered first (about 35 s a scan and copy on one core), then the heads
of the shipped second look go on learning (minutes; with `--anew`, new heads on features of the shipped detector), then
they are exported into WORK/model with a card of their own, and the detector's card with confidences calibrated anew, on
candidates of each real patient in turn that heads judge which never learnt on the patient; `--ship` puts both where the
package looks for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.progress import track

from osteoscope.find.ct_lesion_windows import MODEL as DETECTOR
from osteoscope.find.ct_second_look import MODEL, SIDE
from osteoscope.find.model import SHIPPED, Model, shipped
from osteoscope.train.ct_lesion_export import calibrate, scans_of, with_settings
from osteoscope.train.ct_lesion_start import from_onnx, second_look_from_onnx
from osteoscope.train.ct_scans import Scan
from osteoscope.train.ct_second_look_apart import OfPatient, calibrated_apart
from osteoscope.train.ct_second_look_examples import Candidates, Copy, Kind, write_candidates
from osteoscope.train.ct_second_look_fit import HeadOptions, fit_heads, seen
from osteoscope.train.ct_second_look_net import SecondLookNet
from osteoscope.train.exporting import Graph, Story, write_model

VERSION = "0.4.0"
# Copies by number of each simulated and of each real scan: 0 is the scan as it is, the others have lesions put in.
_COPIES: Mapping[Kind, tuple[range, range]] = {
    "": (range(2), range(8)),
    "thin": (range(1, 2), range(1, 4)),
    "thick": (range(1, 2), range(6)),
}
# Candidates in real scans count more: there are few, and a reader meets no others.
_REAL = 3.0
# Heads that have learnt on many candidates move little: twice the rounds and more ranked no better on tuning scans.
_GOING_ON = HeadOptions(rounds=5, rate=1e-4, anew=False)
_PURPOSE = (
    "Whether a candidate of the lesion network is a bone metastasis, judged as a whole. Research use only, not a "
    "medical device."
)
_LIMITS = (
    "trained on simulated scans and on lesions put into a few real scans; no real metastasis was seen",
    "ranks what the lesion network proposes; what that misses stays missed",
)


def main(
    work: Annotated[Path, typer.Argument(help="Folder of `osteoscope.train.ct_lesions`.")],
    cores: Annotated[int, typer.Option(min=1)] = 2,
    anew: Annotated[bool, typer.Option("--anew", help="New heads instead of the shipped ones.")] = False,
    ship: Annotated[bool, typer.Option("--ship", help="Write the models into the package.")] = False,
) -> None:
    """Train the second look at candidates of bone metastases on CT."""
    torch.set_num_threads(max(1, cores - 1))
    scans = sorted((work / "training").glob("*.npz"))
    simulated = [path for path in scans if path.stem.startswith("simulated")]
    real = [path for path in scans if path not in simulated]
    wanted = [
        Copy(path, number, kind)
        for kind, both in _COPIES.items()
        for paths, numbers in zip((simulated, real), both, strict=True)
        for path in paths
        for number in numbers
    ]
    files = defaultdict(list)
    for copy, gathered in zip(wanted, _gathered(wanted, work / "candidates", cores), strict=True):
        files[_patient(copy.path)].append(gathered)
    if anew:
        net = SecondLookNet(from_onnx(shipped(DETECTOR).path, ()))
        begun, options = f"features of {DETECTOR} {shipped(DETECTOR).card.version}", HeadOptions()
    else:
        net = second_look_from_onnx(shipped(MODEL).path)
        begun, options = f"as {shipped(MODEL).card.version} ({shipped(MODEL).card.data})", _GOING_ON
    known = {_patient(path) for path in real}
    patients = [_seen(net, some, name in known) for name, some in track(files.items(), "features")]
    candidates = sum(len(p.seen.lesion) for p in patients)
    lesions = sum(int(p.seen.lesion.sum()) for p in patients)
    settings = {"confidence": calibrated_apart(patients, net.detector, HeadOptions())} if real and simulated else None
    for loss in fit_heads(net, [(p.seen, p.weight) for p in patients], options):
        typer.echo(f"loss {loss:.3f}")
    story = Story(
        VERSION,
        f"{begun}; learnt at {candidates} candidates of {DETECTOR} "
        f"{shipped(DETECTOR).card.version}, {lesions} of them lesions, in copies of "
        f"{len(simulated)} simulated and {len(real)} real scans, some with lesions put into thin bones, some in thick "
        f"slices",
        _LIMITS,
    )
    folder = SHIPPED if ship else work / "model"
    graph = Graph(MODEL, _PURPOSE, (3, *(SIDE,) * 3), ("lesion",))
    card = write_model(net, graph, folder, story, lambda _: {})
    typer.echo(str(card))
    settings = settings or calibrate(shipped(DETECTOR), Model.load(card), _calibrating(work / "held_out"))
    typer.echo(str(with_settings(shipped(DETECTOR), settings, folder)))


def _patient(scan: Path) -> str:
    """Scans whose names begin alike, up to "_ct", are of one patient."""
    return scan.stem.split("_ct")[0]


def _seen(net: SecondLookNet, files: Sequence[Path], real: bool) -> OfPatient:
    candidates = Candidates.load(files)
    return OfPatient(seen(net, candidates), candidates.beside, _REAL if real else 1.0, real)


def _calibrating(folder: Path) -> Iterator[Scan]:
    """All as they are and with lesions put in, and every other one so in thick slices."""
    held_out = sorted(folder.glob("*.npz"))
    yield from scans_of(held_out)
    for number, path in enumerate(held_out[::2]):
        yield Copy(path, 1, "thick").made(np.random.default_rng(number))


def _gathered(wanted: Sequence[Copy], folder: Path, cores: int) -> list[Path]:
    write = partial(_write, folder=folder)
    with ProcessPoolExecutor(cores) as pool:
        return list(track(pool.map(write, wanted), "candidates", total=len(wanted)))


def _write(copy: Copy, folder: Path) -> Path:
    return write_candidates(copy, folder, shipped(DETECTOR))


if __name__ == "__main__":
    typer.run(main)
