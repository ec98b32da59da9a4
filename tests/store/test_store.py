"""Rows, the same on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from postgres import new_database
from sqlalchemy import func, select, text

from osteoscope.errors import InvalidValueError, OutputError
from osteoscope.store import audit, queue
from osteoscope.store.engine import HEAD, MIGRATIONS, Store, open_store
from osteoscope.store.people import Person, add_user, first_link, is_password, person_of, start_session, use_first_link
from osteoscope.store.readings import History, add_step, body_of, draft_of, history, open_draft, packed, standing
from osteoscope.store.rows import Audit, Edit, Grant, Job, Login, Reading, Row, StrengthTest, Study, Upload, User
from osteoscope.store.worklist import Asked, find_study, priors, worklist

ADMIN, READER = Person("ada", "admin"), Person("rea", "reader")


def put_studies(store: Store, number: int, **more: object) -> None:
    with store.writing() as session:
        session.merge(Upload(id="u", owner="ada"))
        session.flush()
        session.add_all(
            Study(
                **{
                    "id": f"s{n}", "upload": "u", "fingerprint": f"f{n}", "label": str(n), "kind": "nm-planar",
                    "patient_id": f"P{n:03d}", "patient_name": f"Name^{'Ünal' if n % 2 else 'Bo_o'}",
                    "date": f"2026-01-{n % 28 + 1:02d}", "owner": "ada", "siopen_total": n, **more,
                }
            )
            for n in range(number)
        )  # fmt: skip


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, Row.metadata) == []
        assert context.get_current_revision() == HEAD


def test_opening_again_keeps_what_is_there(store: Store, url: str) -> None:
    put_studies(store, 2)
    again = open_store(url)
    with again.reading() as session:
        assert session.scalar(select(func.count()).select_from(Study)) == 2
    again.engine.dispose()


def test_a_database_of_an_earlier_version_is_brought_up_to_date(store: Store, url: str) -> None:
    put_studies(store, 2)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    again = open_store(url)
    with again.reading() as session:
        assert [(one.fingerprint, one.identity) for one in session.scalars(select(Study).order_by(Study.id))] == [
            ("f0", "f0"),
            ("f1", "f1"),
        ]
        assert session.scalar(select(func.count()).select_from(StrengthTest)) == 0
    again.engine.dispose()


def test_a_connection_that_the_database_dropped_is_replaced(postgresql: str) -> None:
    store, other = (open_store(address) for address in [new_database(postgresql)] * 2)
    put_studies(store, 1)
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with other.writing() as session:
        session.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Study)) == 1
    for one in (store, other):
        one.engine.dispose()


@pytest.mark.parametrize("bad", ["nonsense", "mysql://x/y", ""])
def test_another_database_is_refused_by_name(bad: str) -> None:
    with pytest.raises(InvalidValueError, match="sqlite"):
        open_store(bad)


def test_a_database_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    for url in ("postgresql://tester:secret@127.0.0.1:1/x", f"sqlite:///{tmp_path / 'absent' / 'x.db'}"):
        with pytest.raises(OutputError, match="open the database") as caught:
            open_store(url)
        assert "secret" not in str(caught.value)


def test_a_block_that_raises_keeps_nothing(store: Store) -> None:
    def fail() -> None:
        with store.writing() as session:
            audit.note(session, "ada", "view")
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Audit)) == 0


def test_a_session_lasts_until_it_expires_or_its_user_is_shut_out(store: Store) -> None:
    with store.writing() as session:
        token = str(first_link(session))
        user = use_first_link(session, token, "Ana", "a long password")
        session.flush()
        assert is_password(user, "a long password")
        cookie, login = start_session(session, "Ana")
    with store.writing() as session:
        assert person_of(session, cookie) == Person("Ana", "admin", login.csrf)
        assert person_of(session, "forged") is None
        session.get_one(User, "Ana").active = False
        session.flush()
        assert person_of(session, cookie) is None
        session.get_one(User, "Ana").active = True
        session.get_one(Login, login.digest).expires = "2000-01-01T00:00:00.000+00:00"
        session.flush()
        assert person_of(session, cookie) is None


def test_the_worklist_is_searched_sorted_and_cut_by_the_database(store: Store) -> None:
    put_studies(store, 40)
    with store.reading() as session:
        page = worklist(session, ADMIN, Asked(order="-siopen_total", offset=5, limit=3))
        assert (page.total, [s.siopen_total for s in page.studies]) == (40, [34, 33, 32])
        assert worklist(session, ADMIN, Asked(search="name ÜNAL p001")).total == 1
        assert worklist(session, ADMIN, Asked(search="unal")).total == 20
        assert worklist(session, ADMIN, Asked(search="bo_o")).total == 20
        assert worklist(session, ADMIN, Asked(search="b__o")).total == 0
        assert worklist(session, ADMIN, Asked(kind="ct")).total == 0
        assert worklist(session, ADMIN, Asked(order="'; drop table studies", limit=-3, offset=-1)).total == 40


def test_a_closed_study_is_seen_by_owner_admin_and_whom_it_was_given(store: Store) -> None:
    put_studies(store, 2, everyone=False)
    with store.writing() as session:
        add_user(session, "rea", "a long password", "reader")
        session.flush()
        session.add(Grant(study="s1", user="rea"))
    with store.reading() as session:
        assert [s.id for s in worklist(session, READER, Asked()).studies] == ["s1"]
        assert worklist(session, ADMIN, Asked()).total == 2
        assert worklist(session, Person("ada", "reader"), Asked()).total == 2
        assert find_study(session, READER, "s0") is None


def test_priors_are_earlier_studies_of_the_patient(store: Store) -> None:
    put_studies(store, 5, patient_id="P")
    with store.reading() as session:
        found = priors(session, ADMIN, session.get_one(Study, "s3"))
        assert [s.id for s in found] == ["s2", "s1", "s0"]


@pytest.mark.parametrize(
    ("stated", "is_prior"),
    [
        ({"birth_date": "2020-01-01", "sex": "F"}, True),
        ({"birth_date": "", "sex": None}, True),
        ({"birth_date": "2020-01-01", "sex": ""}, True),
        ({"birth_date": "2020-01-02", "sex": "F"}, False),
        ({"birth_date": "2020-01-01", "sex": "M"}, False),
    ],
)
def test_a_prior_contradicts_neither_birth_date_nor_sex(store: Store, stated: dict[str, Any], is_prior: bool) -> None:
    put_studies(store, 2, patient_id="P", birth_date="2020-01-01", sex="F")
    with store.writing() as session:
        earlier = session.get_one(Study, "s0")
        earlier.birth_date, earlier.sex = stated["birth_date"], stated["sex"]
    with store.reading() as session:
        found = priors(session, ADMIN, session.get_one(Study, "s1"))
        assert [s.id for s in found] == (["s0"] if is_prior else [])
    with store.writing() as session:
        session.get_one(Study, "s1").birth_date, session.get_one(Study, "s1").sex = "", None
    with store.reading() as session:
        assert [s.id for s in priors(session, ADMIN, session.get_one(Study, "s1"))] == ["s0"]


def test_each_job_is_taken_once_by_many_workers(store: Store) -> None:
    with store.writing() as session:
        for n in range(12):
            queue.put(session, "read", f"s{n}")
        assert queue.put(session, "read", "s0").subject == "s0"
    taken: list[int] = []

    def work() -> None:
        while True:
            with store.writing() as session:
                job = queue.take(session, ("read",))
                if job is not None:
                    taken.append(job.id)
            with store.reading() as session:
                if not session.scalar(select(func.count()).select_from(Job).where(Job.state == "queued")):
                    return

    together(*[work] * 4)
    assert sorted(taken) == sorted(set(taken))
    assert len(taken) == 12


def taken(store: Store, *kinds: str) -> tuple[str, str, int] | None:
    with store.writing() as session:
        job = queue.take(session, kinds)
        return None if job is None else (job.kind, job.subject, job.id)


def end(store: Store, job: int) -> None:
    with store.writing() as session:
        queue.finish(session, job)


def test_a_job_waits_for_a_running_one_of_its_kind_and_subject_and_holds_up_no_other(store: Store) -> None:
    with store.writing() as session:
        first = queue.put(session, "deliver", "r").id
    assert taken(store, "deliver") == ("deliver", "r", first)
    with store.writing() as session:
        again, other = (queue.put(session, "deliver", subject).id for subject in ("r", "other"))
    assert again != first
    assert taken(store, "deliver") == ("deliver", "other", other)
    assert taken(store, "deliver") is None
    end(store, first)
    assert taken(store, "deliver") == ("deliver", "r", again)


def test_what_is_sent_is_not_written_at_the_same_time(store: Store) -> None:
    with store.writing() as session:
        write, send, other = (
            queue.put(session, *job).id for job in (("deliver", "r"), ("send", "r"), ("send", "other"))
        )
    assert taken(store, "send") == ("send", "other", other)
    assert taken(store, "send") is None
    assert taken(store, "deliver", "send") == ("deliver", "r", write)
    assert taken(store, "deliver", "send") is None
    end(store, write)
    assert taken(store, "deliver", "send") == ("send", "r", send)
    with store.writing() as session:
        again = queue.put(session, "deliver", "r").id
    assert taken(store, "deliver", "send") is None
    end(store, send)
    assert taken(store, "deliver", "send") == ("deliver", "r", again)


def together(*acts: Callable[[], None]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_a_job_whose_worker_dies_comes_back_twice_and_then_fails(store: Store) -> None:
    with store.writing() as session:
        number = queue.put(session, "read", "s").id
    for again in (True, True, False):
        with store.writing() as session:
            taken = queue.take(session, ("read",))
            assert taken is not None
        with store.writing() as session:
            assert queue.give_back(session, number, "died") is again
    with store.reading() as session:
        job = session.get_one(Job, number)
        assert (job.state, job.attempts, job.problem) == ("failed", 3, "died")


def test_running_jobs_that_nobody_works_on_are_queued_again_without_an_attempt(store: Store) -> None:
    with store.writing() as session:
        kept, lost = (queue.put(session, "read", subject).id for subject in ("kept", "lost"))
    for number in (kept, lost):
        assert taken(store, "read") == ("read", "kept" if number == kept else "lost", number)
    with store.writing() as session:
        assert queue.take_up(session, [kept]) == (lost,)
    with store.reading() as session:
        assert [(job.state, job.attempts) for job in session.scalars(select(Job).order_by(Job.id))] == [
            ("running", 1),
            ("queued", 0),
        ]


def put_draft(store: Store) -> str:
    put_studies(store, 1)
    with store.writing() as session:
        base = Reading(study="s0", reader="osteoscope", kind="program", state="done", body=packed(b'{"a": 1}'))
        session.add(base)
        session.flush()
        return open_draft(session, base, "rea").id


def test_steps_of_a_draft_are_added_and_never_changed(store: Store) -> None:
    draft = put_draft(store)
    with store.writing() as session:
        add_step(session, draft, "edit", {"op": "a"}, "rea")
        add_step(session, draft, "edit", {"op": "b"}, "rea")
        add_step(session, draft, "undo", None, "rea")
        assert history(session, draft) == History(({"op": "a"},), ({"op": "b"},))
        assert add_step(session, draft, "edit", {"op": "c"}, "rea") == History(({"op": "a"}, {"op": "c"}))
        with pytest.raises(InvalidValueError, match="there is none"):
            add_step(session, draft, "redo", None, "rea")
    with store.reading() as session:
        steps = [(e.number, e.step) for e in session.scalars(select(Edit).order_by(Edit.number))]
        assert steps == [(1, "edit"), (2, "edit"), (3, "undo"), (4, "edit")]
        assert draft_of(session, "s0", "rea") is not None
        assert draft_of(session, "s0", "sig") is None


def test_steps_of_one_draft_at_the_same_time_are_all_kept(store: Store) -> None:
    draft = put_draft(store)

    def step(n: int) -> Callable[[], None]:
        def act() -> None:
            with store.writing() as session:
                session.get_one(Study, "s0", with_for_update=True)
                add_step(session, draft, "edit", {"n": n}, "rea")

        return act

    together(*[step(n) for n in range(8)])
    with store.reading() as session:
        assert sorted(e["n"] for e in history(session, draft).edits) == list(range(8))


def test_the_body_of_a_reading_comes_back_and_the_signed_one_stands(store: Store) -> None:
    draft = put_draft(store)
    with store.writing() as session:
        row = session.get_one(Reading, draft)
        assert body_of(session, str(row.base)) == b'{"a": 1}'
        with pytest.raises(InvalidValueError, match="no body"):
            body_of(session, draft)
        readings = list(session.scalars(select(Reading).order_by(Reading.when)))
        assert standing(readings) is readings[0]
        row.state = "signed"
        assert standing(readings) is row


@given(st.lists(st.sampled_from(["edit", "undo", "redo"]), max_size=30))
def test_undo_takes_back_what_redo_does_again(steps: list[str]) -> None:
    """Against a plain model: a list with a cursor."""
    found, model, cursor = History(), list[dict[str, int]](), 0
    for number, step in enumerate(steps):
        if step == "edit":
            model, cursor = [*model[:cursor], {"n": number}], cursor + 1
        elif 0 <= cursor + {"undo": -1, "redo": 1}[step] <= len(model):
            cursor += {"undo": -1, "redo": 1}[step]
        else:
            with pytest.raises(InvalidValueError):
                found.after(step, None)  # type: ignore[arg-type]
            continue
        found = found.after(step, {"n": number} if step == "edit" else None)  # type: ignore[arg-type]
        assert list(found.edits) == model[:cursor]
        assert list(reversed(found.undone)) == model[cursor:]
