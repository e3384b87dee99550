"""The HTTP door: what a program asks, and what it is answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from doorway import ADA, BOSS, EVE, Doorway, doorway
from queueing import job, requester
from redis.asyncio import Redis
from remembering import remembered

from frontdesk.history.credentials import Scope

ZIP = b"PK\x03\x04" + bytes(200)


@pytest.fixture
async def held(redis: Redis, tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(redis, tmp_path, hold=True) as found:
        yield found


@pytest.fixture
async def quick(redis: Redis, tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(redis, tmp_path) as found:
        yield found


def problem(answer: httpx.Response, status: int, name: str) -> dict[str, Any]:
    """The body of an error, which is problem details in every respect."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"/api/v1/docs#{name}"
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert found["instance"] == answer.request.url.path
    return found


def echo(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {"kind": "echo", "params": {"text": text}, **more}


async def test_a_job_is_asked_for_waited_for_and_read(quick: Doorway) -> None:
    """202 with a ticket and where the job is; the long poll answers with the outcome."""
    async with quick.client(ADA) as client:
        accepted = await client.post("/jobs", json=echo())
        assert accepted.status_code == 202
        ticket = accepted.json()
        assert accepted.headers["location"] == ticket["url"] == f"/api/v1/jobs/{ticket['id']}"
        job = (await client.get(f"/jobs/{ticket['id']}/wait?timeout=20")).json()
        assert job["state"] == "done"
        assert job["outcome"]["result"] == {"said": "hello"}
        assert (await client.get(f"/jobs/{ticket['id']}")).json()["outcome"] == job["outcome"]


@pytest.mark.parametrize("sort", ["application/json", "application/x-www-form-urlencoded", None])
async def test_json_is_taken_as_curl_sends_it(quick: Doorway, sort: str | None) -> None:
    """`curl -d` calls everything a form."""
    async with quick.client() as client:
        headers = {"Content-Type": sort} if sort else {}
        answer = await client.post("/jobs", content=json.dumps(echo()), headers=headers)
    assert answer.status_code == 202


async def test_a_long_poll_ends_with_its_time(held: Doorway) -> None:
    """The job as it is, and no error."""
    async with held.client() as client:
        made = (await client.post("/jobs", json=echo())).json()["id"]
        await held.engine.started.get()
        job = (await client.get(f"/jobs/{made}/wait?timeout=0.05")).json()
    assert job["state"] == "running"
    assert job["outcome"] is None


async def test_events_tell_of_a_job_until_it_ends(held: Doorway) -> None:
    """Tickets, progress and the end, each with an id; then the stream is over."""
    async with held.client() as client:
        made = (await client.post("/jobs", json=echo())).json()["id"]
        await held.engine.started.get()
        names, ids = list[str](), list[str]()
        async with client.stream("GET", f"/jobs/{made}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    names.append(line[7:])
                if line.startswith("id: "):
                    ids.append(line[4:])
                if line == "event: ticket":
                    held.engine.end(made)
        again = await client.get(f"/jobs/{made}/events", headers={"Last-Event-ID": ids[-1]})
    assert names[0] == "ticket"
    assert names[-1] == "end"
    assert ids == [str(number) for number in range(1, len(ids) + 1)]
    assert f"id: {len(ids) + 1}\nevent: end\n" in again.text
    assert held.door.seats == {}


async def test_a_stream_ends_with_its_key(redis: Redis, tmp_path: Path) -> None:
    """One that was revoked hears nothing more of a job that goes on."""
    async with doorway(redis, tmp_path, hold=True, asked_again=0.0) as held:
        shown = await held.key(ADA)
        headers = {"Authorization": f"Bearer {shown}"}
        async with httpx.AsyncClient(base_url=f"{held.url}/api/v1", headers=headers, timeout=30) as client:
            made = (await client.post("/jobs", json=echo("secret words"))).json()["id"]
            await held.engine.started.get()
            async with client.stream("GET", f"/jobs/{made}/events") as stream:
                lines = stream.aiter_lines()
                assert await anext(lines) == "id: 1"
                await held.door.keys.revoke({ADA}, shown.split("_")[1])
                held.engine.end(made)
                assert "event: end" not in [line async for line in lines]


async def test_files_come_with_a_form_and_go_by_parts(held: Doorway) -> None:
    """The same checks as in the chats; a download that broke off goes on with a range."""
    async with held.client() as client:
        form = {"job": json.dumps({"kind": "frame"})}
        refused = await client.post("/jobs", data=form, files={"pictures": ("p.exe", b"MZ", "application/zip")})
        assert problem(refused, 422, "invalid")["errors"][0]["pointer"] == "/params/pictures"
        refused = await client.post("/jobs", data=form, files={"pictures": ("p.zip", b"no zip", "application/zip")})
        assert "is none" in problem(refused, 422, "invalid")["detail"]
        made = (await client.post("/jobs", data=form, files={"pictures": ("p.zip", ZIP, "application/zip")})).json()[
            "id"
        ]
        asked = await held.engine.started.get()
        assert asked.params["pictures"]["size"] == len(ZIP)
        assert (await client.get(f"/jobs/{made}/artifacts")).json() == {"artifacts": []}
        held.engine.end(made, await held.framed(b"0123456789"))
        await client.get(f"/jobs/{made}/wait?timeout=20")
        [file] = (await client.get(f"/jobs/{made}/artifacts")).json()["artifacts"]
        whole = await client.get(file["url"].removeprefix("/api/v1"))
        part = await client.get(file["url"].removeprefix("/api/v1"), headers={"Range": "bytes=4-"})
        missing = await client.get(f"/jobs/{made}/artifacts/other.glb")
    assert whole.content == b"0123456789"
    assert whole.headers["content-type"] == "model/gltf-binary"
    assert whole.headers["content-disposition"] == 'attachment; filename="frame.glb"'
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert (part.status_code, part.content) == (206, b"456789")
    problem(missing, 404, "not-found")


async def test_a_path_in_the_parameters_names_no_file(quick: Doorway) -> None:
    """Whoever could write a path could read the desk's files."""
    async with quick.client() as client:
        answer = await client.post("/jobs", json={"kind": "frame", "params": {"pictures": "/etc/passwd"}})
    problem(answer, 422, "invalid")


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [
        (b"{", 400, "malformed"),
        (b"[" * 100_000, 400, "malformed"),
        (b'{"kind": "echo", "params": {"text": "\\ud800"}}', 400, "malformed"),
        (b"[]", 422, "invalid"),
        (b'{"kind": "nothing"}', 422, "invalid"),
        (b'{"kind": "echo"}', 422, "invalid"),
        (b'{"kind": "echo", "params": {"text": ["a"]}}', 422, "invalid"),
        (b'{"kind": "echo", "params": {"text": "a", "times": 1e999}}', 422, "invalid"),
        (b'{"kind": "echo", "params": {"text": "a", "times": 99}}', 422, "invalid"),
        (b'{"kind": "echo", "params": {"text": "a"}, "admin": true}', 422, "invalid"),
        (b'{"kind": "echo", "params": {"text": "a"}, "webhook": "http://127.0.0.1@x/"}', 422, "invalid"),
        (b" " * 1_000_001, 413, "too-large"),
    ],
)  # fmt: skip
async def test_what_does_not_fit_is_told(quick: Doorway, body: bytes, status: int, name: str) -> None:
    """And nothing is queued."""
    async with quick.client() as client:
        problem(await client.post("/jobs", content=body), status, name)
        assert (await client.get("/jobs")).json()["jobs"] == []


async def test_the_frameworks_own_errors_are_problems(quick: Doorway) -> None:
    """An unknown address, method, query and format."""
    async with quick.client() as client:
        problem(await client.get("/nothing"), 404, "not-found")
        answer = await client.put("/jobs")
        problem(answer, 405, "method")
        assert answer.headers["allow"]
        assert problem(await client.get("/jobs?limit=0"), 422, "invalid")["errors"]
        problem(await client.post("/jobs", content=b"<a/>", headers={"Content-Type": "text/xml"}), 415, "media-type")
        problem(await client.get("/jobs?after=nonsense"), 422, "invalid")


async def test_limits_are_those_of_the_chats(quick: Doorway) -> None:
    """A person's burst, with the time to come back."""
    async with quick.client(EVE) as client:
        answers = [await client.post("/jobs", json=echo(f"text {number}")) for number in range(6)]
    assert [answer.status_code for answer in answers].count(202) in (3, 5)
    refused = problem(answers[-1], 429, "limited")
    assert refused["rule"] in ("rate", "in_flight")
    if "retry_after" in refused:
        assert int(answers[-1].headers["retry-after"]) >= refused["retry_after"]


async def test_a_key_of_a_request_gives_one_job(held: Doorway) -> None:
    """Twenty at the same time, and one later: one job, and the same words."""
    headers = {"Idempotency-Key": "a-b-c"}
    async with held.client() as client, held.client(EVE) as other:
        answers = await asyncio.gather(*(client.post("/jobs", json=echo(), headers=headers) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        later = await client.post("/jobs", json=echo(), headers=headers)
        again = await client.post("/jobs", json=echo(), headers=headers)
        assert later.content == again.content
        assert later.headers["idempotent-replayed"] == "true"
        assert len((await client.get("/jobs")).json()["jobs"]) == 1
        problem(await client.post("/jobs", json=echo("other"), headers=headers), 422, "idempotency")
        theirs = await other.post("/jobs", json=echo("other"), headers=headers)
        assert theirs.status_code == 202


async def test_a_refused_request_frees_its_key(quick: Doorway) -> None:
    """Mended, it is taken under the same one."""
    headers = {"Idempotency-Key": "k"}
    async with quick.client() as client:
        problem(await client.post("/jobs", json=echo(""), headers=headers), 422, "invalid")
        assert (await client.post("/jobs", json=echo("x"), headers=headers)).status_code == 202


async def test_a_job_is_cancelled(held: Doorway) -> None:
    """By DELETE or POST; what has ended stays as it is."""
    async with held.client() as client:
        first, second = [(await client.post("/jobs", json=echo(str(n)))).json()["id"] for n in range(2)]
        assert (await client.delete(f"/jobs/{first}")).json()["result"] in ("cancelled", "stopping")
        job = (await client.get(f"/jobs/{first}/wait?timeout=20")).json()
        assert job["state"] == "cancelled"
        assert (await client.post(f"/jobs/{first}/cancel")).json()["result"] == "ended"
        assert (await client.post(f"/jobs/{second}/cancel")).status_code == 200


async def test_ones_jobs_are_listed_in_pages(quick: Doorway) -> None:
    """Newest first, each once; another's are not among them."""
    async with quick.client() as client, quick.client(EVE) as other:
        made = [(await client.post("/jobs", json=echo(str(number)))).json()["id"] for number in range(5)]
        await other.post("/jobs", json=echo())
        found, after = list[str](), ""
        while after is not None:
            page = (await client.get("/jobs", params={"limit": 2} | ({"after": after} if after else {}))).json()
            found += [job["id"] for job in page["jobs"]]
            after = page["after"]
    assert found == sorted(made, reverse=True)


async def test_kinds_are_json_schemas(quick: Doorway) -> None:
    """Of the dialect 2020-12; what the schema takes, the desk takes; files are listed by themselves."""
    async with quick.client() as client:
        names = [kind["name"] for kind in (await client.get("/kinds")).json()["kinds"]]
        assert names == ["echo", "frame"]
        echo_kind = (await client.get("/kinds/echo")).json()
        frame = (await client.get("/kinds/frame")).json()
        problem(await client.get("/kinds/none"), 404, "not-found")
    assert echo_kind["params"]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for schema in (echo_kind["params"], echo_kind["result"], frame["params"], frame["result"]):
        jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"text": "a", "times": 2}, echo_kind["params"])
    assert [file["name"] for file in frame["files"]] == ["pictures"]
    assert "pictures" not in frame["params"]["properties"]


async def test_the_queue_is_told_and_its_workers_to_admins(quick: Doorway) -> None:
    """The scope alone makes nobody an admin, and an admin's usual key is none."""
    async with quick.client(BOSS, "read", "admin") as boss, quick.client(BOSS) as usual:
        assert (await boss.get("/queue")).json()["queue"]["workers"]
        assert (await usual.get("/queue")).json()["queue"] is None
    async with quick.client(EVE, "read", "admin") as eve:
        answer = (await eve.get("/queue")).json()
    assert answer["queue"] is None
    assert answer["lanes"][0]["lane"] == "short"


SECRETS = ("GET", "/jobs/{id}"), ("GET", "/jobs/{id}/wait"), ("GET", "/jobs/{id}/events"), ("DELETE", "/jobs/{id}")
OTHERS = (
    *SECRETS,
    ("POST", "/jobs/{id}/cancel"),
    ("GET", "/jobs/{id}/artifacts"),
    ("GET", "/jobs/{id}/artifacts/frame.glb"),
)


async def test_nobody_reaches_anothers_job(held: Doorway) -> None:
    """Whatever id they guess, however they spell it; an admin's usual key, neither; the job goes on."""
    async with held.client(ADA) as ada, held.client(EVE, "read", "cancel", "admin") as eve, held.client(BOSS) as boss:
        made = (await ada.post("/jobs", json={"kind": "frame", "params": {"text": "secret words"}})).json()["id"]
        await held.engine.started.get()
        for method, path in OTHERS:
            for client in (eve, boss):
                for spelt in (made, made.upper(), f" {made}", f"{made}%00", f"../jobs/{made}", f"{made}/../{made}"):
                    answer = await client.request(method, path.replace("{id}", spelt))
                    assert answer.status_code in (404, 405), (method, path, spelt, answer.status_code)
                    assert "secret words" not in answer.text
        held.engine.end(made, await held.framed())
        assert (await ada.get(f"/jobs/{made}/wait?timeout=20")).json()["state"] == "done"
        for method, path in OTHERS:
            problem(await eve.request(method, path.replace("{id}", made)), 404, "not-found")


async def test_of_a_private_job_an_admins_key_is_told_nothing(held: Doorway) -> None:
    """It takes one back all the same; what is not private it reads."""
    async with held.client(ADA) as ada, held.client(BOSS, "read", "cancel", "admin") as boss:
        asked = ({"kind": "frame", "params": {"text": f"words {kept}"}, "private": kept} for kept in (False, True))
        shown, kept = [(await ada.post("/jobs", json=each)).json()["id"] for each in asked]
        for _ in range(2):
            await held.engine.started.get()
        assert (await boss.get(f"/jobs/{shown}")).status_code == 200
        for path in ("", "/wait?timeout=0", "/events", "/artifacts", "/artifacts/frame.glb"):
            problem(await boss.get(f"/jobs/{kept}{path}"), 404, "not-found")
        assert (await boss.delete(f"/jobs/{kept}")).json()["result"] == "stopping"
        assert (await ada.get(f"/jobs/{kept}/wait?timeout=20")).json()["state"] == "cancelled"


async def test_old_jobs_are_read_from_the_history(quick: Doorway) -> None:
    """With their receipt, by whoever asked, once the queue has forgotten them; another's is not there, not even a
    public one, nor for an admin."""
    made = job(requester=requester("1", "telegram"), text="long ago")
    await remembered(quick.database, made, published_at=1.0)
    async with quick.client(ADA) as ada, quick.client(EVE) as eve, quick.client(BOSS, "read", "admin") as boss:
        found = (await ada.get(f"/jobs/{made.id}")).json()
        assert found["outcome"]["result"] == {"said": "long ago"}
        assert {"label": "Job", "value": made.id} in found["receipt"]
        assert [each["id"] for each in (await ada.get("/jobs")).json()["jobs"]] == [made.id]
        assert (await ada.get(f"/jobs/{made.id}/wait")).json() == found
        assert "event: end" in (await ada.get(f"/jobs/{made.id}/events")).text
        for client in (eve, boss):
            for path in ("", "/wait", "/events", "/artifacts"):
                problem(await client.get(f"/jobs/{made.id}{path}"), 404, "not-found")


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("read", "POST", "/jobs"),
        ("read", "DELETE", "/jobs/123456789"),
        ("submit", "GET", "/jobs"),
        ("submit", "GET", "/jobs/123456789"),
        ("cancel", "GET", "/queue"),
        ("admin", "POST", "/jobs"),
    ],
)
async def test_a_key_does_what_its_scopes_say(quick: Doorway, scope: Scope, method: str, path: str) -> None:
    """And nothing else."""
    async with quick.client(BOSS, scope) as client:
        answer = await client.request(method, path)
    problem(answer, 403, "scope")
    assert "insufficient_scope" in answer.headers["www-authenticate"]


