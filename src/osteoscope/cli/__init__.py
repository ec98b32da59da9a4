"""The command line: `osteoscope read`, `demo`, `simulate`, `doctor`.

Commands import what they need when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import sys

from osteoscope.cli.app import app
from osteoscope.cli.console import fail
from osteoscope.errors import OsteoscopeError


def main() -> None:
    """Run the command line; an error of ours ends as one plain line and exit code 1."""
    try:
        app()
    except OsteoscopeError as error:
        fail(str(error))
        sys.exit(1)
