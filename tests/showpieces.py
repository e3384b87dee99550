"""Objects in a desk's memory and its store, as jobs that ended leave them there."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import trimesh
from PIL import Image, ImageDraw
from redis.asyncio import Redis
from sqlalchemy import insert

from frontdesk.history.database import Database
from frontdesk.history.recording import file_rows, job_row
from frontdesk.history.schema import files, jobs
from frontdesk.queue import keys
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.catalogue import WriteResult
from frontdesk.queue.connection import answer
from frontdesk.queue.jobs import Job, JobRecord, Outcome, ReplyAddress, Requester, Version, new_job_id
from frontdesk.queue.kind_sculpt import SculptResult
from frontdesk.queue.kind_train import Epoch, TrainResult
from frontdesk.queue.kinds import Registry
from frontdesk.queue.results import Result

NOW = 1_790_000_000.0
COLOURS = ("crimson", "steelblue", "seagreen", "goldenrod", "slategray", "purple")


def picture(colour: str, size: tuple[int, int] = (160, 160), format: str = "PNG") -> bytes:
    """A disc before the grey of real stills; a GIF has two frames."""
    frames = []
    for inset in (20, 40):
        frame = Image.new("RGB", size, "#f0f2f4")
        ImageDraw.Draw(frame).ellipse((inset, inset, size[0] - inset, size[1] - inset), fill=colour)
        frames.append(frame)
    held = io.BytesIO()
    moving = {"save_all": True, "append_images": frames[1:], "duration": 200, "loop": 0} if format == "GIF" else {}
    frames[0].save(held, format, **moving)
    return held.getvalue()


def model(colour: str = "crimson") -> bytes:
    """A small GLB with colours."""
    mesh = trimesh.creation.icosphere(subdivisions=2)
    mesh.visual.vertex_colors = Image.new("RGBA", (1, 1), colour).getpixel((0, 0))
    return bytes(mesh.export(file_type="glb"))


@dataclass
class Exhibits:
    """Puts objects where the page finds them."""

    database: Database
    store: ArtifactStore
    kinds: Registry
    count: int = 0
    ids: dict[str, str] = field(default_factory=dict)

    async def add(
        self,
        kind: str,
        params: dict[str, object],
        result: Result,
        *,
        owner: str = "ada",
        public: bool = True,
        name: str = "",
    ) -> str:
        """Of console:OWNER; each is a minute newer than the one before. Returns its id, kept under `name` as well."""
        self.count += 1
        at = NOW + 60 * self.count
        requester = Requester(platform="console", user=owner, tenant=f"console:{owner}")
        job = Job(
            id=new_job_id(at), kind=kind, lane=self.kinds[kind].lane, params=params, requester=requester, cost=1.0,
            submitted_at=at - 9, publish=public,
        )  # fmt: skip
        outcome = Outcome(
            status="done", result=result.model_dump(mode="json"), seconds=6.5, gpu_seconds=6.25, model="modeller 1",
            revision="0123abcd", device="CPU",
        )  # fmt: skip
        record = JobRecord(
            job.id, kind, job.lane, "done", requester.key, False, at - 9,
            ReplyAddress(platform="console", channel="c", user=owner), at - 7, at, "w", outcome,
        )  # fmt: skip
        async with self.database.writing() as connection:
            await connection.execute(insert(jobs).values(dict(job_row(self.kinds[kind], job, record))))
            if rows := file_rows(self.kinds[kind], job.id, outcome):
                await connection.execute(insert(files), [dict(row) for row in rows])
        self.ids[name or job.id] = job.id
        return job.id

    def keep(self, data: bytes, name: str, media_type: str) -> Artifact:
        return self.store.put(data, name=name, media_type=media_type)

    async def sculpture(
        self,
        prompt: str,
        *,
        owner: str = "ada",
        public: bool = True,
        name: str = "",
        size: tuple[int, int] = (160, 160),
    ) -> str:
        colour = COLOURS[self.count % len(COLOURS)]
        whole = self.keep(model(colour), "thing.glb", "model/gltf-binary")
        lesser = self.keep(model("gray"), "thing-8mb.glb", "model/gltf-binary")
        result = SculptResult(
            backend="modeller", made_by="Made by the modeller.", prompt=prompt, seed=7, quality="good", format="glb",
            faces=320, vertices=162, size=(1.0, 1.0, 1.0), watertight=True, seconds=0.5, device="CPU",
            preview=self.keep(picture(colour, size, "GIF"), "thing.gif", "image/gif"),
            still=self.keep(picture(colour, size), "thing.png", "image/png"), file=whole,
            smaller=(Version(**lesser.model_dump(), note="reduced from 1,280 to 320 faces"),),
        )  # fmt: skip
        return await self.add("sculpt", {"prompt": prompt, "seed": 7, "quality": "good", "format": "glb"}, result,
                              owner=owner, public=public, name=name)  # fmt: skip

    async def text(self, prompt: str, text: str, *, owner: str = "ada", public: bool = True, name: str = "") -> str:
        result = WriteResult(text=text, tokens=9, stopped="end", seed=3, model="m", precision="float32")
        return await self.add("write", {"prompt": prompt}, result, owner=owner, public=public, name=name)

    async def training(
        self, redis: Redis, rate: float, curve: Sequence[float], *, owner: str = "ada", name: str = ""
    ) -> str:
        """A training whose test accuracies were these after each epoch, and its place on the board."""
        drawn = self.keep(picture("steelblue", (320, 180)), "digits-curves.png", "image/png")
        result = TrainResult(
            dataset="digits", dataset_sha256="0" * 64, accuracy=curve[-1], loss=0.1, right=350, tested=360,
            trained=1437, classes=10, seconds_training=1 / rate, seconds_evaluation=0.1, epochs=len(curve),
            learning_rate=rate, batch_size=32, width=16, seed=0, parameters=9000, device="CPU",
            curve=tuple(Epoch(loss=0.1, accuracy=share, test_loss=0.1, test_accuracy=share) for share in curve),
            artifacts=(drawn,),
        )  # fmt: skip
        job = await self.add("train", {"dataset": "digits", "learning_rate": rate}, result, owner=owner, name=name)
        ranking = result.ranking()
        board = f"{ranking.board}:{ranking.edition}"
        entry = f"console:{owner}\n{job}\n{NOW * 1000:.0f}\n{ranking.entry}"
        await answer(redis.hset(keys.BOARDS, ranking.board, ranking.edition))
        await redis.zadd(f"{keys.BOARD}{board}", {ranking.configuration: ranking.place})
        await answer(redis.hset(f"{keys.ENTRIES}{board}", ranking.configuration, entry))
        return job