async def test_no_key_no_entry(quick: Doorway) -> None:
    """None, altered in any place, revoked, expired, another scheme: all read the same; good keys go on."""
    good, other = await quick.key(), await quick.key(EVE)
    short, revoked = await quick.key(BOSS, "read", lifetime=-1.0), await quick.key()
    await quick.door.keys.revoke({BOSS}, revoked.split("_")[1])
    last = "A" if good[-1] != "A" else "B"
    bad = [
        short, revoked, good[:-1] + last, good[:-1], good + "A", good.upper(), good.replace("fd_", "fx_"), "x", "fd_",
        "_".join([*good.split("_")[:2], other[-43:]]), f"fd_{'0' * 10}_{good[-43:]}", "é" * 10, "x" * 5000,
    ]  # fmt: skip
    async with httpx.AsyncClient(base_url=quick.url + "/api/v1") as client:
        said = set()
        for shown in bad:
            answer = await client.get("/jobs", headers={b"Authorization": f"Bearer {shown}".encode()})
            assert answer.headers["www-authenticate"].startswith("Bearer")
            said.add(problem(answer, 401, "unauthenticated")["detail"])
        assert len(said) <= 2
        answer = await client.get("/jobs", headers={"Authorization": f"Basic {good}"})
        problem(answer, 401, "unauthenticated")
        assert (await client.get("/jobs", headers={"Authorization": f"Bearer {good}"})).status_code == 200


