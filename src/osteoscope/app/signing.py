"""Routes of signing: a person's Reading becomes the one that stands, is written, and goes to the PACS."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from osteoscope.app.context import AddressDep, PersonDep, Server, ServerDep, study_for
from osteoscope.app.errors import Refused
from osteoscope.app.readings import own_draft
from osteoscope.app.results import result_files
from osteoscope.app.standing import draft_version, drafted, plain
from osteoscope.domain.reading import Reading
from osteoscope.store import audit, queue, rows
from osteoscope.store.people import Person
from osteoscope.store.readings import packed, readings_of, standing, steps

router = APIRouter(prefix="/api/studies/{study}", tags=["signing"])
_WAIT_SECONDS, _PAUSE_SECONDS = 45.0, 0.4


class SignIn(BaseModel):
    """Whose study it is, and which Reading is signed (the draft's ``version``), repeated from what is shown."""

    patient_id: str
    birth_date: str
    name: str
    version: str


class Sent(BaseModel):
    """What became of sending to the PACS."""

    ok: bool
    problem: str
    instances: list[str]


class Delivery(BaseModel):
    """A signed Reading on its way out: ``done`` once its files are written and, with a PACS, sent or refused."""

    reading: str
    done: bool
    files: list[str]
    problem: str
    notes: list[str]
    sent: list[Sent]


@router.post("/sign")
async def sign(study: str, body: SignIn, server: ServerDep, person: PersonDep, address: AddressDep) -> Delivery:
    """Sign the person's Reading (the program's as it is where nothing was edited); then it is only amended.

    The signature is kept before the files are written; they follow, after a crash too. The answer waits a while for
    them.
    """
    signed = await run_in_threadpool(_sign, server, study, body, person, address)
    server.wake()
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        found = await run_in_threadpool(_delivery_of, server, study, signed)
        if found.done or server.supervisor is None or time.monotonic() > until:
            return found
        await asyncio.sleep(_PAUSE_SECONDS)


def _sign(server: Server, study: str, body: SignIn, person: Person, address: str) -> str:
    if not person.may_sign:
        raise Refused(403, "sign a Reading", f"your role is {person.role}", "Ask a signer")
    with server.store.reading() as session:
        # What the Reading is made of is at hand afterwards, so that the database is not locked for long.
        found = study_for(session, person, study)
        drafted(session, server.settings, found, own_draft(session, found, person))
    with server.store.writing() as session:
        found = study_for(session, person, study, locked=True)
        _check_patient(found, body)
        draft = own_draft(session, found, person)
        if draft_version(draft, steps(session, draft.id)) != body.version:
            state = "it was changed, or read again, since it was shown"
            raise Refused(409, "sign this Reading", state, "Reload the study, look at it, then sign")
        session.add(draft)
        session.flush()
        made = drafted(session, server.settings, found, draft)
        text = json.dumps(plain(made), ensure_ascii=False, allow_nan=False).encode()
        before = standing(readings_of(session, study))
        if before is not None and before.state == "signed":
            before.state = "amended"
        draft.state, draft.body, draft.when = "signed", packed(text), rows.now()
        _summarise(found, made)
        queue.put(session, "deliver", draft.id)
        digest = hashlib.sha256(text).hexdigest()
        audit.note(session, person.name, "sign", study, address, reading=draft.id, sha256=digest)
        return draft.id


def _check_patient(study: rows.Study, body: SignIn) -> None:
    shown = {"patient id": study.patient_id, "birth date": study.birth_date, "name": study.patient_name}
    given = {"patient id": body.patient_id, "birth date": body.birth_date, "name": body.name}
    wrong = [what for what, value in shown.items() if given[what].strip() != value.strip()]
    if wrong:
        raise Refused(409, "sign this study", f"another {' and '.join(wrong)} than the study has", "Check the patient")


def _summarise(study: rows.Study, made: Reading) -> None:
    siopen, curie = made.measure("siopen_total"), made.measure("curie_total")
    study.siopen_total = round(siopen.value) if siopen else None
    study.curie_total = round(curie.value) if curie else None
    study.lesions, study.state = len(made.findings), "signed"


@router.get("/delivery")
def delivery(study: str, server: ServerDep, person: PersonDep) -> Delivery:
    """What became of the files of the signed Reading."""
    with server.store.reading() as session:
        study_for(session, person, study)
        stands = standing(readings_of(session, study))
    if stands is None or stands.state != "signed":
        raise Refused(409, "see what was sent", "the study is not signed", "Sign it")
    return _delivery_of(server, study, stands.id)


@router.post("/send")
def send_again(study: str, server: ServerDep, person: PersonDep, address: AddressDep) -> Delivery:
    """Write what is missing and send the signed objects to the PACS once more."""
    with server.store.writing() as session:
        study_for(session, person, study, locked=True)
        stands = standing(readings_of(session, study))
        if stands is None or stands.state != "signed":
            raise Refused(409, "send objects", "the study is not signed", "Sign it")
        queue.put(session, "deliver", stands.id)
        audit.note(session, person.name, "send", study, address, reading=stands.id)
    server.wake()
    return _delivery_of(server, study, stands.id)


def _delivery_of(server: Server, study: str, reading: str) -> Delivery:
    with server.store.reading() as session:
        row = session.get_one(rows.Reading, reading)
        write, send = (queue.latest(session, kind, reading) for kind in ("deliver", "send"))
        files = result_files(server.settings, study, row)
    ended = {"done", "failed"}
    expected = bool(server.settings.pacs) and write is not None and write.state == "done"
    sent = [] if send is None else [_sent(send)]
    done = write is not None and write.state in ended and (not expected or (send is not None and send.state in ended))
    return Delivery(
        reading=reading,
        done=done,
        files=files,
        problem=write.problem if write else "",
        notes=list((write.result or {}).get("notes", [])) if write else [],
        sent=[one for one in sent if one is not None],
    )


def _sent(job: rows.Job) -> Sent | None:
    if job.state not in {"done", "failed"}:
        return None
    return Sent(ok=job.state == "done", problem=job.problem, instances=list((job.result or {}).get("instances", [])))
