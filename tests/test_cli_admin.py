"""`frontdesk admin` in a shell, and `/admin` in the console's chat."""

from __future__ import annotations

import asyncio
import json

import pytest
from console import premises
from queueing import job, submit
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from frontdesk.bots.admin_actions import ACTIONS
from frontdesk.bots.cli import app
from frontdesk.bots.on_console import login, person
from frontdesk.bots.on_console_conversation import Conversation
from frontdesk.bots.on_console_render import plain
from frontdesk.bots.replies import Reply
from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.scripts import Scripts

WRITTEN = "my diary"


def admin(*words: str) -> Result:
    return CliRunner().invoke(app, ["admin", *words])


def asked(url: str, *, stop_workers: int = 0) -> str:
    """A job of Ada's that has stopped so many workers; its id."""

    async def ask() -> str:
        async with Redis.from_url(url) as redis:
            broker, scripts, made = Broker(redis, keep=3600.0), Scripts(redis), job("ada", WRITTEN)
            await submit(broker, made)
            for number in range(stop_workers):
                await scripts.turn(f"victim-{number}", 60.0, {"short": 1}, keep=3600.0, patience=3600.0)
                await scripts.reap(f"victim-{number}", keep=3600.0)
            return made.id

    return asyncio.run(ask())


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_has_help_with_an_example(name: str) -> None:
    """From the same table as in the chats."""
    shown = admin(name, "--help")
    words = " ".join(shown.output.split())
    assert shown.exit_code == 0
    assert ACTIONS[name].summary in words
    assert f"Example: frontdesk admin {name}" in words
    assert ("--json" in words) is ACTIONS[name].lists


def test_the_command_alone_lists_the_actions() -> None:
    """And says who is an admin here."""
    shown = admin()
    assert [name for name in ACTIONS if name not in shown.output] == []
    assert "Whoever can reach the queue from a shell is one." in " ".join(shown.output.split())


def test_who_has_the_shell_is_an_admin_without_a_bot(url: str) -> None:
    """No setting names them; the log holds their login. A reason needs no quotes."""
    asked(url)
    shown = admin("pause", "short", "new", "driver")
    assert (shown.exit_code, shown.stdout) == (0, "Lane short is paused: 1 job waits.\n")
    assert admin("resume", "short").exit_code == 0
    lines = admin("audit").stdout.splitlines()
    assert [line.split(" UTC ")[1] for line in lines] == [
        f"console:{login()} resume short",
        f"console:{login()} pause short: new driver",
    ]
    entries = json.loads(admin("audit", "--limit", "1", "--json").stdout)
    assert [(entry["by"], entry["action"], entry["target"]) for entry in entries] == [
        (f"console:{login()}", "resume", "short")
    ]


def test_people_are_named_by_platform_and_id(url: str) -> None:
    """As they stand in the limits file."""
    assert (
        "telegram:456 may no longer ask here: floods the lab" in admin("ban", "telegram:456", "floods the lab").stdout
    )
    assert admin("tier", "discord:1", "trusted").stdout == "discord:1 is now of the tier trusted.\n"
    [discord, telegram] = json.loads(admin("people", "--json").stdout)
    assert (discord["requester"], discord["ban"], discord["tier"]) == ("discord:1", None, "trusted")
    assert (telegram["ban"]["reason"], telegram["ban"]["by"]) == ("floods the lab", f"console:{login()}")


def test_jobs_kept_aside_are_listed_requeued_and_dropped(url: str) -> None:
    """As data for programs too, and never with a word of what was asked."""
    first, second = asked(url, stop_workers=3), asked(url, stop_workers=3)
    listed, inspected = admin("aside", "--json"), admin("inspect", first, "--json")
    assert [(each["id"], each["kills"]) for each in json.loads(listed.stdout)] == [(second, 3), (first, 3)]
    assert json.loads(inspected.stdout)[0]["aside"] is True
    assert admin("requeue", first).exit_code == 0
    assert admin("bump", first).stdout == f"{first} was next in its lane already.\n"
    assert "is dropped" in admin("drop", second).stdout
    assert admin("aside").stdout == "No job is kept aside.\n"
    assert json.loads(admin("aside", "--json").stdout) == []
    everything = listed.stdout + inspected.stdout + admin("audit", "--json").stdout + admin("inspect", first).stdout
    assert WRITTEN not in everything


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("pause", "moon"), "There is no lane 'moon'. Known: long, short."),
        (("ban", "456", "spam"), "person: must be an id such as discord:123, telegram:456 or console:ada."),
        (("tier", "telegram:1", "vip"), "There is no tier 'vip'. Known: member"),
        (("drain", "w9"), "There is no worker 'w9'."),
        (("requeue", "nope"), "No job nope is kept aside."),
        (("audit", "--limit", "1000"), "limit: must be 1 to 100."),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(words: tuple[str, ...], sentence: str, url: str) -> None:
    """On the error stream, so that a script's output stays clean."""
    shown = admin(*words)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert sentence in shown.stderr
    assert shown.stderr.count("\n") == 1


async def test_the_chat_has_it_for_admins(redis: Redis) -> None:
    """A chat makes nobody an admin on somebody's Redis: the settings say who is one."""
    front = premises(redis, admin="root")

    async def said(text: str, name: str) -> str:
        talk = Conversation(front.desk, person(name), channel="chat", default_kind="echo")
        answer = await talk.take(text)
        assert isinstance(answer, Reply)
        return plain(answer)

    assert await said("/admin", "ada") == await said("/admin pause short", "ada")
    assert await said("/admin ban console:root no", "ada") == "Only admins of this desk can do that."
    assert "/admin" not in await said("/help", "ada")
    assert "/admin" in await said("/help", "root")
    assert (await said("/admin", "root")).startswith("/admin pause LANE [REASON]")
    assert await said("/admin pause short", "root") == "Lane short is paused: nobody waits."
    assert "person: must be an id" in await said("/admin ban ada spam", "root")
    assert (await said("/admin ban console:Ada spam", "root")).startswith("console:Ada may no longer ask")
    assert await said("/echo hello", "Ada") == "You may not ask here: spam"
    assert not await redis.exists(keys.lane("short"))
