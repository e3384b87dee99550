"""Files are kept by their content, whole or not at all: in a folder and in a bucket of a real server alike."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from storing import MODEL, bucket_store, folder_store, new_bucket, object_server, put

from frontdesk.queue import blobs
from frontdesk.queue.artifacts import Artifact, ArtifactStore, safe_name
from frontdesk.queue.errors import (
    ConfigurationError,
    FileDamagedError,
    FileGoneError,
    FileTooLargeError,
    StoreError,
    UserError,
)
from frontdesk.queue.settings import Settings

DATA = b"a chair" * 5000


@dataclass
class Shop:
    """A store, and what lies where it keeps its files."""

    store: ArtifactStore
    where: tuple[str, ...]

    def names(self) -> list[str]:
        """Files that a reader could find."""
        return sorted(blob.key for blob in self.store.contents().files)

    def damage(self, artifact: Artifact, data: bytes) -> None:
        self.store._blobs.write(f"{artifact.sha256[:2]}/{artifact.sha256}", data)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with object_server() as address:
        yield address


@pytest.fixture(params=["folder", "bucket"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    if request.param == "folder":
        folder = tmp_path / "store"
        return Shop(folder_store(folder), (str(folder),))
    server: str = request.getfixturevalue("server")
    root = f"{new_bucket(server)}/desk/files"
    return Shop(bucket_store(server, root), (server, root))


def test_a_file_comes_back_as_it_was(shop: Shop, tmp_path: Path) -> None:
    """From bytes or from a file, an empty one too; under its own name, with its size and hash."""
    source = tmp_path / "made.bin"
    source.write_bytes(DATA)
    for data, given_data in ((DATA, DATA), (DATA, source), (b"", b"")):
        artifact = shop.store.put(given_data, name="chair.glb", media_type=MODEL)
        assert artifact == Artifact(name="chair.glb", sha256=sha256(data).hexdigest(), size=len(data), media_type=MODEL)
        assert shop.store.read(artifact) == data
        assert shop.store.fetch(artifact, tmp_path / "here").read_bytes() == data
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["chair.glb"]


def test_the_same_content_lies_there_once(shop: Shop) -> None:
    """Whatever it is called, and however many put it at the same time."""
    with ThreadPoolExecutor(8) as threads:
        put_ = list(threads.map(lambda number: put(shop.store, DATA, f"chair-{number}.glb"), range(16)))
    assert shop.names() == [put_[0].sha256]
    assert {artifact.name for artifact in put_} == {f"chair-{number}.glb" for number in range(16)}
    assert shop.store.read(put_[3]) == DATA


def test_a_file_that_is_gone_says_so(shop: Shop, tmp_path: Path) -> None:
    """Its requester may read the sentence; removing what is gone is no error; nothing is left of the attempt."""
    artifact = put(shop.store)
    shop.store.remove(artifact.sha256)
    shop.store.remove(artifact.sha256)
    with pytest.raises(FileGoneError, match=r"^chair\.glb is no longer kept\.$") as caught:
        shop.store.read(artifact)
    assert isinstance(caught.value, UserError)
    with pytest.raises(FileGoneError):
        shop.store.fetch(artifact, tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("data", [b"a chaiR", b"a cha", b"a chair and more", b""])
def test_a_damaged_file_is_never_handed_out(shop: Shop, tmp_path: Path, data: bytes) -> None:
    """Changed, cut, or longer: read and fetch refuse it, and putting it again mends it."""
    artifact = put(shop.store)
    shop.damage(artifact, data)
    with pytest.raises(FileDamagedError, match=r"^chair\.glb was damaged"):
        shop.store.read(artifact)
    with pytest.raises(FileDamagedError):
        shop.store.fetch(artifact, tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []
    assert shop.store.read(put(shop.store)) == b"a chair"


def test_a_fetch_takes_the_place_of_an_older_file(shop: Shop, tmp_path: Path) -> None:
    """A file of that name is replaced, a link is not followed."""
    outside = tmp_path / "outside"
    outside.write_bytes(b"not yours")
    (tmp_path / "chair.glb").symlink_to(outside)
    assert shop.store.fetch(put(shop.store), tmp_path).read_bytes() == b"a chair"
    assert outside.read_bytes() == b"not yours"


def test_what_is_too_large_is_refused_before_it_is_stored(shop: Shop, tmp_path: Path) -> None:
    """The sentence names both sizes; a checkpoint has the same limit."""
    large = tmp_path / "large"
    large.write_bytes(bytes(1_000_001))
    for data in (large, large.read_bytes()):
        with pytest.raises(FileTooLargeError, match=r"scene\.npz has 1\.0 MB; at most 1\.0 MB can be kept"):
            shop.store.put(data, name="scene.npz", media_type="application/octet-stream")
    with pytest.raises(FileTooLargeError):
        shop.store.save("job", large.read_bytes())
    assert shop.names() == []


def test_what_is_no_file_is_refused(shop: Shop, tmp_path: Path) -> None:
    """A folder, a path that leads nowhere, a media type that would break a header."""
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match="no ordinary file"):
            shop.store.put(path, name="x", media_type=MODEL)
    for media_type in ("model", "text/html\r\nX: y", "", "a/b; c=d"):
        with pytest.raises(ValidationError):
            shop.store.put(b"x", name="x", media_type=media_type)


def test_a_checkpoint_is_found_by_the_jobs_id(shop: Shop) -> None:
    """The last one, or none; a damaged one counts as none; a job's name cannot lead elsewhere."""
    assert shop.store.saved("1abc") is None
    shop.store.save("1abc", b"epoch 1")
    shop.store.save("1abc", b"epoch 2")
    assert shop.store.saved("1abc") == b"epoch 2"
    assert shop.store.saved("1abd") is None
    shop.store._blobs.write("saved/1abc", b"short")
    assert shop.store.saved("1abc") is None
    shop.store.forget("1abc")
    shop.store.forget("1abc")
    assert shop.store.contents().checkpoints == []
    with pytest.raises(ValueError, match="not the id of a job"):
        shop.store.save("../ab/chair", b"")


