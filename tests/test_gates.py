"""Each gate is broken once on purpose: a gate that passes here checks nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable


def run(*command: str | Path, folder: Path, path: Path | None = None) -> tuple[int, str]:
    environment = {"PATH": str(Path(PYTHON).parent), "PYTHONPATH": str(path or "")}
    done = subprocess.run(
        [str(c) for c in command], cwd=folder, capture_output=True, text=True, check=False, env=environment
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("import os\n", "F401"),
        ("def f():\n    try:\n        g()\n    except Exception:\n        return 1\n", "BLE001"),
        ("import subprocess\nsubprocess.run('ls', shell=True)\n", "S602"),
        ("print('x')\n", "T201"),
        ("x = 1  # noqa\n", "PGH004"),
    ],
)
def test_ruff_fails_on_a_fault(tmp_path: Path, code: str, rule: str) -> None:
    (tmp_path / "faulty.py").write_text(f'"""Faulty."""\n\n{code}')
    status, said = run(PYTHON, "-m", "ruff", "check", "--config", ROOT / "pyproject.toml", ".", folder=tmp_path)
    assert status != 0
    assert rule in said


def test_mypy_fails_on_an_untyped_function(tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.py"
    faulty.write_text("def f(x):\n    return x + 1\n")
    status, said = run(PYTHON, "-m", "mypy", "--config-file", ROOT / "pyproject.toml", faulty, folder=tmp_path)
    assert status != 0
    assert "no-untyped-def" in said


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("domain/image.py", "import osteoscope.report.document", "Rooms are layered"),
        ("find/ct_bones.py", "import osteoscope.measure.size", "Rooms are layered"),
        ("reading/read.py", "import osteoscope.report.document", "Rooms are layered"),
        ("surplus/__init__.py", "import numpy", "Rooms are layered"),
        ("report/html.py", "import pydicom", "Only the dicom room speaks DICOM"),
        ("domain/image.py", "import scipy", "The domain needs numpy alone"),
        ("find/ct_bones.py", "import torch", "No torch outside training"),
    ],
)
def test_a_crossed_layer_fails(tmp_path: Path, module: str, line: str, contract: str) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    faulty = tmp_path / "src" / "osteoscope" / module
    faulty.parent.mkdir(exist_ok=True)
    faulty.write_text((faulty.read_text() if faulty.exists() else "") + f"\n{line}\n")
    shutil.copy(ROOT / ".importlinter", tmp_path)
    tool = Path(PYTHON).with_name("lint-imports")
    status, said = run(tool, "--no-cache", folder=tmp_path, path=tmp_path / "src")
    assert status != 0
    broken = said.partition("Broken contracts")[2]
    assert contract in broken or f"{contract} BROKEN" in said or "exhaustive" in said


def test_pytest_fails_on_a_warning(tmp_path: Path) -> None:
    (tmp_path / "test_faulty.py").write_text(
        "import warnings\n\n\ndef test_it():\n    warnings.warn('old', stacklevel=1)\n"
    )
    status, said = run(
        PYTHON, "-m", "pytest", "-c", ROOT / "pyproject.toml", tmp_path / "test_faulty.py", folder=tmp_path
    )
    assert status != 0
    assert "UserWarning: old" in said
