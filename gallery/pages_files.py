"""The files of objects, for whoever may see the object."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response

from frontdesk.bots.people import Person
from frontdesk.gallery.cards import PICTURES
from frontdesk.gallery.visitors import visitor_of
from frontdesk.gallery.website import Site
from frontdesk.history.recording import files_of
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.errors import FileGoneError, HistoryClosedError, NoSuchJobError, NoSuchObjectError
from frontdesk.queue.jobs import Artifact

INLINE = PICTURES | {"model/gltf-binary"}  # what a page of ours shows; anything else is there to be saved
LARGEST_INLINE = 64_000_000  # bytes that are passed on from a bucket
LINK_LASTS = 300  # seconds
# A browser keeps what is public for an hour, and asks again then: it may have been taken back. Nothing in between may.
PUBLIC, OWN = "private, max-age=3600, immutable", "private, no-store"


class FilePages:
    def __init__(self, site: Site) -> None:
        self._site = site

    async def give(self, request: Request, job: str, sha256: str, name: str) -> Response:
        """One file of an object; with `?save=1` to be saved. Whoever may not see the object finds nothing here, and so
        does who names a file of another one."""
        artifact, public = await self._found(request, job, sha256, name)
        store = self._site.front.store
        if store is None:
            raise FileGoneError(artifact.name)
        saved = "save" in request.query_params or artifact.media_type not in INLINE
        request.state.sandboxed = True
        headers = {
            "Cache-Control": PUBLIC if public else OWN,
            "Content-Disposition": f'{"attachment" if saved else "inline"}; filename="{artifact.name}"',
        }
        path = await asyncio.to_thread(store.path, artifact)
        if path is not None:
            return FileResponse(path, media_type=artifact.media_type, headers=headers)
        return await _from_bucket(store, artifact, headers, saved)

    async def _found(self, request: Request, job: str, sha256: str, name: str) -> tuple[Artifact, bool]:
        """The file, and whether anybody sees it."""
        person = visitor_of(request).person
        try:
            entry = await self._site.front.desk.showcase.entry(person, job)
            files, public = [kept.artifact for kept in entry.files], entry.public
        except (NoSuchObjectError, HistoryClosedError):
            files, public = await self._just_made(person, job), False
        for artifact in files:
            if (artifact.sha256, artifact.name) == (sha256, name):
                return artifact, public
        raise HTTPException(404)

    async def _just_made(self, person: Person | None, job: str) -> list[Artifact]:
        """The files of one's own job that ended, and is not written down yet."""
        if person is None:
            return []
        with suppress(NoSuchJobError):
            record = await self._site.front.desk.job(person, job)
            return [kept.artifact for kept in files_of(self._site.front.kinds.get(record.kind), record.outcome)]
        return []


async def _from_bucket(store: ArtifactStore, artifact: Artifact, headers: dict[str, str], saved: bool) -> Response:
    """To be saved: from the bucket itself, by an address that ends soon. To be shown: through this page, which may show
    nothing of another host's."""
    if saved or artifact.size > LARGEST_INLINE:
        address = await asyncio.to_thread(store.signed, artifact, LINK_LASTS)
        if address is not None:
            return RedirectResponse(address, 307, {"Cache-Control": OWN})
    data = await asyncio.to_thread(store.read, artifact)
    return Response(data, media_type=artifact.media_type, headers=headers)


def router(site: Site) -> APIRouter:
    pages, made = FilePages(site), APIRouter()
    made.add_api_route("/files/{job}/{sha256}/{name}", pages.give, methods=["GET", "HEAD"])
    return made
