"""The shapes of answers, which the OpenAPI document shows to the page."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

Role = Literal["reader", "signer", "admin"]
State = Literal["arrived", "reading", "failed", "read", "reviewed", "signed"]
Point = tuple[float, float]
Polygons = list[list[Point]]


class Me(BaseModel):
    """Who is logged in."""

    name: str
    role: Role
    csrf: str


class UserOut(BaseModel):
    """A user, for an admin."""

    name: str
    role: Role
    active: bool
    created: str


class Scores(BaseModel):
    """Scores of the worklist; null where there are none."""

    siopen_total: int | None
    curie_total: int | None
    lesions: int | None


class Item(BaseModel):
    """A line of the worklist."""

    id: str
    patient_id: str
    patient_name: str
    birth_date: str
    sex: str | None
    date: str
    kind: Literal["ct", "nm-planar"]
    state: State
    progress: float
    problem: str
    scores: Scores


class WorklistPage(BaseModel):
    """A page of the worklist."""

    total: int
    items: list[Item]


class UploadMade(BaseModel):
    """What arrived is on disk."""

    upload: str


class UploadOut(BaseModel):
    """What became of an upload."""

    state: Literal["received", "sorting", "done", "failed"]
    studies: list[str]
    notes: list[dict[str, str]]


class DraftOut(BaseModel):
    """The draft of the person who asks."""

    number_of_edits: int
    can_undo: bool
    can_redo: bool
    version: str = Field(description="which Reading it stands for; repeated when it is signed")


class ReadingOut(BaseModel):
    """A Reading of a study, without its body."""

    id: str
    reader: str
    kind: Literal["program", "person"]
    state: Literal["draft", "signed", "amended", "done"]
    when: str
    reason: str
    base: str | None = Field(description="of which Reading it is a draft, or was one before it was signed")


class PriorOut(BaseModel):
    """An earlier study of the patient, and the name that it states."""

    id: str
    date: str
    patient_name: str


class StudyOut(Item):
    """A study, for the review."""

    reader_version: str
    draft: DraftOut
    readings: list[ReadingOut]
    priors: list[PriorOut]
    files: list[str]
    may_share: bool = Field(description="whether the person may change who sees it")


class View(BaseModel):
    """A planar view; the url gives little-endian float32, row by row."""

    name: Literal["anterior", "posterior"]
    rows: int
    columns: int
    pixel_mm: list[float] | None
    maximum: float
    url: str


class Blocks(BaseModel):
    """A CT on blocks of ``factor`` voxels along each axis."""

    url: str
    factor: int


class Volume(BaseModel):
    """A CT as NIfTI; lesions and bones are label volumes, null until the study was read.

    ``blocks`` are to be shown first, the coarsest at the front, none where the CT is small; ``skeleton`` is where bone
    is, on the coarsest of them.
    """

    volume: str
    blocks: list[Blocks]
    skeleton: str | None
    lesions: str | None
    bones: str | None
    shape: list[int]
    spacing_mm: list[float]
    legend: dict[str, Any] | None


class ViewsOut(BaseModel):
    """The pictures of a study: ``views`` of a planar one, ``ct`` of a CT."""

    views: list[View]
    ct: Volume | None


class Outline(BaseModel):
    """Outlines on one view, as (column, row) in pixels; the first pixel's centre is (0.5, 0.5)."""

    sites: dict[str, Polygons]
    units: dict[str, Polygons]
    findings: dict[str, Polygons]


class OutlinesOut(BaseModel):
    """Outlines per view."""

    views: dict[str, Outline]


class Health(BaseModel):
    """Which software runs, and which models lie in it."""

    version: str
    models: list[str]
