"""A small Discord on the loopback, which the real discord.py talks to while a test plays the people.

    async with Discord() as discord:
        ...                                      # start a bot with discord.url and discord.token
        await discord.until(lambda: discord.gateway.connected)
        asked = await discord.slash(ada, "score", text="...")
        await discord.says(asked, "person")

It refuses what Discord or a person's Discord client would refuse, and its clock stands still unless moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import web
from standin_discord_cast import DM, GROUP_DM, IN_GUILD, Attached, Channel, Interaction, Message, User
from standin_discord_gateway import Gateway
from standin_discord_rest import Fault, Rest
from standin_discord_rules import (
    MESSAGE_MENU,
    SLASH,
    RefusedError,
    check_options,
    command_of,
    nested,
    window_fields,
)
from standin_discord_state import State

__all__ = ["Channel", "Discord", "Interaction", "Message", "RefusedError", "User"]

COMMAND, COMPONENT, AUTOCOMPLETE, WINDOW = 2, 3, 4, 5
GUILD_INSTALL, USER_INSTALL = "0", "1"
T = TypeVar("T")


class Discord(State):
    """The people's side of it. `rest` and `gateway` are what the bot talks to."""

    def __init__(self) -> None:
        super().__init__()
        self.rest = Rest(self)
        self.gateway = Gateway(self)

    async def __aenter__(self) -> Discord:
        app = web.Application(middlewares=[self.rest.middleware], client_max_size=2**26)
        app.router.add_get("/gateway/", self.gateway.connection)
        app.add_routes(self.rest.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.gateway.drop(1001)
        await self._runner.cleanup()

    # --- the cast ---

    def user(self, name: str, *, roles: set[str] | None = None, administrator: bool = False) -> User:
        """A person, with a direct-message channel to the bot."""
        person = User(self.new_id(), name, roles or set(), administrator)
        self.add(Channel(self.new_id(), DM, people=[person]))
        return person

    def role(self) -> str:
        """A role of the guild; make it before the bot connects."""
        self.roles.append(self.new_id())
        return self.roles[-1]

    def dm(self, person: User) -> Channel:
        """The person's direct messages with the bot."""
        return next(c for c in self.channels.values() if c.type == DM and c.bot_present and person in c.people)

    def group(self, *people: User) -> Channel:
        """A private chat of people, where the app is only somebody's own."""
        return self.add(Channel(self.new_id(), GROUP_DM, people=list(people), bot_present=False))

    # --- what people do ---

    def upload(self, name: str, data: bytes, **lies: Any) -> Attached:
        """A file that a person has chosen; `lies` as in `Attached`."""
        number = self.new_id()
        self.cdn[number] = Attached(number, name, data, f"{self.url}/attachments/{number}/file", **lies)
        return self.cdn[number]

    async def say(self, person: User, content: str, channel: Channel | None = None, *attached: Attached) -> Message:
        """An ordinary message, which the bot is not told of: it does not ask for that intent."""
        message = self.new_message(channel or self.general, person)
        message.content, message.attached = content, list(attached)
        message.history.append(content)
        return message

    def commands_of(self, person: User, channel: Channel | None = None, sort: int = SLASH) -> dict[str, dict[str, Any]]:
        """The commands that the person's client offers in that channel."""
        place = channel or self.general
        install = 0 if place.bot_present else 1
        return {
            command["name"]: command
            for command in self.commands
            if command["type"] == sort
            and place.context in (command.get("contexts") or [0, 1, 2])
            and (not place.guild or install in (command.get("integration_types") or [0]))
            and (place.context != IN_GUILD or _permitted(person, command))
        }

    async def slash(
        self, person: User, name: str, channel: Channel | None = None, /, *, hidden: bool = False, **options: object
    ) -> Interaction:
        """A slash command, or a group's (`admin pause`). `hidden` sends it even where the client does not offer it."""
        offered = {c["name"]: c for c in self.commands} if hidden else self.commands_of(person, channel)
        command, part = command_of(offered, name)
        people = [value for value in options.values() if isinstance(value, User)]
        files = [value for value in options.values() if isinstance(value, Attached)]
        filled = nested(command, part, check_options(part, options))
        data = {"id": command["id"], "name": command["name"], "type": SLASH, "options": filled}
        if people:
            data["resolved"] = {"users": {each.id: each.payload() for each in people}}
        if files:
            data["resolved"] = {"attachments": {each.id: each.payload() for each in files}}
        return await self._interact(person, channel or self.general, COMMAND, data)

    async def menu(self, person: User, name: str, message: Message) -> Interaction:
        """A command of a message's context menu."""
        offered = self.commands_of(person, message.channel, MESSAGE_MENU)
        if name not in offered:
            raise RefusedError(f"there is no {name!r} in the menu")
        resolved = {"messages": {message.id: message.payload()}}
        data = {"id": offered[name]["id"], "name": name, "type": MESSAGE_MENU}
        data |= {"target_id": message.id, "resolved": resolved}
        return await self._interact(person, message.channel, COMMAND, data)

    async def click(self, person: User, message: Message, label: str) -> Interaction:
        """A button of a message that the person can see."""
        if message.deleted or (message.ephemeral and message.seen_by is not person):
            raise RefusedError("that message is not there to click on")
        if label not in message.buttons:
            raise RefusedError(f"there is no button {label!r}, only {list(message.buttons)}")
        data = {"custom_id": message.buttons[label]["custom_id"], "component_type": 2}
        return await self._interact(person, message.channel, COMPONENT, data, message=message.payload())

    async def fill_in(self, asked: Interaction, text: str) -> Interaction:
        """Write this into the only field of the window that a click opened, and send it."""
        if asked.window is None:
            raise RefusedError("there is no window")
        [field] = window_fields(asked.window)
        if not field.get("min_length", 0) <= len(text) <= field.get("max_length", 4000):
            raise RefusedError("that text is too short or too long")
        row = {"type": 1, "components": [{"type": 4, "custom_id": field["custom_id"], "value": text}]}
        data = {"custom_id": asked.window["custom_id"], "components": [row]}
        return await self._interact(asked.user, asked.channel, WINDOW, data, message=asked.payload["message"])

    async def autocomplete(
        self, person: User, name: str, option: str, typed: str = "", *, hidden: bool = False
    ) -> list[dict[str, Any]]:
        """What the bot offers while the person types."""
        offered = {c["name"]: c for c in self.commands} if hidden else self.commands_of(person)
        command, part = command_of(offered, name)
        options = nested(command, part, [{"name": option, "type": 3, "value": typed, "focused": True}])
        data = {"id": command["id"], "name": command["name"], "type": SLASH, "options": options}
        asked = await self._interact(person, self.general, AUTOCOMPLETE, data)
        await self.until(lambda: asked.state == "answered")
        return asked.choices

    async def repeat(self, interaction: Interaction) -> None:
        """Deliver an interaction once more, as Discord does when a connection resumes."""
        await self.gateway.tell("INTERACTION_CREATE", interaction.payload)

    async def _interact(
        self, person: User, channel: Channel, sort: int, data: dict[str, Any], **more: Any
    ) -> Interaction:
        number = self.new_id()
        owners = {GUILD_INSTALL: channel.guild or "0"} if channel.bot_present else {USER_INSTALL: person.id}
        payload = {
            "id": number, "application_id": self.application, "type": sort, "data": data, "token": f"token-{number}",
            "version": 1, "channel_id": channel.id, "channel": channel.payload(), "locale": "en-US",
            "context": channel.context, "authorizing_integration_owners": owners, "entitlements": [],
            "app_permissions": "0", "attachment_size_limit": channel.upload_limit,
        } | more  # fmt: skip
        if channel.guild:
            guild = {"id": channel.guild, "locale": "en-US", "features": []}
            payload |= {"guild_id": channel.guild, "guild": guild, "member": person.member()}
        else:
            payload |= {"user": person.payload()}
        interaction = Interaction(number, f"token-{number}", person, channel, self.now, payload)
        self.interactions[interaction.token] = interaction
        await self.gateway.tell("INTERACTION_CREATE", payload)
        return interaction

    # --- what happens to them ---

    def fail(self, pattern: str, status: int, *, times: int = 1, code: int = 0, retry_after: float = 0.05) -> None:
        """Let the next requests that match `METHOD /path` fail. Status 0 cuts the connection."""
        self.rest.faults.append(Fault(pattern, status, times, code, retry_after))

    def expire(self, interaction: Interaction) -> None:
        """The interaction's token dies, as it does after 15 minutes and sometimes earlier."""
        interaction.ended = True

    def calls_to(self, method: str, path: str) -> list[dict[str, Any]]:
        """The bodies of the requests to a method and a part of a path, oldest first."""
        return [call.payload for call in self.rest.calls if call.method == method and path in call.path]

    def said(self, channel: Channel | None = None) -> list[Message]:
        """The bot's messages in a channel that are there to be seen, oldest first."""
        place = channel or self.general
        return [
            message
            for message in self.messages.values()
            if message.channel is place and message.author is self.bot and not message.deleted
        ]

    async def says(self, interaction: Interaction, words: str) -> None:
        """Wait until the bot's answer to an interaction has these words."""
        await self.until(lambda: words in interaction.text)

    async def until(self, true: Callable[[], T], seconds: float = 20) -> T:
        """Wait for something to become true of this Discord, looking again after every request of the bot's."""
        try:
            async with asyncio.timeout(seconds):
                while not (value := true()):
                    self.news.clear()
                    await self.news.wait()
                return value
        except TimeoutError:
            last = "\n".join(f"{call.method} {call.path} {call.payload}" for call in self.rest.calls[-8:])
            raise AssertionError(f"it did not come about; the bot's last requests:\n{last}") from None


def _permitted(person: User, command: dict[str, Any]) -> bool:
    needed = command.get("default_member_permissions")
    return needed is None or person.administrator
