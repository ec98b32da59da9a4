"""How a server is set up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GIB = 1024**3


@dataclass(frozen=True)
class Settings:
    """Where a server keeps things and what it allows.

    Args:
        home: folder of uploads, results and, by default, the database.
        database: URL of SQLAlchemy; "" for SQLite in ``home``.
        host, port: where it listens.
        watch: folder whose files are taken in; "" for none.
        pacs: where signed objects go: the URL of a DICOMweb service, dicom://TITLE@HOST:PORT, or "" for nowhere.
        workers: studies read at the same time.
        upload_bytes: largest upload.
        private: whether an upload is seen by its owner alone until access is given.
        secure_cookie: whether the page is served over HTTPS (by a proxy in front).
        readable_after: seconds that a file of the watched folder must have rested.
    """

    home: Path
    database: str = ""
    host: str = "127.0.0.1"
    port: int = 8430
    watch: str = ""
    pacs: str = ""
    workers: int = 1
    upload_bytes: int = 16 * GIB
    private: bool = False
    secure_cookie: bool = False
    readable_after: float = 5.0

    @property
    def database_url(self) -> str:
        """The URL of the database."""
        return self.database or f"sqlite:///{self.home / 'review.db'}"

    @property
    def uploads(self) -> Path:
        """Folder of what arrived."""
        return self.home / "uploads"

    @property
    def scratch(self) -> Path:
        """Folder of what workers write for themselves while they work; patients' data, gone when they end."""
        return self.home / "scratch"

    def files_of(self, upload: str) -> Path:
        """Folder of the files of an upload."""
        return self.uploads / upload / "files"

    def folder_of(self, study: str) -> Path:
        """Folder of the pictures and results of a study."""
        return self.home / "studies" / study