async def test_who_tries_keys_is_slowed_down(quick: Doorway) -> None:
    """By address; a good key is taken from there all the same."""
    async with httpx.AsyncClient(base_url=quick.url + "/api/v1") as client:
        answers = [await client.get("/jobs") for _ in range(22)]
        assert answers[0].status_code == 401
        assert problem(answers[-1], 429, "limited")["rule"] == "tries"
        assert int(answers[-1].headers["retry-after"]) > 0
        good = {"Authorization": f"Bearer {await quick.key()}"}
        assert (await client.get("/jobs", headers=good)).status_code == 200


async def test_a_closed_desk_says_so(quick: Doorway, redis: Redis) -> None:
    """503, with the time to come back; so does a closed history."""
    async with quick.client() as client:
        pool = redis.connection_pool
        quick.front.broker.redis.connection_pool = Redis.from_url("redis://127.0.0.1:1").connection_pool
        answer = await client.get("/jobs")
        quick.front.broker.redis.connection_pool = pool
        problem(answer, 503, "closed")
        assert int(answer.headers["retry-after"]) > 0


async def test_the_description_is_there_for_programs_and_people(quick: Doorway) -> None:
    """Without a key, and without anything from elsewhere."""
    async with httpx.AsyncClient(base_url=quick.url + "/api/v1") as client:
        schema = (await client.get("/openapi.json")).json()
        page = await client.get("/docs")
    assert schema["openapi"].startswith("3.1")
    assert "/jobs/{job_id}/events" in schema["paths"]
    assert "POST /api/v1/jobs" in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
