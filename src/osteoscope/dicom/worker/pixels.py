"""Pixels to arrays: HU slices into a shared .npy, counts into their own."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder  # type: ignore[attr-defined]

from osteoscope.dicom.options import Limits
from osteoscope.dicom.worker.hounsfield import Tally, to_hounsfield
from osteoscope.dicom.worker.part10 import mapped, parse
from osteoscope.errors import IntakeError


def decode_ct(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    """Decode frames of one file into slices of the int16 volume at "out".

    "frames" lists [frame, slice, slope, intercept]; "padding" is [low, high] of stored values or None.
    Yields {"frame"} after each, at last the file's "sha256" and the tally of its values.
    """
    volume = np.load(request["out"], mmap_mode="r+", allow_pickle=False)
    tally = Tally()
    with mapped(Path(request["file"])) as data:
        dataset = parse(data, limits, pixels=True).dataset
        wanted = {frame: (index, slope, shift) for frame, index, slope, shift in request["frames"]}
        for frame, stored in zip(sorted(wanted), _frames(dataset, sorted(wanted)), strict=True):
            index, slope, shift = wanted[frame]
            volume[index] = to_hounsfield(stored, (slope, shift), request["padding"], tally)
            yield {"frame": frame}
        volume.flush()
        yield {"sha256": _sha256(data), **tally.plain()}


def decode_counts(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    """Decode "frame" of one file into an int32 array [row, column] at "out".

    "rescale" is [slope, intercept]. Yields "sha256", and how many values were below 0 or rounded.
    """
    with mapped(Path(request["file"])) as data:
        dataset = parse(data, limits, pixels=True).dataset
        (stored,) = _frames(dataset, [request["frame"]])
        digest = _sha256(data)
    slope, shift = request["rescale"]
    values = stored * slope + shift
    whole = np.rint(values)
    counts = np.clip(whole, 0, np.iinfo(np.int32).max).astype(np.int32)
    np.save(request["out"], counts, allow_pickle=False)
    yield {
        "sha256": digest,
        "negative": int((values < 0).sum()),
        "lowest": float(values.min()),
        "rounded": int((np.abs(whole - values) > 1e-6).sum()),
    }


def digest(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    """SHA-256 of the pixel data alone, to tell copies from repeats."""
    with mapped(Path(request["file"])) as data:
        dataset = parse(data, limits, pixels=True).dataset
        yield {"sha256": hashlib.sha256(dataset.PixelData).hexdigest()}


def _sha256(data: mmap.mmap) -> str:
    return hashlib.sha256(data).hexdigest()


def _frames(dataset: Dataset, indices: list[int]) -> Iterator[NDArray[Any]]:
    if "PixelData" not in dataset:
        raise IntakeError("decode the image", "no pixel data", "Export the file again with its pixels")
    # The decoder insists on what the screening has let pass: one sample per pixel is grey.
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = dataset.get("PhotometricInterpretation") or "MONOCHROME2"
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    # Pydicom takes stored bits for the lowest ones, wherever the header puts them.
    untouched: dict[str, Any] = {"correct_unused_bits": False} if _lowest_bit(dataset) > 0 else {}
    for frame, _ in decoder.iter_array(dataset, indices=indices, raw=True, **untouched):
        yield _stored_bits(frame, dataset)


def _lowest_bit(dataset: Dataset) -> int:
    """Where the header says that the stored bits begin; below 0 where it says nonsense or nothing."""
    return int(dataset.get("HighBit") or 0) + 1 - int(dataset.get("BitsStored") or dataset.BitsAllocated)


def _stored_bits(frame: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    """The values of the bits that are stored; bits beside them may hold overlays (PS3.5 section 8.1.1).

    Where the header puts them above bit 0, and the frame uses bits below that and yet no more than their number, the
    header is wrong and the frame is taken as it is.

    Raises:
        IntakeError: the frame uses bits below those of the header and above their number, so that no reading fits.
    """
    allocated = int(dataset.BitsAllocated)
    stored = int(dataset.get("BitsStored") or allocated)
    spare, up = allocated - stored, _lowest_bit(dataset)
    if spare <= 0 or up < 0 or frame.dtype.kind not in "iu":
        return frame
    if up > spare or (frame & ((1 << up) - 1)).any():
        if np.array_equal(_shifted_out(frame, spare, 0), frame):
            return frame
        raise IntakeError(
            "decode the image",
            f"values of {stored} bits up to bit {int(dataset.HighBit)} of {allocated}, where other bits are used",
            "Export it again with HighBit one below BitsStored",
        )
    return _shifted_out(frame, spare, up)


def _shifted_out(frame: NDArray[Any], spare: int, up: int) -> NDArray[Any]:
    """Without the spare bits above the stored ones and the ``up`` below, keeping the sign."""
    return (frame << (spare - up)) >> spare
