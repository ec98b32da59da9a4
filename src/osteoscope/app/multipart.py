"""A multipart body as it streams in, each part written to a landing; nothing of it is held in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from osteoscope.app.arrivals import Landing
from osteoscope.app.errors import Refused, disk_error

_LONGEST_HEADER = 8192


async def receive(
    chunks: AsyncIterator[bytes], content_type: str, landing: Landing, name: Callable[[Mapping[str, str]], str]
) -> None:
    """Write the parts of a multipart body to a landing.

    Args:
        chunks: the body.
        content_type: with the boundary.
        landing: where to.
        name: the file name of a part from its headers (lower case), "" for a part that is no file.

    Raises:
        Refused: it is no multipart body, it is cut off, too large, or the disk is full.
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise Refused(415, "upload files", f"content type {content_type[:80]!r}", "Send multipart/form-data")
    reader = _Parts(landing, name)
    parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
    try:
        async for chunk in chunks:
            await run_in_threadpool(parser.write, chunk)
        parser.finalize()
    except MultipartParseError as error:
        raise Refused(
            400, "upload files", f"a multipart body that cannot be read ({error})", "Send it again"
        ) from error
    except OSError as error:
        raise disk_error("upload files", error) from error
    if not reader.complete:
        raise Refused(400, "upload files", "the upload was cut off", "Send it again")


class _Parts:
    """Callbacks of the multipart parser that write each part to a landing."""

    def __init__(self, landing: Landing, name: Callable[[Mapping[str, str]], str]) -> None:
        self.landing, self.name = landing, name
        self.complete = False
        self._headers: dict[str, str] = {}
        self._field, self._value = b"", b""
        self._open = False

    def callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self.part_begin,
            "on_header_field": self.header_field,
            "on_header_value": self.header_value,
            "on_header_end": self.header_end,
            "on_headers_finished": self.headers_finished,
            "on_part_data": self.part_data,
            "on_part_end": self.part_end,
            "on_end": self.end,
        }

    def part_begin(self) -> None:
        self._headers, self._open = {}, False

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]
        self._check()

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check()

    def _check(self) -> None:
        if len(self._field) + len(self._value) > _LONGEST_HEADER:
            raise Refused(400, "upload files", "a part with an endless header", "Send plain files")

    def header_end(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._field, self._value = b"", b""

    def headers_finished(self) -> None:
        name = self.name(self._headers)
        if name:
            self.landing.begin(name)
            self._open = True

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if self._open:
            self.landing.write(data[start:end])

    def part_end(self) -> None:
        if self._open:
            self.landing.end()

    def end(self) -> None:
        self.complete = True
