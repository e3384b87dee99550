"""A process that is killed in the middle of a put: `python bucket_process.py WHERE`, a folder or `ENDPOINT BUCKET`.

It says "middle" when all bytes are written and only the last step is missing, and waits there.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from frontdesk.queue import blobs
from frontdesk.queue.artifacts import ArtifactStore

SMALLEST = 5 * 1024 * 1024  # bytes: what the protocol takes as a piece


def stand_still() -> None:
    sys.stdout.write("middle\n")
    sys.stdout.flush()
    time.sleep(600)


def in_a_folder(folder: str) -> blobs.Blobs:
    os.fsync = lambda fd: stand_still()
    return blobs.FolderBlobs(Path(folder))


def in_a_bucket(endpoint: str, root: str) -> blobs.Blobs:
    import s3fs

    upload: Any = s3fs.S3FileSystem._call_s3

    async def call(self: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        if method == "complete_multipart_upload":
            stand_still()
        return await upload(self, method, *args, **kwargs)

    s3fs.S3FileSystem._call_s3 = call
    blobs.PIECE = SMALLEST
    return blobs.BucketBlobs(root, endpoint=endpoint, key="key", secret="secret")


if __name__ == "__main__":
    where = in_a_folder(sys.argv[1]) if len(sys.argv) == 2 else in_a_bucket(*sys.argv[1:])
    ArtifactStore(where).put(bytes(3 * SMALLEST), name="half.bin", media_type="application/octet-stream")
