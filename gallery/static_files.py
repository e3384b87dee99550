"""Style sheets, scripts and pictures of the page: each under an address that changes with its content."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "static"
PATH = "/static"
FOREVER = "public, max-age=31536000, immutable"
ANEW = "no-cache"  # kept, and asked after each time
TYPES = {
    ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".wasm": "application/wasm",
    ".glb": "model/gltf-binary", ".webmanifest": "application/manifest+json", ".hdr": "image/vnd.radiance",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StaticFile:
    path: Path
    version: str
    media_type: str


class StaticFiles:
    """The files of a folder as they are when this is made; nothing else is ever opened."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): StaticFile(path, _version(path), _media_type(path))
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }

    def url(self, name: str) -> str:
        """The address of a file: "/static/page.css?v=0a1b2c3d4e". Raises KeyError for one that is not there."""
        return f"{PATH}/{name}?v={self._files[name].version}"

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def route(self) -> Route:
        return Route(f"{PATH}/{{name:path}}", self._give, methods=["GET", "HEAD"], name="static")

    async def _give(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None:
            return Response("Nothing is here.", 404, media_type="text/plain")
        fresh = request.query_params.get("v") == found.version
        headers = {"Cache-Control": FOREVER if fresh else ANEW, "ETag": f'"{found.version}"'}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return FileResponse(found.path, media_type=found.media_type, headers=headers)


def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _media_type(path: Path) -> str:
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
