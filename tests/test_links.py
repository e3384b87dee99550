"""Links to files: whoever has one can fetch that file for a while, and nobody can make one or change it."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from carving import CARVE, Piece, usual
from console import premises as console_premises
from redis.asyncio import Redis
from storing import MODEL, bucket_store, folder_store, new_bucket, object_server
from structlog.testing import capture_logs
from yarl import URL

from frontdesk.bots.file_replies import left_out
from frontdesk.bots.file_server import served
from frontdesk.bots.links import KEY_FILE, BadLinkError, ExpiredLinkError, Links, kept_key, links_of
from frontdesk.bots.main import Premises, files_served
from frontdesk.bots.packing import packed
from frontdesk.bots.parcels import Room
from frontdesk.bots.replies import Reply, as_text
from frontdesk.queue.artifacts import Artifact, ArtifactStore
from frontdesk.queue.errors import ConfigurationError
from frontdesk.queue.settings import Settings

KEY, JOB, DAY = b"k" * 32, "1s2k9x4qd", 86_400.0
CONTENT = bytes(range(256)) * 40


class Got(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]


class Site:
    """A running server, its clock, and a client of it."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store = store
        self.now = 1_800_000_000.0
        self.links = Links("https://files.example/desk", KEY, lambda: self.now)
        self.file = store.put(CONTENT, name="chair.glb", media_type=MODEL)
        self.at = ""

    def link(self, links: Links | None = None, file: Artifact | None = None) -> str:
        """An address, as it leads to the server through a proxy."""
        address = (links or self.links).address(JOB, file or self.file, DAY)
        assert address.startswith("https://files.example/desk/files/")
        return address.replace("https://files.example", self.at)

    async def get(self, url: str, method: str = "GET", **headers: str) -> Got:
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, URL(url, encoded=True), headers=headers) as said,
        ):
            return Got(said.status, await said.read(), said.headers)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(folder_store(tmp_path / "store"))
    async with served("127.0.0.1:0", made.links, made.store) as made.at:
        yield made


async def test_who_has_a_link_gets_the_file(site: Site) -> None:
    """To be saved, under its name, as what it is; and never to be run or kept by a browser."""
    got = await site.get(site.link())
    assert (got.status, got.body) == (200, CONTENT)
    assert got.headers["Content-Type"] == MODEL
    assert got.headers["Content-Disposition"] == 'attachment; filename="chair.glb"'
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert got.headers["Cache-Control"] == "private, no-store"


async def test_a_download_that_broke_off_can_go_on(site: Site) -> None:
    """By a range; and one may look first."""
    got = await site.get(site.link(), Range="bytes=100-199")
    assert (got.status, got.body) == (206, CONTENT[100:200])
    looked = await site.get(site.link(), "HEAD")
    assert (looked.status, looked.headers["Content-Length"]) == (200, str(len(CONTENT)))


async def test_a_link_ends(site: Site) -> None:
    """And says so, where it was a real one."""
    url = site.link()
    site.now += DAY - 1
    assert (await site.get(url)).status == 200
    site.now += 1
    ended = await site.get(url)
    assert (ended.status, ended.body) == (410, b"This link has ended.")


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("chair.glb", "chair.exe"),
        (JOB, "1s2k9x4qe"),
        ("until=18", "until=19"),
        ("size=10240", "size=1024"),
        ("type=model", "type=text"),
        ("signature=", "signature=0"),
        ("signature=", "s="),
        ("signature=", "signature=%C3%A4"),
        ("until=", "until=%D9%A1"),
        ("/files/", "/files/../files/x/"),
        ("/files/", "/"),
        ("chair.glb", "..%2F..%2Fdesk"),
        ("chair.glb", "%2e%2e"),
        ("chair.glb?", "?"),
    ],
)
async def test_what_was_changed_leads_nowhere(site: Site, part: str, other: str) -> None:
    """Name, job, time, size, type, signature, or the path; and the answer tells nothing."""
    url = site.link()
    assert part in url
    got = await site.get(url.replace(part, other, 1))
    assert (got.status, got.body) == (404, b"Nothing is here.")


async def test_another_file_or_key_leads_nowhere(site: Site) -> None:
    """The signature is of one file, under this desk's key."""
    secret = site.store.put(b"secret", name="secret.glb", media_type=MODEL)
    assert (await site.get(site.link().replace(site.file.sha256, secret.sha256))).status == 404
    foreign = Links("https://files.example/desk", b"x" * 32, lambda: site.now)
    assert (await site.get(site.link(foreign))).status == 404
    assert (await site.get(site.link(), "POST")).status == 404
    for path in ("/", "/desk/files/", "/desk/files", f"/desk/files/{JOB}", "/%2e%2e/%2e%2e/etc/passwd", "/desk//etc"):
        assert (await site.get(site.at + path)).status == 404


