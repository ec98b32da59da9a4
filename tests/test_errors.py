from __future__ import annotations

import ast
from pathlib import Path

from osteoscope import errors

SOURCE = Path(__file__).parents[1] / "src" / "osteoscope"
PARTS = 3


def test_the_text_says_asked_found_and_remedy() -> None:
    error = errors.IntakeError("read a.dcm", "0 bytes", "Send the file again")
    assert str(error) == "read a.dcm: 0 bytes. Send the file again."
    assert isinstance(errors.InvalidValueError("a", "b", "c"), ValueError)


def test_every_raise_of_ours_gives_three_parts() -> None:
    ours = {name for name in vars(errors) if name.endswith("Error")}
    short = [
        f"{path.name}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ours
        if len(node.args) != PARTS and not any(isinstance(a, ast.Starred) for a in node.args)
    ]
    assert short == []
