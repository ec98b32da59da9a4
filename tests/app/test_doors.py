"""Who gets in, and what is turned away."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from serving import PASSWORD, Served, link_of

from osteoscope.app.limits import MOST_BYTES
from osteoscope.store import guessing
from osteoscope.store.guessing import MOST_PER_ADDRESS, MOST_PER_NAME
from osteoscope.store.people import is_password
from osteoscope.store.rows import Login, User


def test_the_first_link_works_once(empty: Callable[..., Served]) -> None:
    served = empty()
    old, link = link_of(served), link_of(served)
    body = {"link": link, "name": "Ana", "password": PASSWORD}
    assert served.client.post("/api/first", json={**body, "link": old}).status_code == 400
    assert served.client.post("/api/first", json={**body, "password": "short"}).status_code == 400
    assert served.client.post("/api/first", json=body).json()["role"] == "admin"
    assert served.client.post("/api/first", json={**body, "name": "Eve"}).status_code == 400
    assert link_of(served) == "None"


def test_the_cookie_is_closed_to_scripts_and_other_sites_and_stored_as_a_digest(served: Served) -> None:
    answer = served.client.post("/api/login", json={"name": "ada", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    token = served.client.cookies["osteoscope_session"]
    with served.store.reading() as session:
        assert session.get(Login, token) is None
        assert PASSWORD not in session.get_one(User, "ada").password_hash


def test_nothing_is_open_without_a_session(served: Served) -> None:
    client, study = TestClient(served.client.app), served.study
    for route in served.client.app.openapi()["paths"]:  # type: ignore[attr-defined]
        url = route.replace("{study}", study)
        for method in served.client.app.openapi()["paths"][route]:  # type: ignore[attr-defined]
            if route not in {"/api/health", "/api/login", "/api/first"}:
                status = client.request(method, url).status_code
                assert status == 401, (method, url, status)
    assert set(client.get("/api/health").json()) == {"version", "models"}


@pytest.mark.parametrize("token", ["", "forged", "\u00e9"])
def test_a_change_needs_the_token_of_the_session(served: Served, token: str) -> None:
    page = served.login("sig")
    other = served.login("ada").csrf
    for wrong in (token, other):
        headers = [(b"X-CSRF-Token", wrong.encode())]
        answer = page.client.post(f"/api/studies/{served.study}/undo", headers=headers)
        assert answer.status_code == 403
    forged = served.login("ada").get("/api/audit")
    assert [line["action"] for line in forged].count("forged") == 2


def test_a_forged_cookie_is_nobody_and_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    client = TestClient(served.client.app, cookies={"osteoscope_session": "x" * 43})
    assert client.get("/api/me").status_code == 401
    assert any("forged, from testclient" in line for line in caplog.messages)


def test_refusals_are_logged_with_where_they_came_from(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    served.login("rea").get("/api/audit", 403)
    assert any("GET /api/audit from testclient" in line and "your role" in line for line in caplog.messages)
    served.login("rea").post("/api/password", {"password": "wrong", "new_password": "another long one"}, 403)
    basic = {"Authorization": "Basic " + base64.b64encode(b"rea:wrong").decode()}
    assert served.client.post("/dicom-web/studies", headers=basic).status_code == 401
    actions = [line["action"] for line in served.login("ada").get("/api/audit")]
    assert {"password refused", "login refused"} <= set(actions)


def test_guessing_is_slowed_down_even_with_the_right_password_at_last(served: Served) -> None:
    for _ in range(MOST_PER_NAME):
        assert served.client.post("/api/login", json={"name": "sig", "password": "wrong"}).status_code == 401
    answer = served.client.post("/api/login", json={"name": "sig", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Wait" in answer.json()["detail"]["remedy"]
    served.login("ada")


def test_of_many_guesses_at_the_same_moment_no_more_are_looked_at(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []

    def slowly(user: User | None, password: str) -> bool:
        looked_at.append(password)
        time.sleep(0.05)
        return is_password(user, password)

    monkeypatch.setattr(guessing, "is_password", slowly)
    basic = {"Authorization": "Basic " + base64.b64encode(b"sig:wrong").decode()}

    def guess(number: int) -> int:
        client = TestClient(served.client.app)
        if number % 2:
            return client.post("/dicom-web/studies", headers=basic).status_code
        return client.post("/api/login", json={"name": "sig", "password": "wrong"}).status_code

    with ThreadPoolExecutor(20) as guessers:
        answers = list(guessers.map(guess, range(20)))
    assert len(looked_at) == MOST_PER_NAME
    assert set(answers) == {401, 429}


def test_of_many_who_log_in_at_the_same_moment_nobody_waits(served: Served) -> None:
    def enter(_: int) -> int:
        client = TestClient(served.client.app)
        return client.post("/api/login", json={"name": "sig", "password": PASSWORD}).status_code

    with ThreadPoolExecutor(20) as people:
        assert set(people.map(enter, range(2 * MOST_PER_ADDRESS))) == {200}


def test_a_password_is_changed_by_its_owner(served: Served) -> None:
    page, elsewhere = served.login("sig"), served.login("sig")
    body = {"password": "wrong", "new_password": "another long one"}
    page.post("/api/password", body, 403)
    page.post("/api/password", {**body, "password": PASSWORD, "new_password": "short"}, 400)
    page.post("/api/password", {**body, "password": PASSWORD})
    page.get("/api/me")
    elsewhere.get("/api/me", 401)
    assert served.client.post("/api/login", json={"name": "sig", "password": PASSWORD}).status_code == 401
    assert served.client.post("/api/login", json={"name": "sig", "password": "another long one"}).status_code == 200


def test_users_are_made_changed_and_shut_out(served: Served) -> None:
    admin = served.login("ada")
    admin.post("/api/users", {"name": "new", "password": PASSWORD, "role": "reader"})
    admin.post("/api/users", {"name": "new", "password": PASSWORD}, 400)
    admin.post("/api/users", {"name": " x", "password": PASSWORD}, 400)
    page = served.login("new")
    page.post("/api/users", {"name": "more", "password": PASSWORD}, 403)
    headers = {"X-CSRF-Token": admin.csrf}
    assert admin.client.patch("/api/users/new", json={"active": False}, headers=headers).json()["active"] is False
    page.get("/api/me", 401)
    assert served.client.post("/api/login", json={"name": "new", "password": PASSWORD}).status_code == 401
    assert admin.client.patch("/api/users/ada", json={"role": "reader"}, headers=headers).status_code == 409


@pytest.mark.parametrize("name", ["a/b", "/", ".", "..", "a\tb"])
def test_a_name_that_no_address_can_end_in_is_not_given(served: Served, name: str) -> None:
    refused = served.login("ada").post("/api/users", {"name": name, "password": PASSWORD}, 400)
    assert "a name that is" in refused["detail"]["found"]


def test_a_user_with_a_slash_of_before_can_be_shut_out(served: Served) -> None:
    with served.store.writing() as session:
        session.add(User(name="a/b", role="reader", password_hash="", active=True))
    admin = served.login("ada")
    for address in ("a%2Fb", "a/b"):
        answer = admin.client.patch(
            f"/api/users/{address}", json={"active": False}, headers={"X-CSRF-Token": admin.csrf}
        )
        assert answer.json()["active"] is False


def unannounced(size: int) -> Iterator[bytes]:
    yield b'{"name": "'
    for _ in range(size // 2**16):
        yield b"x" * 2**16
    yield b'", "password": "wrong"}'


def test_a_body_is_not_read_beyond_its_limit(served: Served) -> None:
    client, json_ = TestClient(served.client.app), {"Content-Type": "application/json"}
    announced = client.post("/api/login", json={"name": "x" * 2**20, "password": "wrong"})
    grown = client.post("/api/login", content=unannounced(2 * MOST_BYTES), headers=json_)
    for answer in (announced, grown):
        assert (answer.status_code, answer.json()["detail"]["found"]) == (413, "more than 1 MiB")
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_large_edit_is_read_from_those_who_are_logged_in(served: Served) -> None:
    page, url = served.login("sig"), f"/api/studies/{served.study}/edits"
    mask = {"edit": {"op": "mask", "finding": "F1", "mask": "A" * 3 * 2**20, "box": [[0, 1]] * 3}}
    assert "op" not in page.post(url, mask, 400)["detail"]["found"]
    assert TestClient(served.client.app).post(url, json=mask).status_code == 413
    mask["edit"]["mask"] = "A" * 49 * 2**20
    assert "48 MiB" in page.post(url, mask, 413)["detail"]["found"]


def test_what_was_sent_is_not_sent_back(served: Served) -> None:
    odd = {"name": ["secret" * 1000], "password": 1, **{f"{n}secret": 1 for n in range(3)}}
    answer = TestClient(served.client.app).post("/api/login", json=odd)
    assert answer.status_code == 422
    assert {tuple(one) for one in answer.json()["detail"]} == {("type", "loc", "msg")}
    assert "secret" not in answer.text
    page, many = served.login("sig"), {"edit": {"op": "level", "site": "skull", "level": 1}}
    many["edit"] |= {f"{'x' * 999}{n}": 1 for n in range(500)}
    answer = page.client.post(f"/api/studies/{served.study}/edits", json=many, headers={"X-CSRF-Token": page.csrf})
    assert (answer.status_code, len(answer.content) < 20_000) == (422, True)


def test_logging_out_ends_this_session_alone(served: Served) -> None:
    here, there = served.login("sig"), served.login("sig")
    here.post("/api/logout")
    here.get("/api/me", 401)
    there.get("/api/me")


def test_a_closed_study_is_another_s_secret(served: Served) -> None:
    owner, other, study = served.login("rea"), served.login("sig"), served.study
    headers = {"X-CSRF-Token": owner.csrf}
    owner.client.put(f"/api/studies/{study}/access", json={"everyone": False}, headers=headers)
    absent = other.get("/api/studies/0123456789abcdef", 404)
    for part in ("", "/reading", "/views", "/outlines", "/difference", "/pictures/anterior.f32", "/files/report.pdf"):
        assert other.get(f"/api/studies/{study}{part}", 404) == absent
    other.post(f"/api/studies/{study}/undo", status=404)
    assert other.get("/api/studies")["total"] == 0
    assert served.login("ada").get("/api/studies")["total"] == 1
    refused = [line for line in served.login("ada").get("/api/audit") if line["action"] == "refused"]
    assert {(line["user"], line["study"]) for line in refused} >= {("sig", study)}
    stranger = {"X-CSRF-Token": other.csrf}
    assert (
        other.client.put(f"/api/studies/{study}/access", json={"everyone": True}, headers=stranger).status_code == 404
    )
    given = {"everyone": False, "users": ["sig"]}
    owner.client.put(f"/api/studies/{study}/access", json=given, headers=headers)
    assert owner.get(f"/api/studies/{study}/access") == given
    assert owner.get(f"/api/studies/{study}")["may_share"]
    assert other.get("/api/studies")["total"] == 1
    assert not other.get(f"/api/studies/{study}")["may_share"]
    other.get(f"/api/studies/{study}/access", 403)


def test_the_page_is_strict_and_says_when_it_was_not_built(served: Served) -> None:
    answer = served.client.get("/api/health")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    assert "worker-src 'self' blob:" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
