"""Reads what somebody asks for at the HTTP door: JSON, or a form with JSON and files."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from fastapi import Request
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from frontdesk.bots.incoming import CHUNK, Given, IncomingFile
from frontdesk.gallery.api_problems import ApiError, Fault, pointer
from frontdesk.gallery.api_views import NewJob
from frontdesk.queue.kinds import MAX_FILES, Registry

BODY = 1_000_000  # bytes of a request without files
PART = "job"
JSON_TYPES = frozenset({"", "application/json", "application/x-www-form-urlencoded"})  # the last: curl's `-d`
FORM = "multipart/form-data"


@dataclass(frozen=True)
class Asked:
    """A request as it came, and its files by the name of their parameter."""

    job: NewJob
    files: dict[str, UploadFile] = field(default_factory=dict)

    def raw(self) -> dict[str, Given]:
        """As the desk takes it; what is null was left out."""
        given: dict[str, Given] = {name: value for name, value in self.job.params.items() if value is not None}
        for name, file in self.files.items():
            given[name] = IncomingFile.of(name, file.filename, size=file.size, media_type=file.content_type)
        return given

    async def fetch(self, file: IncomingFile) -> AsyncGenerator[bytes, None]:
        upload = self.files[file.source]
        await upload.seek(0)
        while chunk := await upload.read(CHUNK):
            yield chunk

    async def digest(self) -> str:
        """The same for requests that ask the same."""
        made = hashlib.sha256(self.job.model_dump_json().encode())
        for name in sorted(self.files):
            upload = self.files[name]
            made.update(f"\n{name} {upload.filename} {upload.size}\n".encode("utf-8", "replace"))
            await upload.seek(0)
            while chunk := await upload.read(CHUNK):
                made.update(chunk)
        return made.hexdigest()


@asynccontextmanager
async def asked(request: Request, kinds: Registry) -> AsyncIterator[Asked]:
    """What a request asks for; its files are there inside the block. Raises ApiError."""
    sort = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sort in JSON_TYPES:
        body = b"".join([chunk async for chunk in bounded(request, BODY)])
        yield Asked(read(body))
    elif sort == FORM:
        async with _form(request, most_bytes(kinds)) as found:
            yield found
    else:
        raise ApiError("media-type", f"Send application/json, or {FORM} with a part {PART} and the files.")


def most_bytes(kinds: Registry) -> int:
    """Of a request, with the files of whatever kind takes the most."""
    return BODY + max((kind.upload_bytes for kind in kinds.values()), default=0)


def read(body: bytes | str) -> NewJob:
    """Raises ApiError."""
    try:
        return NewJob.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        if found[0]["type"] == "json_invalid":
            raise ApiError("malformed", "The request is not JSON.") from None
        faults = [Fault(detail=f"{each['msg']}.", pointer=pointer(*_place(each["loc"]))) for each in found]
        raise ApiError("invalid", "The request does not fit.", faults=faults[:20]) from None


def _place(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Without the types that were tried for a parameter."""
    return loc[:2] if loc[:1] == ("params",) else loc


async def bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """A body up to the first byte too many. Raises ApiError."""
    too_large = ApiError("too-large", f"A request has at most {most:,} bytes.", headers={"Connection": "close"})
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:18]) > most:
        raise too_large
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise too_large
        yield chunk


@asynccontextmanager
async def _form(request: Request, most: int) -> AsyncIterator[Asked]:
    parser = MultiPartParser(
        request.headers, bounded(request, most), max_files=MAX_FILES, max_fields=1, max_part_size=BODY
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise ApiError(
            "malformed", f"The form cannot be read: it has a part {PART}, and at most {MAX_FILES} files."
        ) from None
    try:
        part = form.get(PART)
        if isinstance(part, UploadFile):  # curl's `-F job=@job.json`
            part = (await part.read(BODY + 1))[: BODY + 1].decode("utf-8", "replace")
        if part is None or len(part) > BODY:
            raise ApiError("malformed", f"The form needs a part {PART} with the request as JSON.")
        files = {name: cast(UploadFile, file) for name, file in form.items() if name != PART}
        yield Asked(read(part), files)
    finally:
        await form.close()
