"""Smaller versions of large files: made beside the whole, told of in words, and sent where the whole does not fit."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from carving import CARVE, PNG, Piece, carved, carving, piece, png
from console import Paper, premises
from gltf import Validator
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from queueing import job, submit, until
from redis.asyncio import Redis
from running import context
from standin_discord import Interaction
from standin_discord_desk import Front, front
from standin_telegram import TelegramStandIn
from standin_telegram_desk import Room as TelegramRoom
from standin_telegram_model import Message, Person
from storing import folder_store
from things import painted_ball

from frontdesk.bots import on_discord_delivery, on_telegram_delivery, on_telegram_parcels
from frontdesk.bots.asking import Exit
from frontdesk.bots.fetching import fetch
from frontdesk.bots.file_replies import left_out
from frontdesk.bots.on_console import person
from frontdesk.bots.packing import packed
from frontdesk.bots.parcels import Parcel, Room, fitted, parcels
from frontdesk.bots.replies import Reply, as_text
from frontdesk.queue import keys
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.codec import encode
from frontdesk.queue.connection import answer
from frontdesk.queue.jobs import Outcome, Requester
from frontdesk.queue.kinds import Attachment
from frontdesk.ratelimit.limits import Limits
from frontdesk.worker.glb import glb
from frontdesk.worker.mesh_files import stl
from frontdesk.worker.runner import CancelledRunError
from frontdesk.worker.versions import LADDER, Made, kept, mesh_versions, picture_versions

MIB = 1024 * 1024
LOW = ((150_000, "-medium"), (60_000, "-small"))  # a ladder for small things

pytestmark = pytest.mark.filterwarnings("ignore:.*retry_after:DeprecationWarning")  # the library warns itself


# -- How they are made


def test_the_ladder_is_just_below_what_platforms_take() -> None:
    """Telegram's 50 MB, and 8 MiB, below which nothing is made."""
    assert [limit for limit, _ in LADDER] == [47_900_000, 8 * MIB - 65_536]
    ball = painted_ball(16)
    assert mesh_versions(ball, glb(ball)) == []


def test_a_large_mesh_is_quantised_and_then_loses_faces(gltf_validator: Validator, tmp_path: Path) -> None:
    """The largest first, each within its rung, without an error for Khronos' validator, and told in words."""
    ball = painted_ball(96)
    whole = glb(ball)
    medium, small = mesh_versions(ball, whole, ladder=((len(whole) - 1, "-medium"), (60_000, "-small")))
    assert len(whole) > len(medium.data) > 60_000 >= len(small.data)
    assert (medium.suffix, medium.note) == ("-medium", "stored with 16-bit positions")
    assert small.note.startswith(f"stored with 16-bit positions; reduced from {len(ball.faces):,} to ")
    for made in (medium, small):
        assert b"KHR_mesh_quantization" in made.data
        assert gltf_validator.complaints(made.data, tmp_path / "made.glb") == []


def test_a_version_that_fits_every_rung_is_made_once() -> None:
    """And where none can be small enough, there is none."""
    ball = painted_ball(96)
    [only] = mesh_versions(ball, stl(ball), "stl", ladder=((100_000, "-medium"), (99_000, "-small")))
    assert only.suffix == "-medium"
    assert only.note.startswith("reduced from ")
    assert mesh_versions(ball, stl(ball), "stl", ladder=((200, "-small"),)) == []