def test_a_file_is_only_removed_while_it_is_old(shop: Shop) -> None:
    """Put again, it is young again."""
    artifact = put(shop.store)
    (there,) = shop.store.contents().files
    assert (there.key, there.size) == (artifact.sha256, artifact.size)
    assert not shop.store.remove_older(artifact.sha256, there.modified - 1)
    assert shop.store.read(artifact) == b"a chair"
    assert shop.store.remove_older(artifact.sha256, there.modified + 60)
    assert not shop.store.remove_older(artifact.sha256, there.modified + 60)
    assert shop.names() == []


def test_a_file_that_is_written_anew_while_it_is_removed_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder: whoever put it counts on it."""
    store = folder_store(tmp_path)
    artifact = put(store)
    path = tmp_path / artifact.sha256[:2] / artifact.sha256
    os.utime(path, (0, 0))
    rename = Path.rename

    def overtaken(self: Path, target: Path) -> Path:
        put(store)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    assert not store.remove_older(artifact.sha256, 1.0)
    assert store.read(artifact) == b"a chair"
    assert list((tmp_path / "part").iterdir()) == []


def test_a_put_that_is_killed_leaves_nothing_to_see(shop: Shop) -> None:
    """kill -9 when only the last step is missing: nobody finds a file, and what it left is removed in time."""
    if shop.where[0].startswith("http"):
        shop.store.stamp("mine")
    process = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("bucket_process.py"), *shop.where],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "middle\n"
    process.kill()
    process.communicate()
    blobs = shop.store._blobs
    assert shop.store.contents().files == []
    assert unfinished(shop) > 0
    shop.store.clear_parts(before=0.0)
    assert unfinished(shop) > 0
    shop.store.clear_parts(before=4e9)
    assert unfinished(shop) == 0
    assert {blob.key for blob in blobs.listed()} <= {"desk"}


def unfinished(shop: Shop) -> int:
    """Parts that nobody sees, but that take room."""
    if len(shop.where) == 1:
        return len(list(Path(shop.where[0], "part").iterdir()))
    with urllib.request.urlopen(f"{shop.where[0]}/{shop.where[1].split('/')[0]}?uploads") as said:  # noqa: S310
        listed: bytes = said.read()
    return listed.count(b"<UploadId>")


def test_a_folder_gives_no_links_and_is_its_owners(tmp_path: Path) -> None:
    """Files go out through the bots there; other users of the machine do not see them."""
    store = folder_store(tmp_path / "deep" / "store")
    assert store.signed(put(store), 60) is None
    assert (tmp_path / "deep" / "store").stat().st_mode & 0o077 == 0


def test_a_bucket_gives_links_that_end(server: str) -> None:
    """A download under the file's name, with its media type, for a week at most."""
    store = bucket_store(server, new_bucket(server))
    artifact = put(store, DATA)
    link = store.signed(artifact, 3600)
    assert link is not None
    asked = parse_qs(urlsplit(link).query)
    assert asked["X-Amz-Expires"] == ["3600"]
    with urllib.request.urlopen(link) as said:  # noqa: S310
        assert said.read() == DATA
        assert said.headers["Content-Disposition"] == 'attachment; filename="chair.glb"'
        assert said.headers["Content-Type"] == MODEL
    assert parse_qs(urlsplit(store.signed(artifact, 1e9) or "").query)["X-Amz-Expires"] == ["604800"]