async def test_a_file_that_is_gone_or_another_leads_nowhere(site: Site) -> None:
    """A link promises no keeping."""
    url, path = site.link(), site.store.path(site.file)
    assert path is not None
    path.write_bytes(CONTENT[:-1])
    assert (await site.get(url)).status == 404
    site.store.remove(site.file.sha256)
    assert (await site.get(url)).status == 404


async def test_no_address_is_logged(site: Site) -> None:
    """It is as good as the file."""
    with capture_logs() as logs:
        await site.get(site.link())
        await site.get(site.link().replace("until=", "until=1"))
    assert site.file.sha256 not in str(logs)


async def test_two_bots_share_the_port(site: Site) -> None:
    """They have one key and one store; a port that another program holds is said to be taken."""
    listen = site.at.removeprefix("http://")
    async with served(listen, site.links, site.store) as second:
        assert second == site.at
        assert (await site.get(site.link())).status == 200
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(ConfigurationError, match="FRONTDESK_FILES_LISTEN is"):
            async with served(f"127.0.0.1:{port}", site.links, site.store):
                pass


# -- The key, and what the settings say


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    """And read again; one that others can read, or that is none, is not used."""
    path = tmp_path / "new" / KEY_FILE
    key = kept_key(path)
    assert (len(key), kept_key(path)) == (32, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [KEY_FILE]
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="can be read by others"):
        kept_key(path)
    path.chmod(0o600)
    path.write_text("short")
    with pytest.raises(ConfigurationError, match="holds no key"):
        kept_key(path)
    with pytest.raises(ConfigurationError, match="FRONTDESK_FILES_KEY"):
        kept_key(path / "below a file" / KEY_FILE)


def test_links_are_made_where_an_address_is_set(tmp_path: Path) -> None:
    """With the key that is set, or the one that is kept."""
    assert links_of(Settings(data_dir=tmp_path)) is None
    given = Settings.model_validate({"data_dir": tmp_path, "files_url": "https://a.example", "files_key": "s" * 32})
    file = Artifact(name="a.glb", sha256="0" * 64, size=1, media_type=MODEL)
    links = links_of(given)
    assert links is not None
    assert not (tmp_path / KEY_FILE).exists()
    assert "s" * 32 not in repr(given)
    kept = links_of(Settings.model_validate({"data_dir": tmp_path, "files_url": "https://a.example"}))
    assert kept is not None
    url = URL(kept.address(JOB, file, 10.0))
    assert kept.read(JOB, file.sha256, file.name, url.query) == file
    with pytest.raises(BadLinkError):
        links.read(JOB, file.sha256, file.name, url.query)
    late = Links("https://a.example", kept_key(tmp_path / KEY_FILE), lambda: 10.0**10)
    with pytest.raises(ExpiredLinkError):
        late.read(JOB, file.sha256, file.name, url.query)


async def test_answers_name_the_links(tmp_path: Path) -> None:
    """Of what is too large, and of what comes smaller."""
    store = folder_store(tmp_path)
    links = Links("https://files.example", KEY)
    load = [Piece.model_validate(each) for each in usual(store)]
    attachments = CARVE.result(story="s", pieces=tuple(load)).attachments()
    async with packed(
        store, attachments, Room(20, 100, 9), insist=True, link=lambda a, s: links.address(JOB, a, s)
    ) as made:
        told = as_text(Reply(tuple(left_out(JOB, made))))
    assert f"horse.stl (26 B) is too large for this chat: download it: https://files.example/files/{JOB}/" in told


def front(redis: Redis, store: ArtifactStore, **settings: object) -> Premises:
    made = console_premises(redis, kinds=[CARVE], default="carve")
    chosen = Settings.model_validate({"files_listen": "127.0.0.1:0", **settings})
    return Premises(chosen, made.kinds, redis, made.broker, made.desk, store=store)


async def test_a_bot_serves_a_folder_and_no_bucket(redis: Redis, tmp_path: Path) -> None:
    """A bucket's server gives links itself; without a public address nothing listens."""
    store, url = folder_store(tmp_path), {"data_dir": tmp_path, "files_url": "https://a.example"}
    async with files_served(front(redis, store)) as links:
        assert links is None
    async with files_served(front(redis, store, **url)) as links:
        assert links is not None
    with object_server() as endpoint:
        bucket = await asyncio.to_thread(lambda: bucket_store(endpoint, new_bucket(endpoint)))
        async with files_served(front(redis, bucket, **url)) as links:
            assert links is None
