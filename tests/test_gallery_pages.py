"""The public pages and the files behind them over HTTP: who sees what, and what a browser is told about it."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape

import httpx
import pytest
from browsing import Hosted, hosted
from redis.asyncio import Redis
from showpieces import Exhibits, picture

from frontdesk.gallery.cards import Cards
from frontdesk.gallery.curves import HEIGHT, WIDTH, Curve, drawing
from frontdesk.gallery.guarding import VIEWER_STYLE
from frontdesk.gallery.rendering import FOLDER as TEMPLATES
from frontdesk.gallery.static_files import FOLDER as STATIC
from frontdesk.queue.artifacts import ArtifactStore
from frontdesk.queue.embedded import EmbeddedServer
from frontdesk.queue.jobs import Artifact
from frontdesk.queue.kinds import Registry
from frontdesk.queue.settings import Settings

TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


async def exhibit(exhibits: Exhibits, redis: Redis) -> None:
    await exhibits.sculpture("a public cup", owner="bob", name="public")
    await exhibits.sculpture("adas secret", name="secret", public=False)
    await exhibits.text("a poem", "Roses are <b>red</b>.", owner="bob", name="poem")


@pytest.fixture(scope="module")
def site(redis_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with hosted(redis_server.url, tmp_path_factory.mktemp("desk"), exhibit) as served:
        yield served


@contextmanager
def visitor(site: Hosted, user: str = "") -> Iterator[httpx.Client]:
    """A browser of somebody, or of a passer-by."""
    with httpx.Client(base_url=site.base, headers={"Accept": "text/html", "Origin": site.base}) as client:
        if user:
            path = site.link(user).removeprefix(site.base)
            token = TOKEN.search(client.get(path).text)
            assert token
            assert client.post(path, data={"csrf": unescape(token[1])}).status_code == 303
        yield client


def file_of(page: str, ending: str) -> str:
    found = re.search(rf'/files/[^"?]+{re.escape(ending)}', page)
    assert found
    return found[0]


@pytest.mark.parametrize("user", ["", "bob", "root"])
def test_what_is_private_is_not_there_for_anybody_else(site: Hosted, user: str) -> None:
    """Page, picture, model, similar, and everything one can do: for passers-by, others and admins."""
    job = site.ids["secret"]
    with visitor(site, "ada") as ada, visitor(site, user) as other:
        page = ada.get(f"/objects/{job}").text
        files = [file_of(page, ending) for ending in (".png", ".gif", ".glb")]
        for path in (f"/objects/{job}", f"/objects/{job}/similar", f"/objects/{job}/similar?by=shape", *files):
            assert ada.get(path).status_code == 200, path
            refused = other.get(path)
            assert refused.status_code == 404, path
            assert "secret" not in refused.text
        for listed in ("/gallery", "/gallery?q=secret", f"/objects/{site.ids['public']}/similar"):
            assert "adas secret" not in other.get(listed).text
            assert job not in other.get(listed).text
        if user:
            token = TOKEN.search(other.get("/account").text)
            assert token
            for act in ("publish", "unpublish", "report", "rerun"):
                done = other.post(f"/objects/{job}/{act}", data={"csrf": unescape(token[1]), "reason": "x"})
                assert done.status_code == 404, act
            assert other.get(f"/objects/{job}/report").status_code == 404
        else:
            assert other.post(f"/objects/{job}/publish").headers["Location"] == "/sign-in"
            assert other.get("/gallery?mine=1").headers["Location"] == "/sign-in"
        assert f"/objects/{job}" not in other.get("/gallery?mine=1").text


def test_a_file_is_found_by_its_own_object_alone(site: Hosted) -> None:
    """Neither a hash that belongs to another object nor another name for it is anything here."""
    with visitor(site, "ada") as ada:
        own = file_of(ada.get(f"/objects/{site.ids['secret']}").text, ".png")
        _, _, _, sha256, name = own.split("/")
        public = site.ids["public"]
        strange = ["0" * 64, "..", sha256.upper(), f"{sha256[:2]}%2f{sha256}"]
        assert ada.get(own).status_code == 200
        for path in (f"/files/{public}/{sha256}/{name}", f"/files/{site.ids['secret']}/{sha256}/other.png"):
            assert ada.get(path).status_code == 404
        assert [ada.get(f"/files/{public}/{each}/thing.png").status_code for each in strange] == [404] * 4


def test_what_people_made_is_never_a_page_of_ours(site: Hosted) -> None:
    """Sandboxed, with its own media type; to be saved under its name; in parts, so that a download can go on."""
    with visitor(site) as passer_by:
        page = passer_by.get(f"/objects/{site.ids['public']}").text
        still, model = file_of(page, ".png"), file_of(page, ".glb")
        shown = passer_by.get(still)
        assert shown.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        assert shown.headers["Content-Type"] == "image/png"
        assert shown.headers["Content-Disposition"] == 'inline; filename="thing.png"'
        assert shown.headers["Cache-Control"] == "private, max-age=3600, immutable"
        saved = passer_by.get(f"{model}?save=1", headers={"Range": "bytes=0-3"})
        assert (saved.status_code, saved.content) == (206, b"glTF")
        assert saved.headers["Content-Disposition"].startswith("attachment; ")
    with visitor(site, "ada") as ada:
        own = file_of(ada.get(f"/objects/{site.ids['secret']}").text, ".png")
        assert ada.get(own).headers["Cache-Control"] == "private, no-store"


def test_a_public_object_tells_other_sites_what_it_is_and_a_private_one_does_not(site: Hosted) -> None:
    """Open Graph: title, picture and address."""
    with visitor(site) as passer_by, visitor(site, "ada") as ada:
        public = passer_by.get(f"/objects/{site.ids['public']}").text
        assert '<meta property="og:title" content="a public cup">' in public
        assert f'<meta property="og:image" content="{site.base}/files/' in public
        private = ada.get(f"/objects/{site.ids['secret']}").text
        assert "og:" not in private
        assert '<meta name="robots" content="noindex">' in private


def test_htmx_gets_the_part_that_it_asks_for(site: Hosted) -> None:
    with visitor(site) as passer_by:
        results = passer_by.get("/gallery?q=cup", headers={"HX-Request": "true", "HX-Target": "results"})
        assert "<html" not in results.text
        assert results.headers["HX-Replace-Url"] == "/gallery?q=cup"
        assert "HX-Request" in results.headers["Vary"]
        assert (
            'id="more" class="more" hx-swap-oob'
            in passer_by.get("/gallery", headers={"HX-Request": "true", "HX-Target": "cards"}).text
        )


@pytest.mark.parametrize(
    "address", ["?after=%00", "?after=x" + "y" * 999, "?kind=<b>", "?q=" + "%22%20OR%20" * 99, "?mine=2"]
)
def test_an_address_that_nobody_gave_is_an_ordinary_page(site: Hosted, address: str) -> None:
    with visitor(site) as passer_by:
        assert passer_by.get(f"/gallery{address}").status_code == 200


def test_rerun_queues_the_same_request_once_for_each_page(site: Hosted) -> None:
    with visitor(site, "ada") as ada:
        page = ada.get(f"/objects/{site.ids['poem']}").text
        token = TOKEN.search(page)
        once = re.search(r'name="once" value="([^"]+)"', page)
        assert token
        assert once
        form = {"csrf": unescape(token[1]), "once": once[1]}
        first, second = (ada.post(f"/objects/{site.ids['poem']}/rerun", data=form) for _ in range(2))
        assert first.status_code == 303
        assert first.headers["Location"] == second.headers["Location"]
        assert first.headers["Location"].startswith("/jobs/")


def test_scripts_of_others_are_what_their_list_says() -> None:
    """Each file of static/vendor/ has its hash in the README there and a licence; the policy has the viewer's style."""
    listed = (STATIC / "vendor" / "README.md").read_text("utf-8")
    for path in (STATIC / "vendor").glob("*.js"):
        assert f"sha384-{b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()}" in listed
        assert path.with_name(f"{path.name.removesuffix('.min.js')}.LICENSE.txt").is_file()
    viewer = (STATIC / "vendor" / "model-viewer.min.js").read_text("utf-8")
    (style,) = re.findall(r"<style>(.*?)</style>", viewer, re.DOTALL)
    assert f"'sha256-{b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" == VIEWER_STYLE


