"""`osteoscope serve`: the review server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from osteoscope.cli.console import DISCLAIMER, say


def serve(
    home: Annotated[Path, typer.Option(help="Folder of uploads, results and the database; made if absent.")] = Path(
        "osteoscope-home"
    ),
    database: Annotated[
        str, typer.Option(help="URL of the database: postgresql://..., or SQLite in the home folder by default.")
    ] = "",
    host: Annotated[str, typer.Option(help="Address to listen on; put a proxy with HTTPS before any other.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8430,
    watch: Annotated[str, typer.Option(help="Folder whose files are taken in as they arrive.")] = "",
    pacs: Annotated[
        str,
        typer.Option(help="Where signed objects go: http://.../dicom-web (STOW) or dicom://TITLE@HOST:PORT (C-STORE)."),
    ] = "",
    workers: Annotated[int, typer.Option(min=1, help="Studies read at the same time.")] = 1,
    upload_gib: Annotated[float, typer.Option(min=0.001, help="Largest upload in GiB.")] = 16.0,
    private: Annotated[
        bool, typer.Option("--private", help="Uploads are seen by their owner until access is given.")
    ] = False,
    secure_cookie: Annotated[
        bool, typer.Option("--secure-cookie", help="Send the session cookie over HTTPS only (behind a proxy).")
    ] = False,
) -> None:
    """Serve the review page: upload, check, correct and sign."""
    import uvicorn

    from osteoscope.app.server import build, open_server, welcome
    from osteoscope.app.settings import Settings

    settings = Settings(
        home.absolute(), database, host, port, watch, pacs, workers, round(upload_gib * 2**30), private, secure_cookie
    )
    server = open_server(settings)
    say(welcome(server.store, settings))
    say(DISCLAIMER)
    uvicorn.run(build(server), host=host, port=port, log_level="warning", server_header=False, timeout_keep_alive=75)
