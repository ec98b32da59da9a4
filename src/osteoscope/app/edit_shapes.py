"""The shapes of edits, one per ``op``, as the OpenAPI document shows them to the page."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(max_length=80)]
Words = Annotated[str, Field(max_length=4000)]
Span = tuple[int, int]


class _Edit(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Level(_Edit):
    """The SIOPEN level of a segment, set by hand; null is "not assessable"."""

    op: Literal["level"]
    site: Id
    level: Annotated[int, Field(ge=0, le=6)] | None


class Curie(_Edit):
    """The Curie level of a region, set by hand; null is "not assessable"."""

    op: Literal["curie"]
    site: Id
    level: Annotated[int, Field(ge=0, le=3)] | None


class Add(_Edit):
    """A focus at a place of a view (column, row; the first pixel's centre is 0.5); the unit is looked up."""

    op: Literal["add"]
    view: Literal["anterior", "posterior"]
    x: float
    y: float
    site: Id | None = None


class Outline(_Edit):
    """Diffuse uptake within a closed outline on a view; a finding in each unit that it covers, or in ``site`` alone."""

    op: Literal["outline"]
    view: Literal["anterior", "posterior"]
    points: Annotated[list[tuple[float, float]], Field(min_length=3, max_length=4000)]
    site: Id | None = None


class OfFinding(_Edit):
    """A finding is removed, rejected (both set it aside) or accepted."""

    op: Literal["remove", "reject", "accept"]
    finding: Id


class Move(_Edit):
    """A finding belongs to another planar unit."""

    op: Literal["move"]
    finding: Id
    site: Id


class Note(_Edit):
    """A comment on the study, or a note on soft tissue; it replaces the one before, "" removes it."""

    op: Literal["comment", "soft_tissue"]
    text: Words


class Type(_Edit):
    """The type of a lesion on CT."""

    op: Literal["type"]
    finding: Id
    type: Literal["lytic", "blastic", "mixed"]


class AddLesion(_Edit):
    """A ball at a position of the patient (LPS); the bone is looked up."""

    op: Literal["add_lesion"]
    position_mm: tuple[float, float, float]
    diameter_mm: Annotated[float, Field(ge=1, le=300)]
    type: Literal["lytic", "blastic", "mixed"] | None = None
    site: Id | None = None


class Mask(_Edit):
    """Another mask of a lesion: base64 of gzip of uint8 of the box [[z0, z1], [y0, y1], [x0, x1]], in C order."""

    op: Literal["mask"]
    finding: Id
    mask: Annotated[str, Field(max_length=32 * 2**20)]
    box: tuple[Span, Span, Span]


class Mark(_Edit):
    """Whether size, location or detection of a lesion is right; null is "not judged"."""

    op: Literal["mark"]
    finding: Id
    aspect: Literal["size", "location", "detection"]
    right: bool | None


Edit = Annotated[
    Level | Curie | Add | Outline | OfFinding | Move | Note | Type | AddLesion | Mask | Mark, Field(discriminator="op")
]


class EditIn(BaseModel):
    """One edit."""

    edit: Edit