def test_no_template_carries_a_script_or_a_style_of_its_own() -> None:
    """The policy forbids them, and a browser would leave them out without a word to us."""
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|\|safe", text), path.name


def test_a_card_is_as_high_as_its_picture(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The size is read from the first bytes of a PNG, JPEG or GIF; of anything else it is taken for a square."""
    store = ArtifactStore.of(Settings(data_dir=tmp_path_factory.mktemp("store")))
    cards = Cards(Registry.installed(), store)
    for format in ("PNG", "GIF", "JPEG"):
        kept = store.put(picture("red", (200, 120), format), name="a.x", media_type=f"image/{format.lower()}")
        assert cards.size(kept) == (200, 120)
    assert cards.size(store.put(b"GIF8", name="b.gif", media_type="image/gif")) == (512, 512)
    assert cards.size(Artifact(name="c.png", sha256="f" * 64, size=9, media_type="image/png")) == (512, 512)


@pytest.mark.parametrize(
    "values", [(0.0, 1.0), (0.9751, 0.9752), (1.0, 1.0), (0.5,), (0.0, 0.0), tuple(n / 50 for n in range(51))]
)
def test_a_curve_stays_within_its_drawing(values: tuple[float, ...]) -> None:
    """Whatever it does; the marks of both axes as well, and no label is there twice."""
    drawn = drawing([Curve(1, "a", values), Curve(2, "b", ())])
    assert drawn is not None
    ((_, path),) = drawn.lines
    numbers = [float(number) for number in re.findall(r"[\d.]+", path)]
    assert all(drawn.left <= x <= drawn.right for x in numbers[::2])
    assert all(drawn.top - 0.1 <= y <= drawn.bottom + 0.1 for y in numbers[1::2])
    assert all(0 <= place <= WIDTH for place, _ in drawn.across)
    assert all(0 <= place <= HEIGHT for place, _ in drawn.up)
    assert 2 <= len({label for _, label in drawn.up}) == len(drawn.up) <= 8
    assert drawing([]) is None
