"""What can be asked for at the HTTP door, and how busy the desk is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from pydantic import Field

from frontdesk.bots.on_console_status import as_object
from frontdesk.gallery.api_door import ROOT, Caller, Door
from frontdesk.gallery.api_problems import ApiError
from frontdesk.gallery.api_schemas import DIALECT, params_schema
from frontdesk.gallery.api_views import View
from frontdesk.queue.errors import UnknownKindError
from frontdesk.queue.kinds import AnyKind


class KindView(View):
    name: str
    summary: str
    lane: str
    url: str


class KindList(View):
    kinds: list[KindView]


class FileView(View):
    """A parameter that is a file: a part of a multipart request, under this name."""

    name: str
    description: str
    required: bool
    suffixes: list[str]
    media_types: list[str]
    max_bytes: int


class KindDetail(KindView):
    """`params` and `result` are JSON schemas (2020-12). `example` can be sent as it is, where no text is missing."""

    deterministic: bool
    params: dict[str, Any]
    files: list[FileView]
    result: dict[str, Any]
    example: dict[str, str] = Field(default_factory=dict)


class QueueView(View):
    """The lanes; for a key with the scope admin, `queue` has workers, waits and the last hour as well."""

    lanes: list[dict[str, Any]]
    queue: dict[str, Any] | None = None


def router(door: Door) -> APIRouter:
    made = APIRouter(tags=["desk"])
    reading = Depends(door.allowed("read"))

    @made.get("/kinds")
    async def kinds(caller: Caller = reading) -> KindList:
        """Everything that can be asked for."""
        return KindList(kinds=[KindView(**_head(kind)) for kind in door.front.kinds.values()])

    @made.get("/kinds/{name}")
    async def kind(name: str, caller: Caller = reading) -> KindDetail:
        """One kind: what it takes and what it gives."""
        try:
            return _detail(door.front.kinds[name])
        except UnknownKindError as error:
            raise ApiError("not-found", str(error)) from None

    @made.get("/queue")
    async def queue(caller: Caller = reading) -> QueueView:
        """How busy the desk is."""
        lanes = await door.front.desk.status()
        report = await door.front.desk.queue(caller.person) if caller.admin else None
        return QueueView.model_validate_json(as_object(lanes, report))

    return made


def _head(kind: AnyKind) -> dict[str, str]:
    return {"name": kind.name, "summary": kind.summary, "lane": kind.lane, "url": f"{ROOT}/kinds/{kind.name}"}


def _detail(kind: AnyKind) -> KindDetail:
    files = [(parameter, parameter.upload) for parameter in kind.files]
    return KindDetail(
        **_head(kind),
        deterministic=kind.deterministic,
        params=params_schema(kind),
        files=[
            FileView(
                name=parameter.name,
                description=parameter.description,
                required=parameter.required,
                suffixes=list(upload.suffixes),
                media_types=list(upload.media_types),
                max_bytes=upload.max_bytes,
            )
            for parameter, upload in files
            if upload is not None
        ],
        result={"$schema": DIALECT} | kind.result.model_json_schema(mode="serialization"),
        example=dict(kind.example),
    )
