"""The page's own checks: types, logic, and a client that matches the server's OpenAPI document."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
SCHEMA = WEB / "src" / "api" / "schema.ts"


@pytest.fixture(scope="module")
def node() -> None:
    if shutil.which("npm") is None:
        pytest.skip("Node is absent")
    if not (WEB / "node_modules").is_dir():
        pytest.skip("web/node_modules is absent: the package was installed without building its page")


def npx(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["npx", "--no-install", *arguments], cwd=WEB, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.mark.usefixtures("node")
def test_types_hold() -> None:
    done = npx("tsc", "--noEmit")
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("node")
def test_logic_and_strings_hold() -> None:
    done = npx("vitest", "run", "--reporter=dot")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("node")
def test_the_client_is_that_of_the_servers_document(tmp_path: Path) -> None:
    fresh = tmp_path / "schema.ts"
    done = npx("openapi-typescript", "openapi.json", "-o", str(fresh))
    assert done.returncode == 0, done.stderr
    assert fresh.read_text() == SCHEMA.read_text(), "run `npm run client` in web/ and commit src/api/schema.ts"


def test_packages_come_from_the_public_registry_alone() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text())
    named = [package.get("resolved", "") for package in lock["packages"].values()]
    assert [url for url in named if url and not url.startswith("https://registry.npmjs.org/")] == []
    assert all(package.get("integrity") for path, package in lock["packages"].items() if path)


def test_no_string_of_the_page_is_left_unused() -> None:
    table = set(re.findall(r'^  "([\w.-]+)":', (WEB / "src" / "text" / "en.ts").read_text(), re.MULTILINE))
    sources = "\n".join(path.read_text() for path in WEB.glob("src/**/*.ts*") if path.parent.name != "text")
    unused = {key for key in table if f'"{key}"' not in sources and not _is_built(key, sources)}
    assert unused == set()


def _is_built(key: str, sources: str) -> bool:
    """Whether keys that begin like this one are put together, such as `state.${state}`."""
    family = key.partition(".")[0]
    return f"`{family}.${{" in sources or f'prefix="{family}"' in sources
