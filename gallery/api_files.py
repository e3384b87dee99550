"""The files of jobs at the HTTP door."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from fastapi import APIRouter, Depends
from starlette.responses import FileResponse, RedirectResponse, Response

from frontdesk.bots.parcels import distinct
from frontdesk.gallery.api_door import ROOT, Caller, Door
from frontdesk.gallery.api_problems import ApiError
from frontdesk.gallery.api_views import ArtifactList, ArtifactView, address
from frontdesk.history.entries import Entry, KeptFile
from frontdesk.history.recording import files_of
from frontdesk.queue.jobs import JobRecord
from frontdesk.queue.kinds import Registry

LINK_LIFE = 600  # seconds that a bucket's own address is good for

GUARDED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
}
"""What a user made is never shown as a page, nor kept by a cache between."""


def router(door: Door) -> APIRouter:
    made = APIRouter(tags=["artifacts"])
    reading = Depends(door.allowed("read"))

    @made.get("/jobs/{job_id}/artifacts")
    async def artifacts(job_id: str, caller: Caller = reading) -> ArtifactList:
        """The files that a job made, most important first; none before it has ended."""
        found = await door.job(caller, job_id)
        base = f"{address(ROOT, found.id)}/artifacts"
        return ArtifactList(artifacts=[_view(base, name, file) for name, file in named(door.front.kinds, found)])

    @made.get(
        "/jobs/{job_id}/artifacts/{name}",
        response_class=FileResponse,
        responses={
            200: {"description": "The file", "content": {"*/*": {}}},
            206: {"description": "The part of it that was asked for", "content": {"*/*": {}}},
            307: {"description": "Where the file can be fetched, for stores that give it out themselves"},
        },
    )
    async def artifact(job_id: str, name: str, caller: Caller = reading) -> Response:
        """One file, or a part of it (`Range`)."""
        files = dict(named(door.front.kinds, await door.job(caller, job_id)))
        if name not in files or door.front.store is None:
            raise ApiError("not-found", "The job has no such file.")
        kept = files[name].artifact
        path = await asyncio.to_thread(door.front.store.path, kept)
        if path is None:
            link = await asyncio.to_thread(door.front.store.signed, kept, LINK_LIFE)
            if link is None:
                raise ApiError("gone", f"{name} is no longer kept.")
            return RedirectResponse(link, 307, headers=GUARDED)
        headers = GUARDED | {"ETag": f'"{kept.sha256}"'}
        return FileResponse(path, headers=headers, media_type=kept.media_type, filename=name)

    return made


def named(kinds: Registry, found: JobRecord | Entry) -> Iterator[tuple[str, KeptFile]]:
    """A job's files under names that differ."""
    files = found.files if isinstance(found, Entry) else files_of(kinds.get(found.kind), found.outcome)
    return zip(distinct(file.artifact.name for file in files), files, strict=True)


def _view(base: str, name: str, file: KeptFile) -> ArtifactView:
    kept = file.artifact
    return ArtifactView(
        name=name,
        url=f"{base}/{name}",
        role=file.role,
        size=kept.size,
        media_type=kept.media_type,
        sha256=kept.sha256,
        note=file.note,
    )
