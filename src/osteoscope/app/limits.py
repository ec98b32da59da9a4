"""How much of a body is read: FastAPI reads all of it before anybody asks who sends it.

Uploads are streamed to disk, after that question, and have a limit of their own.
"""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from osteoscope.app.context import COOKIE, server_of
from osteoscope.app.errors import Refused
from osteoscope.store.people import person_of

STREAMED = frozenset({"/api/uploads", "/dicom-web/studies"})
# An edit may carry a mask (32 MiB of base64, `edit_shapes.Mask`), from those who are logged in.
MOST_BYTES, MOST_BYTES_OF_EDIT = 2**20, 48 * 2**20


class Limits:
    """Refuses a body that is too large, before more of it than allowed is in memory."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, reading no more than allowed."""
        is_limited = scope["type"] == "http" and scope["path"] not in STREAMED
        await self.app(scope, _Counted(Request(scope), receive) if is_limited else receive, send)


class _Counted:
    """Receives a body as long as it is not too large."""

    def __init__(self, request: Request, receive: Receive) -> None:
        self._request, self._receive = request, receive
        self._bytes = 0
        self._most = 0

    async def __call__(self) -> Message:
        """The next part.

        Raises:
            Refused: the body is announced as, or became, too large.
        """
        if not self._most:
            announced = self._request.headers.get("content-length", "")
            await self._check(int(announced) if announced.isdigit() else 0)
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        await self._check(self._bytes)
        return message

    async def _check(self, size: int) -> None:
        self._most = self._most or MOST_BYTES
        if size > self._most and self._request.url.path.endswith("/edits") and await run_in_threadpool(self._is_known):
            self._most = MOST_BYTES_OF_EDIT
        if size > self._most:
            found = f"more than {self._most // 2**20} MiB"
            raise Refused(413, "read what was sent", found, "Send less at once; images go to /api/uploads")

    def _is_known(self) -> bool:
        with server_of(self._request).store.reading() as session:
            return person_of(session, self._request.cookies.get(COOKIE, "")) is not None
