"""Structure sets and Segmentations made element by element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from osteoscope.domain.geometry import Grid


def circle(grid: Grid, level: float, radius: float, middle: Sequence[float] = ()) -> np.ndarray:
    """In a plane of a grid, around a place or the middle of the slice; in voxels."""
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    flat = np.asarray(middle or np.asarray(grid.shape[1:]) / 2) + radius * np.stack([np.sin(angle), np.cos(angle)], 1)
    return grid.to_position(np.column_stack([np.full(len(flat), level), flat]))


def structure_set(path: Path, contours: list[tuple[str, list[np.ndarray]]], frame: str = "", patient: str = "") -> Path:
    """An RT structure set with closed contours, LPS mm."""
    data = items(StructureSetROISequence=[], ROIContourSequence=[], Modality="RTSTRUCT", PatientID=patient)
    data.ReferencedFrameOfReferenceSequence = [items(FrameOfReferenceUID=frame)]
    for number, (name, polygons) in enumerate(contours, 1):
        drawn = [
            items(
                ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=len(points),
                ContourData=[f"{value:.4f}" for value in points.ravel()],
            )
            for points in polygons
        ]  # fmt: skip
        data.StructureSetROISequence.append(items(ROINumber=number, ROIName=name))
        data.ROIContourSequence.append(items(ReferencedROINumber=number, ContourSequence=drawn))
    return _saved(data, "1.2.840.10008.5.1.4.1.1.481.3", path)


def segmentation(path: Path, grid: Grid, frames: Mapping[float, np.ndarray], measures: Mapping[str, float]) -> Path:
    """A DICOM SEG of one segment with a frame at each of some places along the slices of an axial grid."""
    rows, columns = grid.shape[1:]
    data = items(
        Rows=rows, Columns=columns, NumberOfFrames=len(frames), SegmentationType="BINARY", Modality="SEG",
        BitsAllocated=1, BitsStored=1, HighBit=0, PixelRepresentation=0, SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2", SegmentSequence=[items(SegmentNumber=1, SegmentLabel="lesion")],
    )  # fmt: skip
    spacing = items(PixelSpacing=list(grid.spacing[1:]), **measures)
    plane = items(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    data.SharedFunctionalGroupsSequence = [items(PlaneOrientationSequence=[plane], PixelMeasuresSequence=[spacing])]
    data.PerFrameFunctionalGroupsSequence = [
        items(
            PlanePositionSequence=[items(ImagePositionPatient=grid.to_position(np.array([level, 0, 0])).tolist())],
            SegmentIdentificationSequence=[items(ReferencedSegmentNumber=1)],
        )
        for level in frames
    ]
    bits = np.packbits(np.concatenate([mask.ravel() for mask in frames.values()]), bitorder="little").tobytes()
    data.PixelData = bits + b"\0" * (len(bits) % 2)
    return _saved(data, "1.2.840.10008.5.1.4.1.1.66.4", path)


def items(**elements: Any) -> Dataset:
    """A data set of these elements."""
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def _saved(data: Dataset, kind: str, path: Path) -> Path:
    data.SOPClassUID, data.SOPInstanceUID = UID(kind), generate_uid()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID, data.file_meta.TransferSyntaxUID = data.SOPClassUID, ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.save_as(path, enforce_file_format=True)
    return path
