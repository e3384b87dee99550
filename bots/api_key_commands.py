"""`/apikey`: one's own keys of the HTTP door, made, listed and revoked in a chat."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias, cast

from frontdesk.bots.desk import Desk
from frontdesk.bots.main import Premises
from frontdesk.bots.own_commands import Option, OwnCommand
from frontdesk.bots.people import Person
from frontdesk.bots.replies import Block, Code, Foreign, Line, Reply, duration, line, say
from frontdesk.history.credentials import LONGEST_NAME, MOST, SCOPES, USUAL, ApiKey, Scope, signing_secret
from frontdesk.queue.errors import InvalidRequestError, Problem

if TYPE_CHECKING:  # the database's library comes with the first key
    from frontdesk.history.api_keys import ApiKeys

LONGEST = 3650  # days

Do: TypeAlias = Callable[["ApiKeys", Person, list[str]], Awaitable[Reply]]

USAGE = say(
    Code("/apikey new NAME"), " makes a key of the HTTP door; scopes may follow: ", Code("submit,read,cancel"),
    " (the usual ones) or ", Code("admin"), ", and a life such as ", Code("30d"), ". ", Code("/apikey list"),
    " shows yours, ", Code("/apikey revoke ID"), " ends one.",
)  # fmt: skip


def api_key_commands(front: Premises) -> list[OwnCommand]:
    """None at a desk that remembers nothing."""
    memory, desk = front.memory, front.desk
    if memory is None:
        return []
    actions: dict[str, Do] = {
        "new": lambda keys, person, words: _new(desk, keys, person, words),
        "list": lambda keys, person, words: _list(desk, keys, person),
        "revoke": lambda keys, person, words: _revoke(keys, person, words),
    }

    async def answer(person: Person, given: Mapping[str, str]) -> Reply:
        from frontdesk.history.api_keys import ApiKeys

        act = actions.get(given.get("action", "list").strip().lower() or "list")
        keys, person = ApiKeys(await memory.database(), desk.clock), await desk.known(person)
        return await act(keys, person, given.get("words", "").split()) if act else USAGE

    options = (
        Option("action", "What to do; list, if left out", choices=tuple(actions)),
        Option("words", "For new: a name, and scopes; for revoke: the key's id", rest=True),
    )
    return [OwnCommand("apikey", "Keys for programs that ask the desk", answer, options, secret=True)]


async def _new(desk: Desk, keys: ApiKeys, person: Person, words: list[str]) -> Reply:
    if not words:
        return USAGE
    name, scopes, lifetime = read(words)
    if "admin" in scopes and not desk.is_admin(person):
        raise InvalidRequestError([Problem("", "Only admins have keys with the scope admin.")])
    key, shown = await keys.new(person.requester.identity, name, scopes, lifetime=lifetime)
    return Reply((
        line("Your key ", Code(key.id), ", which is shown only now:"),
        line(Code(shown)),
        line("Webhooks of its jobs are signed with:"),
        line(Code(signing_secret(shown))),
        line("Whoever has it can ask in your name. ", Code(f"/apikey revoke {key.id}"), " ends it."),
    ))  # fmt: skip


def read(words: list[str]) -> tuple[str, tuple[Scope, ...], float | None]:
    """Name, scopes, and life in seconds: "laptop", "laptop read", "build server submit,read 30d". Raises
    InvalidRequestError."""
    lifetime, scopes = None, USUAL
    if len(words) > 1 and (days := words[-1].removesuffix("d")) != words[-1] and days.isdecimal():
        if not 1 <= int(days[:6]) <= LONGEST:
            raise InvalidRequestError([Problem("", f"A key lives 1 to {LONGEST} days.")])
        lifetime, words = int(days) * 86_400.0, words[:-1]
    named = [scope for scope in words[-1].lower().split(",") if scope]
    if len(words) > 1 and named and set(named) <= set(SCOPES):
        scopes, words = cast("tuple[Scope, ...]", tuple(dict.fromkeys(named))), words[:-1]
    name = " ".join(words)
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidRequestError([Problem("", f"A key's name has at most {LONGEST_NAME} letters.")])
    return name, scopes, lifetime


async def _list(desk: Desk, keys: ApiKeys, person: Person) -> Reply:
    now = desk.clock()
    found = [key for key in await keys.of(person.identities) if key.usable(now)]
    if not found:
        return Reply((line("You have no keys."), *USAGE.blocks))
    blocks: list[Block] = [_line(key, now) for key in found]
    return Reply((*blocks, line(f"{len(found)} of at most {MOST}.")))


def _line(key: ApiKey, now: float) -> Line:
    used = "never used" if key.used_at is None else f"used {duration(max(1.0, now - key.used_at))} ago"
    ends = "" if key.expires_at is None else f", ends in {duration(key.expires_at - now)}"
    return line(Code(key.id), " ", Foreign(key.name), f": {', '.join(sorted(key.scopes))}; {used}{ends}")


async def _revoke(keys: ApiKeys, person: Person, words: list[str]) -> Reply:
    if len(words) != 1:
        return USAGE
    # Of a whole key that somebody pasted, its id is meant.
    key_id = words[0].split("_")[1] if words[0].startswith("fd_") and words[0].count("_") > 1 else words[0].lower()
    await keys.revoke(person.identities, key_id)
    return say("Key ", Code(key_id), " is revoked: it is refused from now on.")
