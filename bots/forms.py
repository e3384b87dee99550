"""The guided form: asks for what a request lacks, one parameter at a time. Pure but for the store at the end."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis

from frontdesk.bots.incoming import IncomingFile, Sent
from frontdesk.bots.parsing import bounds, clean, converted, missing
from frontdesk.bots.replies import Block, Code, Foreign, Plain, Reply, Strong, line
from frontdesk.queue import keys
from frontdesk.queue.codec import decode, encode
from frontdesk.queue.errors import CorruptMessageError, InvalidRequestError
from frontdesk.queue.jobs import Wire
from frontdesk.queue.kinds import AnyKind, Parameter, Value

FORM_LIFE: Final = 600  # seconds a form waits for its next answer
GO, STOP = "go", "stop"
SHOWN: Final = 40  # characters of a value on the last page


class Form(Wire):
    """A half-filled request of one person in one chat.

    id: tells this form's buttons from those of an older one.
    asking: the parameter that is asked for now; None on the last page, where optional ones may be changed.
    update: the number of the last update that it has taken; `sent` once that update submitted it.
    origin: the message that began it.
    before: what the text was that is asked for first, where it is to be written anew.
    """

    id: str
    kind: str
    values: Mapping[str, Sent]
    private: bool = False
    asking: str | None = None
    update: int = 0
    sent: bool = False
    origin: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A button: `act` is what `pressed` takes back."""

    label: str
    act: str


@dataclass(frozen=True, slots=True)
class Question:
    """One page of a form. `typed`: the answer may be written, `hint` is what a field for it could say."""

    reply: Reply
    choices: tuple[Choice, ...]
    typed: bool = False
    hint: str = ""


def begin(kind: AnyKind, values: Mapping[str, Sent], *, private: bool, update: int, origin: str) -> Form:
    """A form for a request that lacks something."""
    form = Form(id=secrets.token_hex(3), kind=kind.name, values=values, private=private, update=update, origin=origin)
    return _ask_next(kind, form)


def rewriting(
    kind: AnyKind, values: Mapping[str, Value], name: str, *, private: bool, update: int, origin: str
) -> Form:
    """A form for a request of which one text is to be written anew."""
    kept = {each: value for each, value in values.items() if each != name}
    form = begin(kind, kept, private=private, update=update, origin=origin)
    return form.model_copy(update={"asking": name, "before": str(values.get(name, ""))})


def complete(kind: AnyKind, form: Form) -> bool:
    """Nothing is left to ask, nor to choose."""
    return form.sent or (form.asking is None and not _optional(kind))


def written(kind: AnyKind, form: Form, answer: str | IncomingFile, update: int) -> Form:
    """The form after its question was answered in writing, or with a file. Raises InvalidRequestError for what is no
    file, or not one that is taken."""
    if form.asking is None:
        raise ValueError("nothing is asked on the last page")
    for parameter in kind.files:
        if parameter.name == form.asking:
            converted(parameter, answer)
    values = {**form.values, form.asking: clean(answer) if isinstance(answer, str) else answer}
    return _ask_next(kind, form.model_copy(update={"values": values, "update": update}))


def pressed(kind: AnyKind, form: Form, act: str, update: int) -> Form | None:
    """The form after a button; None where the button does not belong to the page that is open."""
    form = form.model_copy(update={"update": update})
    if act == GO:
        return form.model_copy(update={"sent": True}) if form.asking is None else None
    name, _, number = act.partition(":")
    parameter = next((p for p in kind.parameters if p.name == name), None)
    if parameter is None:
        return None
    if not number:
        return form.model_copy(update={"asking": name}) if form.asking is None else None
    options = _options(parameter)
    if form.asking != name or not number.isdecimal() or int(number) >= len(options):
        return None
    values = dict(form.values)
    value = options[int(number)][1]
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value
    return _ask_next(kind, form.model_copy(update={"values": values}))


def reopened(kind: AnyKind, form: Form, error: InvalidRequestError) -> Form | None:
    """The form asking again for what was wrong; None where no single parameter is to blame."""
    known = {parameter.name for parameter in kind.parameters}
    wrong = [problem.parameter for problem in error.problems if problem.parameter in known]
    if not wrong:
        return None
    values = {name: value for name, value in form.values.items() if name not in wrong}
    return form.model_copy(update={"values": values, "asking": wrong[0], "sent": False})


def question(kind: AnyKind, form: Form, problem: InvalidRequestError | None = None) -> Question:
    """The page that is open, headed by what was wrong with the last answer."""
    blocks: list[Block] = [line(Foreign(str(problem)))] if problem else []
    parameter = next((p for p in kind.parameters if p.name == form.asking), None)
    if parameter is None:
        return _last_page(kind, form, blocks)
    blocks.append(line(Strong(kind.name), f": {parameter.description} ({bounds(parameter)})"))
    if form.before:
        blocks.append(line("It was: ", Foreign(form.before)))
    choices = [Choice(label, f"{parameter.name}:{n}") for n, (label, _) in enumerate(_options(parameter))]
    typed = parameter.type not in ("choice", "boolean")
    return Question(Reply(tuple(blocks)), (*choices, Choice("Cancel", STOP)), typed, parameter.description)


def _last_page(kind: AnyKind, form: Form, blocks: list[Block]) -> Question:
    blocks.append(line(Strong(kind.name), " is ready to start. These may be changed first:"))
    for parameter in _optional(kind):
        value = form.values.get(parameter.name, parameter.default)
        blocks.append(line(Code(parameter.name), " ", Foreign(_shown(value)), Plain(f": {parameter.description}")))
    changes = [Choice(parameter.name, parameter.name) for parameter in _optional(kind)]
    return Question(Reply(tuple(blocks)), (Choice("Start", GO), *changes, Choice("Cancel", STOP)))


def _ask_next(kind: AnyKind, form: Form) -> Form:
    lacking = missing(kind, form.values)
    return form.model_copy(update={"asking": lacking[0].name if lacking else None, "before": None})


def _optional(kind: AnyKind) -> list[Parameter]:
    return [parameter for parameter in kind.parameters if not parameter.required]


def _options(parameter: Parameter) -> list[tuple[str, Value | None]]:
    """Answers that a button can give, with their labels; None is the default."""
    options: list[tuple[str, Value | None]] = []
    if parameter.type == "choice":
        options = [(str(choice), choice) for choice in parameter.choices]
    elif parameter.type == "boolean":
        options = [("Yes", True), ("No", False)]
    if not parameter.required:
        options.append((f"Normal ({_shown(parameter.default)})", None))
    return options


def asks_for_file(kind: AnyKind, form: Form) -> bool:
    return form.asking in {parameter.name for parameter in kind.files}


def _shown(value: Sent | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value.name if isinstance(value, IncomingFile) else "left open" if value is None else str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


class FormStore:
    """Forms in Redis, one for each person in each chat, so that a restart of the bot does not lose them."""

    def __init__(self, redis: Redis, platform: str) -> None:
        self._redis = redis
        self._platform = platform

    async def load(self, chat: str, user: str) -> Form | None:
        """The open form; one that cannot be read counts as none. Raises what redis-py raises."""
        data = await self._redis.get(self._key(chat, user))
        try:
            return decode(Form, data) if data else None
        except CorruptMessageError:
            return None

    async def save(self, chat: str, user: str, form: Form) -> None:
        await self._redis.set(self._key(chat, user), encode(form), ex=FORM_LIFE)

    async def drop(self, chat: str, user: str) -> None:
        await self._redis.delete(self._key(chat, user))

    def _key(self, chat: str, user: str) -> str:
        return keys.form(f"{self._platform}:{chat}", user)