def test_storage_that_cannot_be_reached_is_one_error(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket that is not there, a server that is not there, a folder that is a file; no address in the words."""
    monkeypatch.setitem(blobs.TIMEOUTS, "retries", {"max_attempts": 0})  # else it is asked for seconds
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    for store in (bucket_store(server, "no-such-bucket"), folder_store(blocked)):
        for call in (put, lambda store: store.save("job", b"")):
            with pytest.raises(StoreError):
                call(store)
    with pytest.raises(StoreError) as caught:
        put(bucket_store("http://127.0.0.1:9", "bucket"))
    assert "127.0.0.1" not in str(caught.value)


@given(st.text(max_size=200))
def test_every_name_becomes_a_safe_one(name: str) -> None:
    """No folder, no hidden file, no device of Windows, nothing to escape; a safe name stays as it is."""
    safe = safe_name(name)
    artifact = Artifact(name=safe, sha256="0" * 64, size=0, media_type="a/b")
    assert safe_name(artifact.name) == safe
    assert not safe.endswith(".")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("chair.glb", "chair.glb"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\Stühle rot.tar.gz", "Stuhle_rot.tar.gz"),
        (".bashrc", "bashrc"),
        ("con.glb", "_con.glb"),
        ('a"; rm -rf x\r\n.png', "a_rm_-rf_x_.png"),
        ("", "file"),
        ("..", "file"),
        ("椅子.glb", "_.glb"),
        ("x" * 300 + ".png", "x" * 76 + ".png"),
    ],
)
def test_names_stay_recognisable(name: str, safe: str) -> None:
    """What can be kept of a name is kept, the suffix first of all."""
    assert safe_name(name) == safe


def test_the_settings_choose_the_store(server: str, tmp_path: Path) -> None:
    """Without any, a folder in the data folder; a folder by its path; a bucket by its address, with its credentials."""
    put(ArtifactStore.of(Settings(data_dir=tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["artifacts"]
    put(ArtifactStore.of(Settings(data_dir=tmp_path, artifacts_url=str(tmp_path / "shared"))))
    assert (tmp_path / "shared").is_dir()
    bucket = new_bucket(server)
    settings = Settings(
        artifacts_url=f"s3://{bucket}/desk/",
        artifacts_endpoint=server,
        artifacts_key="key",
        artifacts_secret=SecretStr("secret"),
    )
    artifact = put(ArtifactStore.of(settings))
    assert bucket_store(server, f"{bucket}/desk").read(artifact) == b"a chair"
    with pytest.raises(ConfigurationError, match="belong together"):
        ArtifactStore.of(Settings(artifacts_url=f"s3://{bucket}", artifacts_key="key"))


def test_a_bucket_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """s3fs is an extra: most desks have a folder."""
    monkeypatch.setitem(sys.modules, "s3fs", None)
    from fsspec.registry import _registry

    monkeypatch.delitem(_registry, "s3", raising=False)
    with pytest.raises(ConfigurationError, match=r"pip install 'frontdesk\[s3\]'"):
        bucket_store("http://127.0.0.1:9", "bucket")
