"""What tests of files share: a store in a folder, and one in a bucket of a real server on the loopback."""

from __future__ import annotations

import itertools
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from moto.server import ThreadedMotoServer
from redis.asyncio import Redis

from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.blobs import BucketBlobs, FolderBlobs
from frontdesk.queue.lua import script

MODEL = "model/gltf-binary"
_numbers = itertools.count()


def folder_store(folder: Path, *, limit: int = 1_000_000) -> ArtifactStore:
    return ArtifactStore(FolderBlobs(folder), limit=limit)


@contextmanager
def object_server() -> Iterator[str]:
    """An S3-compatible server; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def new_bucket(endpoint: str) -> str:
    """The name of an empty one."""
    name = f"bucket-{next(_numbers)}"
    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{name}", method="PUT")) as said:  # noqa: S310
        assert said.status == 200
    return name


def bucket_store(endpoint: str, root: str, *, limit: int = 1_000_000) -> ArtifactStore:
    return ArtifactStore(BucketBlobs(root, endpoint=endpoint, key="key", secret="secret"), limit=limit)


def put(store: ArtifactStore, data: bytes = b"a chair", name: str = "chair.glb") -> Artifact:
    return store.put(data, name=name, media_type=MODEL)


async def own(redis: Redis, job_id: str, requester: str, hashes: Sequence[str], kind: str = "") -> None:
    """A job holds these files, beside those that it held: as the steps do it that queue and end a job."""
    owning = script() + "\nown_files(ARGV[1], ARGV[2], ARGV[3], {unpack(ARGV, 4)}, (clock()))"
    await redis.register_script(owning)(args=[job_id, requester, kind, *hashes])
