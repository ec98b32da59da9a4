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
    for frame, _ in decoder.iter_array(dataset, indices=indices, raw=True):
        yield _without_spare_bits(frame, dataset)


def _without_spare_bits(frame: NDArray[Any], dataset: Dataset) -> NDArray[Any]:
    """Bits above BitsStored may hold overlays (PS3.5 section 8.1.1); shift them out, keeping the sign."""
    spare = int(dataset.BitsAllocated) - int(dataset.get("BitsStored", dataset.BitsAllocated))
    if spare <= 0 or frame.dtype.kind not in "iu" or int(dataset.get("HighBit", 0)) != int(dataset.BitsStored) - 1:
        return frame
    return (frame << spare) >> spare
