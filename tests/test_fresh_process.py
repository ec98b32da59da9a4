"""What an import brings along, seen in a process of its own: a face that imports can lie to the linter."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "openvino", "matplotlib", "SimpleITK", "scipy", "skimage", "highdicom", "pydicom"}
WALK = (
    "import pkgutil, importlib, {0} as package;"
    "[importlib.import_module(m.name) for m in pkgutil.walk_packages(package.__path__, '{0}.')]"
)


def loaded_by(code: str) -> set[str]:
    shown = f"{code}; import sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", shown], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import osteoscope", HEAVY | {"numpy"}),
        (WALK.format("osteoscope.domain"), HEAVY),
        ("import osteoscope.cli", HEAVY | {"numpy"}),
        (WALK.format("osteoscope.dicom"), {"torch", "openvino", "matplotlib"}),
        ("import osteoscope.deliver.batch", {"torch", "openvino"}),
        (WALK.format("osteoscope.app"), HEAVY),
        ("import osteoscope.store.engine, osteoscope.store.worklist", HEAVY | {"numpy", "fastapi"}),
    ],
)
def test_imports_stay_light(code: str, forbidden: set[str]) -> None:
    assert loaded_by(code) & forbidden == set()
