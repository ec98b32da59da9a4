"""A server with a child's scan that was read once, copied for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from serving import PASSWORD, Page, Served, copied, files_of, fill, serve

from osteoscope.app.settings import Settings
from osteoscope.dicom.write_nm import write_nm
from osteoscope.simulate.planar import Camera, ChildRecipe, simulate_planar
from osteoscope.store import people
from osteoscope.store.people import add_user

CAMERA = Camera(rows=256, columns=128, pixel_mm=5.0)


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> Iterator[None]:
    """Hashes that cost little; the parameters of the library's own choice are slow on purpose."""
    before, people._HASHER = people._HASHER, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    people._HASHER = before


@pytest.fixture(scope="session")
def child(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, bytes]]:
    """The DICOM files of a child with a name, an id and disease."""
    folder = tmp_path_factory.mktemp("child")
    made = simulate_planar(ChildRecipe(camera=CAMERA), 7).study
    write_nm(replace(made, date="2026-02-03"), folder)
    return files_of(folder)


@pytest.fixture(scope="session")
def read_home(tmp_path_factory: pytest.TempPathFactory, child: list[tuple[str, bytes]]) -> Path:
    """What the server has read; a module of tests may have its own."""
    home = tmp_path_factory.mktemp("home")
    fill(home, "rea", child)
    return home


@pytest.fixture
def served(read_home: Path, tmp_path: Path) -> Iterator[Served]:
    """A server with users ada (admin), sig (signer), rea (reader) and one read study of rea's."""
    with copied(read_home, tmp_path / "home") as one:
        yield one


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Makes a server with nobody and nothing."""
    made: list[Served] = []

    def make(**options: Any) -> Served:
        made.append(serve(Settings(tmp_path / "empty", **options)))
        return made[-1]

    yield make
    for one in made:
        one.store.engine.dispose()


@pytest.fixture
def fresh(empty: Callable[..., Served]) -> Callable[..., tuple[Served, Page]]:
    """Makes a server with users ada (admin) and rea (reader), who is logged in, and no study."""

    def make(**options: Any) -> tuple[Served, Page]:
        served = empty(**options)
        with served.store.writing() as session:
            add_user(session, "ada", PASSWORD, "admin")
            add_user(session, "rea", PASSWORD, "reader")
        return served, served.login("rea")

    return make
