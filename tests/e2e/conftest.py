"""Fixtures of the browser tests, in a module of a name of its own so that mypy takes it beside those of the server."""

from browser_fixtures import (
    browser,
    built,
    children,
    loaded,
    served,
    trunk,
    window,
)

__all__ = [
    "browser",
    "built",
    "children",
    "loaded",
    "served",
    "trunk",
    "window",
]
