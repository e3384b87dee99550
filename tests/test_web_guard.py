"""What holds for every request and every answer of the web page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from redis.asyncio import Redis
from structlog.testing import capture_logs
from websites import BASE, Browser, application, front_of, somebody

from frontdesk.gallery.app import PAGES, hosts_of
from frontdesk.gallery.guarding import BODY
from frontdesk.queue.connection import client as redis_client
from frontdesk.queue.sign_in import SignIns


@pytest.fixture
def app(redis: Redis) -> FastAPI:
    return application(front_of(redis))


def routes(app: FastAPI, method: str) -> Iterator[str]:
    """Every page that takes this method, with something in the place of each parameter."""
    filled = {"kind": "echo", "turn": "pause", "settling": "hide", "secret": "x" * 43, "job_id": "1s2k9x4qd"}
    for route in (route for made in PAGES for route in made(app.state.site).routes):
        if isinstance(route, APIRoute) and method in (route.methods or ()):
            names = route.param_convertors
            yield route.path_format.format(**{name: filled.get(name, "x") for name in names})


async def test_every_answer_says_what_a_browser_may_do_with_it(app: FastAPI) -> None:
    """Pages, files, what is not there, what is refused."""
    browser = await Browser(app).sign_in(somebody("root"))
    answers = [await browser.get(path) for path in routes(app, "GET") if not path.startswith("/jobs/news")]
    answers += [await browser.get("/static/desk.js"), await browser.get("/nothing"), await browser.get("/static/no.js")]
    answers += [
        await browser.post("/sign-out", token="wrong"),
        await browser.get("/create", headers={"Host": "evil.example"}),
    ]
    answers.append(await browser.client.put("/create"))
    assert {answer.status_code for answer in answers} >= {200, 404, 403, 421}
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert "strict-transport-security" not in answer.headers


async def test_nonces_are_used_once(app: FastAPI) -> None:
    browser = Browser(app)
    policies = [(await browser.get("/sign-in")).headers["content-security-policy"] for _ in range(2)]
    assert policies[0] != policies[1]


async def test_no_page_has_a_script_or_a_style_in_it(app: FastAPI) -> None:
    """The policy would refuse them."""
    browser = await Browser(app).sign_in(somebody("root"))
    for path in routes(app, "GET"):
        if path.startswith("/jobs/news"):
            continue
        text = (await browser.get(path)).text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert "<script>" not in text


async def test_with_https_browsers_stay_with_it(redis: Redis) -> None:
    app = application(front_of(redis), "https://desk.example")
    headers = (await Browser(app, "https://desk.example").get("/sign-in")).headers
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert "upgrade-insecure-requests" in headers["content-security-policy"]


async def test_what_is_ones_own_is_kept_by_no_cache(app: FastAPI) -> None:
    """And what has its content in its address for ever."""
    browser = await Browser(app).sign_in()
    assert (await browser.get("/account")).headers["cache-control"] == "private, no-store"
    static = app.state.site.rendering.environment.globals["static_url"]("desk.js")
    given = await browser.get(static)
    assert given.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert given.headers["content-type"].startswith("text/javascript")
    assert (await browser.get("/static/desk.js?v=old")).headers["cache-control"] == "no-cache"
    again = await browser.get("/static/desk.js", headers={"If-None-Match": given.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["../main.py", "..%2fmain.py", "%2e%2e/main.py", "/etc/passwd", ".git", ""])
async def test_only_the_pages_own_files_are_given(app: FastAPI, path: str) -> None:
    assert (await Browser(app).get(f"/static/{path}")).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8081", "127.0.0.1", "127.0.0.1:8080.evil.example", ""])
async def test_another_host_is_told_the_address(app: FastAPI, host: str) -> None:
    """A name that somebody points at this machine does not open the page to their scripts."""
    answer = await Browser(app).get("/sign-in", headers={"Host": host})
    assert answer.status_code == 421
    assert BASE in answer.text


def test_this_machine_goes_by_each_of_its_names() -> None:
    assert hosts_of("http://127.0.0.1:8080") == {"127.0.0.1:8080", "localhost:8080", "[::1]:8080"}
    assert hosts_of("http://[::1]:8080") == {"127.0.0.1:8080", "localhost:8080", "[::1]:8080"}
    assert hosts_of("https://Desk.example") == {"desk.example"}
    assert hosts_of("https://desk.example:8443") == {"desk.example:8443"}


async def test_no_form_is_taken_without_its_token(app: FastAPI) -> None:
    """Whatever the page: a list of all of them, so that none can forget."""
    browser = await Browser(app).sign_in(somebody("root"))
    other = await Browser(app).sign_in(somebody("ada"))
    paths = list(routes(app, "POST"))
    assert len(paths) >= 7
    for path in paths:
        if path.startswith("/sign-in"):
            continue
        for token in ("", "wrong", f"{'0' * 16}.{'0' * 64}", other.token):
            assert (await browser.post(path, token=token)).status_code == 403, path
    assert (await browser.get("/account")).status_code == 200


async def test_a_script_sends_the_token_in_a_header(app: FastAPI) -> None:
    browser = await Browser(app).sign_in()
    token = browser.token
    assert (await browser.post("/sign-out", token="", headers={"X-CSRF-Token": "wrong"})).status_code == 403
    done = await browser.post("/sign-out", token="", headers={"X-CSRF-Token": token, "HX-Request": "true"})
    assert (done.status_code, done.headers["hx-redirect"]) == (204, "/sign-in")


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "https://127.0.0.1:8080"},
     {"Sec-Fetch-Site": "cross-site", "Origin": ""}, {"Sec-Fetch-Site": "same-site", "Origin": ""}],
)  # fmt: skip
async def test_another_sites_page_changes_nothing(app: FastAPI, headers: dict[str, str]) -> None:
    """Even with the right token."""
    browser = await Browser(app).sign_in()
    assert (await browser.post("/sign-out", headers=headers)).status_code == 403
    assert (await browser.get("/account")).status_code == 200


async def test_passers_by_send_nothing_but_a_sign_in(app: FastAPI) -> None:
    """Nothing of what they send is read."""
    for path in routes(app, "POST"):
        if not path.startswith("/sign-in/"):
            answer = await Browser(app).post(path, token="")
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in"), path


async def test_a_request_has_a_largest_size(app: FastAPI) -> None:
    """Whether it says its size or not."""
    browser = await Browser(app).sign_in()
    assert (await browser.post("/sign-out", {"filler": "x" * BODY})).status_code == 413

    async def endless() -> object:
        while True:
            yield b"csrf=" + b"x" * 60_000

    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": BASE}
    answer = await browser.client.post("/sign-out", content=endless(), headers=headers)  # type: ignore[arg-type]
    assert answer.status_code in (400, 413)
    assert (await browser.get("/account")).status_code == 200


async def test_errors_are_told_in_plain_words(app: FastAPI) -> None:
    browser = await Browser(app).sign_in()
    assert "There is no such page" in (await browser.get("/nothing")).text
    assert "Only admins of this desk can do that." in (await browser.get("/admin")).text
    assert "There is no job" in (await browser.get("/jobs/1s2k9x4qd")).text
    toast = await browser.get("/jobs/1s2k9x4qd", headers={"HX-Request": "true"})
    assert toast.headers["hx-retarget"] == "#toasts"
    assert "<html" not in toast.text
    assert (await browser.get("/nothing", headers={"Accept": "application/json"})).json()["status"] == 404


async def test_a_closed_desk_says_so(redis: Redis) -> None:
    """And is asked again in a minute; nobody is signed out for it."""
    browser = await Browser(application(front_of(redis))).sign_in()
    away = redis_client("redis://127.0.0.1:1/0")
    closed = Browser(application(front_of(away)), headers={"Cookie": f"frontdesk-session={browser.cookie('session')}"})
    answer = await closed.get("/jobs")
    assert answer.status_code == 503
    assert "The desk is closed for a moment" in answer.text
    assert "set-cookie" not in answer.headers
    assert (await closed.get("/sign-in")).status_code == 200
    await away.aclose()


async def test_the_unforeseen_is_logged_without_what_was_written(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    browser, secret = await Browser(app).sign_in(), "my own words"

    async def broken(_: object) -> None:
        raise ValueError(secret)

    monkeypatch.setattr(app.state.site.front.desk, "submit", broken)
    await browser.get("/create/echo")
    with capture_logs() as logs:
        answer = await browser.post("/create/echo", {"text": secret})
    assert answer.status_code == 500
    assert "it has been logged" in answer.text
    assert "content-security-policy" in answer.headers
    [log] = [each for each in logs if each["event"] == "a page failed"]
    assert (log["path"], log["error"]) == ("/create/{kind}", "ValueError")
    assert secret not in str(logs)


async def test_who_may_sign_in_is_not_told_by_what_is_not_there(redis: Redis, app: FastAPI) -> None:
    """The page of a link says the same for one that ended as for one that never was."""
    secret = await SignIns(redis).give(somebody())
    await SignIns(redis).take(secret)
    ended, made_up = [(await Browser(app).get(f"/sign-in/{each}")).text for each in (secret, "x" * 43)]
    assert ended == made_up
