"""The tables. Times are ISO texts in UTC, so that they sort and read alike in SQLite and PostgreSQL."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Text, event
from sqlalchemy.orm import DeclarativeBase, Mapped, deferred, mapped_column

_ID, _TIME, _NAME, _SHORT = String(32), String(32), String(120), String(32)
BEING_READ = frozenset({"arrived", "reading"})  # states of a study that the program has yet to read, or is reading


def new_id() -> str:
    """An id that cannot be guessed."""
    return uuid.uuid4().hex


def now() -> str:
    """The present time as the rows keep it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Row(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class User(Row):
    """Somebody who may log in, as reader, signer or admin; kept when no longer active, since readings name him."""

    __tablename__ = "users"
    name: Mapped[str] = mapped_column(_NAME, primary_key=True)
    role: Mapped[str] = mapped_column(_SHORT)
    password_hash: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    created: Mapped[str] = mapped_column(_TIME, default=now)


class FirstLink(Row):
    """The digest of a one-time link that makes the first admin."""

    __tablename__ = "first_links"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    created: Mapped[str] = mapped_column(_TIME, default=now)


class Login(Row):
    """A session: the digest of its cookie, and the token that every change must carry."""

    __tablename__ = "logins"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    created: Mapped[str] = mapped_column(_TIME, default=now)
    expires: Mapped[str] = mapped_column(_TIME)


class FailedLogin(Row):
    """A wrong password, for the limit on guessing."""

    __tablename__ = "failed_logins"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(_NAME, index=True)
    address: Mapped[str] = mapped_column(String(64), index=True)
    when: Mapped[str] = mapped_column(_TIME, default=now)


class Upload(Row):
    """Files that arrived together: received, sorting, done or failed."""

    __tablename__ = "uploads"
    id: Mapped[str] = mapped_column(_ID, primary_key=True, default=new_id)
    owner: Mapped[str] = mapped_column(_NAME)
    source: Mapped[str] = mapped_column(_SHORT, default="page")
    everyone: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(_SHORT, default="received")
    notes: Mapped[list[Any]] = mapped_column(JSON, default=list)
    studies: Mapped[list[Any]] = mapped_column(JSON, default=list)
    arrived: Mapped[str] = mapped_column(_TIME, default=now)


class Study(Row):
    """A line of the worklist.

    ``label`` and ``upload`` say where its files are found again; ``fingerprint`` tells a study that came twice, by its
    pixels too, ``identity`` by its headers alone (both are equal where it came before version 0003 of the tables, and
    where it is a volume file);
    ``words`` is what a search looks at, kept by `_index`; ``tracer`` is what a person insists on.
    """

    __tablename__ = "studies"
    id: Mapped[str] = mapped_column(_ID, primary_key=True, default=new_id)
    upload: Mapped[str] = mapped_column(ForeignKey("uploads.id"))
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    identity: Mapped[str] = mapped_column(String(64), default="", server_default="", index=True)
    label: Mapped[str] = mapped_column(Text)
    uid: Mapped[str] = mapped_column(String(80), default="")
    kind: Mapped[str] = mapped_column(_SHORT)
    patient_id: Mapped[str] = mapped_column(_NAME, default="", index=True)
    patient_name: Mapped[str] = mapped_column(String(255), default="", index=True)
    birth_date: Mapped[str] = mapped_column(_SHORT, default="")
    sex: Mapped[str | None] = mapped_column(_SHORT, default=None)
    date: Mapped[str] = mapped_column(_SHORT, default="", index=True)
    state: Mapped[str] = mapped_column(_SHORT, default="arrived", index=True)
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    problem: Mapped[str] = mapped_column(Text, default="")
    siopen_total: Mapped[int | None] = mapped_column(default=None)
    curie_total: Mapped[int | None] = mapped_column(default=None)
    lesions: Mapped[int | None] = mapped_column(default=None)
    words: Mapped[str] = mapped_column(Text, default="")
    tracer: Mapped[str] = mapped_column(_SHORT, default="")
    owner: Mapped[str] = mapped_column(_NAME, index=True)
    everyone: Mapped[bool] = mapped_column(default=True)
    arrived: Mapped[str] = mapped_column(_TIME, default=now, index=True)


def folded(text: str) -> str:
    """Without case and accents: databases do not agree on either."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


@event.listens_for(Study, "before_insert")
@event.listens_for(Study, "before_update")
def _index(_mapper: object, _connection: object, study: Study) -> None:
    said = (study.patient_name, study.patient_id, study.date, study.birth_date)
    study.words = folded(" ".join(text or "" for text in said))


class Grant(Row):
    """A user who may open a study that is not open to everyone."""

    __tablename__ = "grants"
    study: Mapped[str] = mapped_column(ForeignKey("studies.id"), primary_key=True)
    user: Mapped[str] = mapped_column(ForeignKey("users.name"), primary_key=True)


class Reading(Row):
    """What a program or a person said of a study; superseded by a later one, its body never changed.

    Args:
        state: draft, signed, amended (superseded by a later signature) or done (a program's, a finished trial's).
        base: the Reading that the edits of a draft apply to.
        trial_case: where it was made in a reader study; such Readings are not shown beside the study.
        body: reading.json, gzipped; in a draft, which is made of its base and its edits, what they came to after
            ``steps_in_body`` steps, kept where making it takes long; else None.
    """

    __tablename__ = "readings"
    id: Mapped[str] = mapped_column(_ID, primary_key=True, default=new_id)
    study: Mapped[str] = mapped_column(ForeignKey("studies.id"))
    reader: Mapped[str] = mapped_column(_NAME)
    kind: Mapped[str] = mapped_column(_SHORT)
    state: Mapped[str] = mapped_column(_SHORT)
    base: Mapped[str | None] = mapped_column(ForeignKey("readings.id"), default=None)
    trial_case: Mapped[str | None] = mapped_column(_ID, default=None)
    reason: Mapped[str] = mapped_column(Text, default="")
    when: Mapped[str] = mapped_column(_TIME, default=now)
    body: Mapped[bytes | None] = deferred(mapped_column(LargeBinary, default=None))
    steps_in_body: Mapped[int | None] = mapped_column(default=None)
    __table_args__ = (Index(None, "study", "state"),)


class Edit(Row):
    """One step of a draft: an edit, an undo or a redo; rows are added, never changed."""

    __tablename__ = "edits"
    reading: Mapped[str] = mapped_column(ForeignKey("readings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    step: Mapped[str] = mapped_column(_SHORT)
    edit: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    user: Mapped[str] = mapped_column(_NAME)
    when: Mapped[str] = mapped_column(_TIME, default=now)


class Job(Row):
    """Work for a process of its own: queued, running, done or failed."""

    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(_SHORT)
    subject: Mapped[str] = mapped_column(_ID, index=True)
    state: Mapped[str] = mapped_column(_SHORT, default="queued", index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(Text, default="")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    created: Mapped[str] = mapped_column(_TIME, default=now)
    started: Mapped[str] = mapped_column(_TIME, default="")


class Comparison(Row):
    """A comparison of two CTs of one patient; ``id`` is a digest of the rest, so that the same one is made once.

    ``earlier`` and ``later`` say which Readings: an id, with ``@`` and the number of its steps where it is a draft. The
    job that makes it is named after it; its result lies in the folder of ``study``.
    """

    __tablename__ = "comparisons"
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    study: Mapped[str] = mapped_column(ForeignKey("studies.id"), index=True)
    prior: Mapped[str] = mapped_column(ForeignKey("studies.id"))
    earlier: Mapped[str] = mapped_column(String(64))
    later: Mapped[str] = mapped_column(String(64))
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    created: Mapped[str] = mapped_column(_TIME, default=now)


class StrengthTest(Row):
    """A test of a bone's strength; ``id`` is a digest of the rest, so that the same one is made once.

    ``version`` says by which Reading, as in `Comparison`; the job and its result lie as there.
    """

    __tablename__ = "strength_tests"
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    study: Mapped[str] = mapped_column(ForeignKey("studies.id"), index=True)
    version: Mapped[str] = mapped_column(String(64))
    site: Mapped[str] = mapped_column(_SHORT)
    load_case: Mapped[str] = mapped_column(_SHORT)
    progress: Mapped[float] = mapped_column(Float, default=0.0)
    created: Mapped[str] = mapped_column(_TIME, default=now)


class Audit(Row):
    """One line of the audit trail."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    when: Mapped[str] = mapped_column(_TIME, default=now)
    user: Mapped[str] = mapped_column(_NAME)
    address: Mapped[str] = mapped_column(String(64), default="")
    action: Mapped[str] = mapped_column(_SHORT)
    study: Mapped[str | None] = mapped_column(_ID, default=None, index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Trial(Row):
    """A reader study: phases such as "alone" and "aided", a wash-out between them, an order per reader by seed."""

    __tablename__ = "trials"
    id: Mapped[str] = mapped_column(_ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(_NAME)
    phases: Mapped[list[Any]] = mapped_column(JSON)
    washout_days: Mapped[float] = mapped_column(Float)
    seed: Mapped[int] = mapped_column(Integer)
    owner: Mapped[str] = mapped_column(_NAME)
    created: Mapped[str] = mapped_column(_TIME, default=now)


class TrialCase(Row):
    """One study to be read by one reader in one phase, under a pseudonym."""

    __tablename__ = "trial_cases"
    id: Mapped[str] = mapped_column(_ID, primary_key=True, default=new_id)
    trial: Mapped[str] = mapped_column(ForeignKey("trials.id"), index=True)
    reader: Mapped[str] = mapped_column(ForeignKey("users.name"), index=True)
    phase: Mapped[str] = mapped_column(_SHORT)
    position: Mapped[int] = mapped_column(Integer)
    pseudonym: Mapped[str] = mapped_column(_SHORT)
    study: Mapped[str] = mapped_column(ForeignKey("studies.id"))
    opened: Mapped[str] = mapped_column(_TIME, default="")
    finished: Mapped[str] = mapped_column(_TIME, default="")
    seconds: Mapped[float | None] = mapped_column(default=None)
    reading: Mapped[str | None] = mapped_column(_ID, default=None)
