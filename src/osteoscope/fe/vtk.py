"""Elements as an XML file of VTK, binary arrays within."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

# Nodes of an element -> its type: hexahedron, quadratic tetrahedron.
_TYPES = {8: 12, 10: 24}


def vtu(
    places: NDArray[np.float64],
    elements: NDArray[np.int64],
    points: Mapping[str, NDArray[np.generic]],
    cells: Mapping[str, NDArray[np.generic]],
) -> Iterator[str]:
    """The text of an unstructured grid, piece by piece.

    Args:
        places: of nodes [n, 3].
        elements: [m, 8] or [m, 10] rows of them.
        points, cells: named arrays of nodes and of elements.
    """
    yield '<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" '
    yield f'header_type="UInt64">\n<UnstructuredGrid><Piece NumberOfPoints="{len(places)}" '
    yield f'NumberOfCells="{len(elements)}">\n<Points>{_array("Points", places.astype(np.float32))}</Points>\n<Cells>'
    yield _array("connectivity", elements.ravel())
    yield _array("offsets", np.arange(1, len(elements) + 1, dtype=np.int64) * elements.shape[1])
    yield _array("types", np.full(len(elements), _TYPES[elements.shape[1]], np.uint8))
    yield f"</Cells>\n<PointData>{''.join(_array(*row) for row in points.items())}</PointData>\n"
    yield f"<CellData>{''.join(_array(*row) for row in cells.items())}</CellData>\n"
    yield "</Piece></UnstructuredGrid></VTKFile>\n"


def _array(name: str, values: NDArray[np.generic]) -> str:
    kind = {"f": "Float", "i": "Int", "u": "UInt"}[values.dtype.kind] + str(values.dtype.itemsize * 8)
    width = values.shape[1] if values.ndim > 1 else 1
    raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    text = base64.b64encode(struct.pack("<Q", len(raw)) + raw).decode("ascii")
    return f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{width}" format="binary">{text}</DataArray>'