def test_making_them_can_be_cancelled() -> None:
    """Before each one."""
    ball = painted_ball(96)

    def cancelled() -> None:
        raise CancelledRunError("x")

    with pytest.raises(CancelledRunError):
        mesh_versions(ball, glb(ball), ladder=LOW, check=cancelled)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def saved(picture: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format, **options)
    return stream.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_a_large_picture_gets_fewer_colours_and_pixels(format: str) -> None:
    """In the format that it had."""
    whole = saved(noise(400, 300), format)
    [made] = picture_versions(whole, ladder=((len(whole) // 8, "-small"),))
    with Image.open(io.BytesIO(made.data)) as picture:
        assert (picture.format, picture.width < 400, len(made.data) <= len(whole) // 8) == (format, True, True)
        assert made.note == f"fewer colours, {picture.width} x {picture.height} of 400 x 300 pixels"


def test_a_large_moving_picture_still_moves() -> None:
    """With fewer pixels and frames."""
    frames = [noise(96, 72, n) for n in range(12)]
    whole = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    [made] = picture_versions(whole, ladder=((len(whole) // 4, "-small"),))
    with Image.open(io.BytesIO(made.data)) as picture:
        count = getattr(picture, "n_frames", 1)
        assert 1 < count <= 12
        assert made.note == f"{count} of 12 pictures, {picture.width} x {picture.height} of 96 x 72 pixels"
    assert len(made.data) <= len(whole) // 4


async def test_a_run_keeps_them_beside_the_whole(tmp_path: Path) -> None:
    """Under names that tell them apart."""
    run = context(folder=tmp_path)
    made = [Made("-medium", b"medium", "fewer faces"), Made("-small", b"small", "far fewer faces")]
    whole, smaller = kept(run, b"the whole chair", made, name="chair.glb", media_type="model/gltf-binary")
    assert (whole.name, whole.size) == ("chair.glb", 15)
    assert [(each.name, each.size, each.note) for each in smaller] == [
        ("chair-medium.glb", 6, "fewer faces"), ("chair-small.glb", 5, "far fewer faces"),
    ]  # fmt: skip


# -- Which one comes


def loaded(store: ArtifactStore, *pieces: dict[str, Any]) -> list[Attachment]:
    return list(CARVE.result(story="s", pieces=tuple(Piece.model_validate(each) for each in pieces)).attachments())


def test_the_largest_version_that_fits_comes_instead(tmp_path: Path) -> None:
    """And gives way to a smaller one before any file is left out."""
    store = folder_store(tmp_path)
    load = parcels(loaded(
        store,
        piece(store, "a.glb", "file", b"a" * 100, smaller=[b"a" * 60, b"a" * 20]),
        piece(store, "b.png", "still", b"b" * 50),
        piece(store, "a.glb", "file", b"c" * 40, smaller=[b"c" * 10]),
    ))  # fmt: skip

    def aboard(file: int, request: int, count: int = 9) -> list[tuple[str, int]]:
        return [(each.name, each.size) for each in fitted(load, Room(file, request, count)) if each.without is None]

    assert aboard(100, 999) == [("a.glb", 100), ("b.png", 50), ("a-2.glb", 40)]
    assert aboard(99, 999) == [("a-60.glb", 60), ("b.png", 50), ("a-2.glb", 40)]
    assert aboard(99, 149) == [("a-20.glb", 20), ("b.png", 50), ("a-2.glb", 40)]
    assert aboard(99, 80) == [("a-20.glb", 20), ("b.png", 50), ("a-10.glb", 10)]
    assert aboard(19, 80) == [("a-10.glb", 10)]
    assert aboard(99, 80, 2) == [("b.png", 50), ("a-10.glb", 10)]
    left = fitted(load, Room(5, 999, 9))
    assert (left[0].name, left[0].size, left[0].without) == ("a.glb", 100, "too large")


def test_no_file_is_left_out_while_another_can_be_smaller(tmp_path: Path) -> None:
    """Though it is the largest."""
    store = folder_store(tmp_path)
    load = parcels(loaded(
        store, piece(store, "x.glb", "file", b"x" * 70), piece(store, "y.glb", "file", b"y" * 60, smaller=[b"y" * 20]),
    ))  # fmt: skip
    assert [each.name for each in fitted(load, Room(99, 100, 9))] == ["x.glb", "y-20.glb"]
    assert [each.without for each in fitted(load, Room(99, 80, 9))] == ["too large", None]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.lists(st.integers(0, 50), max_size=3)), max_size=6),
    st.integers(0, 60),
    st.integers(0, 120),
    st.integers(0, 5),
)
def test_whatever_the_versions_all_fits_and_all_is_told(
    sizes: list[tuple[int, list[int]]], most: int, together: int, count: int
) -> None:
    """Every file comes whole, or smaller, or is told of."""
    load = []
    for number, (size, less) in enumerate(sizes):
        about = {"sha256": "0" * 64, "media_type": PNG, "note": "n"}
        smaller = [about | {"name": f"f{number}-{n}.x", "size": each} for n, each in enumerate(less)]
        artifact = {"name": f"f{number}.x", "size": size, "sha256": "0" * 64, "media_type": PNG}
        load.append(Piece.model_validate({"artifact": artifact, "role": "file", "smaller": smaller}))
    made = fitted(parcels(CARVE.result(story="", pieces=tuple(load)).attachments()), Room(most, together, count))
    there = [each.size for each in made if each.without is None]
    assert (len(there) <= count, sum(there) <= together, all(each <= most for each in there)) == (True, True, True)
    told = [each for each in made if each.without or each.instead]
    assert len(left_out("job1", made)) == len(told)
    assert len({each.name for each in made}) == len(made)


async def test_a_smaller_version_is_told_in_words(tmp_path: Path) -> None:
    """What was done, of what, and how to come by the whole; and its spare lies there for a narrower place."""
    store = folder_store(tmp_path)
    load = loaded(store, piece(store, "a.glb", "file", b"a" * 100, smaller=[b"a" * 60, b"a" * 20]))
    async with packed(store, load, Room(60, 999, 9), insist=True) as made:
        [parcel] = made
        assert parcel.path is not None
        assert parcel.path.read_bytes() == b"a" * 60
        assert [copy.path.read_bytes() for copy in parcel.smaller if copy.path] == [b"a" * 20]
        assert as_text(Reply(tuple(left_out("job1", made)))) == (
            "a-60.glb (60 B) is a smaller version of a.glb (100 B): 60 of 100 faces. The whole is kept by this desk, "
            "whose admins get it with frontdesk fetch job1."
        )
    async with packed(store, load, Room(60, 999, 9), insist=True, link=lambda a, s: f"https://x/{a.size}") as made:
        told = as_text(Reply(tuple(left_out("job1", made))))
        assert told.endswith("The whole: download it: https://x/100 (for 24 h).")


# -- Discord


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return folder_store(tmp_path / "store", limit=60 * MIB)


@pytest.fixture
async def discord(redis: Redis, monkeypatch: pytest.MonkeyPatch, store: ArtifactStore) -> AsyncIterator[Front]:
    monkeypatch.setattr(on_discord_delivery, "PATIENCE", 0.02)
    async with front(redis, monkeypatch, kinds=[CARVE], store=store) as made:
        await made.start()
        yield made


async def delivered(at: Front, pieces: list[dict[str, Any]], **options: Any) -> Interaction:
    asked = await at.discord.slash(at.discord.user("ada"), "carve", what="a horse", **options)
    at.engine.end(await at.accepted(asked), carving(pieces))
    await at.discord.until(lambda: any("Carved." in each.text for each in at.discord.messages.values()))
    return asked


@pytest.mark.parametrize(("takes", "size"), [(10 * MIB, 9), (8 * MIB, 7), (6 * MIB, 0)])
async def test_discord_gets_the_version_that_it_takes(
    discord: Front, store: ArtifactStore, takes: int, size: int
) -> None:
    """Also where it takes less than it said: then a smaller one, and at last the words."""
    discord.discord.general.takes = takes
    whole = piece(store, "big.glb", "file", b"b" * 12 * MIB, smaller=[b"b" * 9 * MIB, b"b" * 7 * MIB])
    asked = await delivered(discord, [piece(store, "view.png", "still", png(), PNG), whole])
    sizes = {name: len(data) // MIB for name, data in asked.shown.files.items() if name.startswith("big")}
    if size:
        assert list(sizes.values()) == [size]
        assert "is a smaller version of `big.glb` (12.6 MB)" in asked.text
    else:
        assert sizes == {}
        assert "`big.glb` (12.6 MB) is too large for this chat." in asked.text


async def test_an_upload_that_breaks_off_on_discord_is_sent_again(discord: Front, store: ArtifactStore) -> None:
    """Once is nothing; what breaks off again and again is told of, and the words come."""
    pieces = [piece(store, "horse.glb", "file", b"a horse")]
    asked = await discord.discord.slash(discord.discord.user("ada"), "carve", what="a horse")
    job_id = await discord.accepted(asked)
    discord.discord.fail("PATCH", 0)
    discord.engine.end(job_id, carving(pieces))
    await discord.discord.says(asked, "Carved.")
    assert asked.shown.files == {"horse.glb": b"a horse"}
    asked = await discord.discord.slash(discord.discord.user("bob"), "carve", what="a horse")
    job_id = await discord.accepted(asked)
    discord.discord.fail("PATCH", 0, times=on_discord_delivery.UPLOAD_TRIES)
    discord.engine.end(job_id, carving(pieces))
    await discord.discord.says(asked, "Carved.")
    assert asked.shown.files == {}
    assert "`horse.glb` (7 B) could not be sent. It is kept by this desk" in asked.text


async def test_files_for_who_closed_their_dms_stay_kept(discord: Front, store: ArtifactStore) -> None:
    """A private answer that finds no way is marked, and its files can be fetched."""
    ada = discord.discord.user("ada")
    asked = await discord.discord.slash(ada, "carve", what="a horse", private=True)
    job_id = await discord.accepted(asked)
    discord.discord.expire(asked)
    ada.dms_open = False
    discord.engine.end(job_id, carving([piece(store, "horse.glb", "file", b"a horse")]))
    listed = await until_undelivered(discord, job_id)
    assert listed.startswith("undeliverable")


async def until_undelivered(at: Front, job_id: str) -> str:
    async def delivery() -> str | None:
        record = await at.premises.broker.job(job_id)
        return record.delivery if record else None

    return str(await until(delivery))


# -- Telegram


@pytest.fixture
async def room(
    telegram: TelegramStandIn, redis: Redis, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> TelegramRoom:
    monkeypatch.setattr(on_telegram_delivery, "NETWORK_PAUSE", 0.05)
    monkeypatch.setattr(on_telegram_delivery, "PRIVATE_EVERY", 0.01)
    made = TelegramRoom(telegram, redis, Limits.load(), store)
    made.kinds = (*made.kinds, CARVE)
    return made


async def handed(room: TelegramRoom, who: Person, pieces: list[dict[str, Any]]) -> list[Message]:
    """What the bot sent beside the ticket."""
    ticket = await room.ticket(await room.telegram.say(who, "/carve a horse"))
    made = await room.worker.claim()
    await room.worker.finish(made, carved(pieces))
    assert await room.delivery(made.id) == "delivered"
    return [ticket, *(each for each in ticket.chat.messages.values() if each.sender is None and each is not ticket)]


async def test_telegram_gets_the_version_that_its_server_takes(
    room: TelegramRoom, alice: Person, store: ArtifactStore
) -> None:
    """By the setting."""
    pieces = [piece(store, "big.glb", "file", b"b" * 1_200_000, smaller=[b"b" * 900_000])]
    async with room.bot(telegram_upload_mb=1):
        ticket, file = await handed(room, alice, pieces)
    assert file.document == ("big-900000.glb", b"b" * 900_000)
    assert "is a smaller version of big.glb (1.2 MB): 900000 of 1200000 faces. The whole is kept" in ticket.text


async def test_where_telegram_takes_less_than_it_should_a_smaller_version_follows(
    room: TelegramRoom, alice: Person, store: ArtifactStore, telegram: TelegramStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With words that say so."""
    monkeypatch.setattr(on_telegram_parcels, "NARROW", 50_000)
    telegram.upload_limit = 60_000
    pieces = [piece(store, "big.glb", "file", b"b" * 90_000, smaller=[b"b" * 40_000])]
    async with room.bot():
        _, file, told = await handed(room, alice, pieces)
    assert file.document == ("big-40000.glb", b"b" * 40_000)
    assert told.text.startswith("big-40000.glb (40 kB) is a smaller version of big.glb (90 kB)")


async def test_a_group_that_breaks_off_on_telegram_is_sent_again(
    room: TelegramRoom, alice: Person, store: ArtifactStore, telegram: TelegramStandIn
) -> None:
    """Once."""
    telegram.fail("sendMediaGroup", cut="before")
    pieces = [piece(store, f"{name}.glb", "file", name.encode()) for name in ("a", "b")]
    async with room.bot():
        _, *files = await handed(room, alice, pieces)
    assert [each.document for each in files] == [("a.glb", b"a"), ("b.glb", b"b")]


# -- frontdesk fetch


async def test_files_are_fetched_by_the_jobs_id(redis: Redis, tmp_path: Path, store: ArtifactStore) -> None:
    """One's own, or as an admin anybody's; and where there are none, that is said."""
    front = premises(redis, kinds=[CARVE], default="carve", admin="root")
    front = type(front)(front.settings, front.kinds, redis, front.broker, front.desk, store=store)
    made = job(kind="carve", params={"what": "x"}, requester=Requester(platform="console", user="ada", tenant="ada"))
    await submit(front.broker, made)
    out = Paper()

    async def fetched(name: str, job_id: str = made.id) -> Exit:
        return await fetch(front, person(name), job_id, tmp_path / name, out=out, err=out)

    assert await fetched("ada") is Exit.FAILED
    outcome = Outcome(status="done", result=carved([piece(store, "horse.glb", "file", b"a horse")]))
    done = {"state": "done", "outcome": encode(outcome)}
    await answer(redis.hset(keys.job(made.id), mapping=done))
    assert await fetched("ada") is Exit.DONE
    assert await fetched("root") is Exit.DONE
    assert await fetched("eve") is Exit.REFUSED
    assert await fetched("ada", "nojob") is Exit.REFUSED
    assert [(tmp_path / name / "horse.glb").read_bytes() for name in ("ada", "root")] == [b"a horse"] * 2
    assert not (tmp_path / "eve").exists()
    assert f"{made.id} has not ended." in out.text


def test_a_parcel_that_is_left_is_the_file_itself() -> None:
    """Whatever it was shrunk to before."""
    about = {"sha256": "0" * 64, "media_type": PNG}
    read = Piece.model_validate({
        "artifact": about | {"name": "a.png", "size": 9}, "role": "still",
        "smaller": [about | {"name": "a-s.png", "size": 5, "note": "n"}],
    })  # fmt: skip
    [parcel] = parcels([Attachment(read.artifact, "still", read.smaller)])
    assert isinstance(parcel, Parcel)
    assert parcel.shrunk().left("refused") == Parcel(parcel.attachment, "a.png", without="refused")
