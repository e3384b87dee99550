"""The stand-in's REST, with Discord's own refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import standin_discord_rules as rules
from aiohttp import web
from standin_discord_cast import DM, EPHEMERAL, LOADING, Channel, Interaction, Message
from standin_discord_rules import ApiError
from standin_discord_state import State

ACKNOWLEDGE_WITHIN, TOKEN_LIFE = 3.0, 15 * 60.0
MESSAGE, DEFER_MESSAGE, DEFER_UPDATE, UPDATE, CHOICES, WINDOW = 4, 5, 6, 7, 8, 9
STATES: dict[int, Literal["thinking", "updating"]] = {DEFER_MESSAGE: "thinking", DEFER_UPDATE: "updating"}
PAYLOAD = web.RequestKey("payload", dict[str, Any])
FILES = web.RequestKey("files", dict[str, tuple[str, bytes]])  # by field: name and content

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """The next `times` requests whose `METHOD /path` matches are answered with `status`, or cut off (status 0)."""

    pattern: str
    status: int
    times: int
    code: int = 0
    retry_after: float = 0.05


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    payload: dict[str, Any]


class Rest:
    """The part of Discord's REST that Frontdesk uses; anything else is noted in `unhandled`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.calls: list[Call] = []
        self.unhandled: list[str] = []
        self.faults: list[Fault] = []

    def routes(self) -> Iterator[web.RouteDef]:
        channel, hook = "/channels/{channel}/messages", "/webhooks/{application}/{token}"
        for method, path, handler in (
            ("GET", "/users/@me", self._me),
            ("POST", "/users/@me/channels", self._open_dm),
            ("GET", "/oauth2/applications/@me", self._application),
            ("GET", "/applications/{application}/commands", self._get_commands),
            ("PUT", "/applications/{application}/commands", self._put_commands),
            ("POST", "/interactions/{interaction}/{token}/callback", self._callback),
            ("POST", hook, self._follow_up),
            ("GET", hook + "/messages/{message}", self._hook_get),
            ("PATCH", hook + "/messages/{message}", self._hook_edit),
            ("DELETE", hook + "/messages/{message}", self._hook_delete),
            ("POST", channel, self._send),
            ("GET", channel + "/{message}", self._get),
            ("PATCH", channel + "/{message}", self._edit),
            ("DELETE", channel + "/{message}", self._delete),
        ):
            yield web.route(method, "/api/v10" + path, handler)
        yield web.get("/attachments/{id}/{name}", self._file)
        yield web.route("*", "/{anything:.*}", self._nothing)

    # --- every request ---

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/gateway"):
            return await handler(request)
        path = request.path.removeprefix("/api/v10")
        try:
            await self._read(request)
            self.calls.append(Call(request.method, path, request[PAYLOAD]))
            self._strike(request, f"{request.method} {path}")
            self._authorise(request, path)
            return await handler(request)
        except ApiError as error:
            return _refused(error)
        finally:
            self._state.news.set()

    def _authorise(self, request: web.Request, path: str) -> None:
        """Answers to interactions carry their own token in the path; all else needs the bot's."""
        if path.startswith(("/webhooks/", "/interactions/", "/attachments/")):
            return
        if request.headers.get("Authorization") != f"Bot {self._state.token}":
            raise ApiError(401, 0, "401: Unauthorized")

    async def _read(self, request: web.Request) -> None:
        request[FILES] = files = {}
        if request.content_type != "multipart/form-data":
            raw = await request.read()
            request[PAYLOAD] = json.loads(raw) if raw else {}
            return
        form = await request.post()
        for field, part in form.items():
            if isinstance(part, web.FileField):
                files[field] = (part.filename, part.file.read())
        request[PAYLOAD] = json.loads(str(form["payload_json"]))

    def _strike(self, request: web.Request, line: str) -> None:
        for fault in self.faults:
            if fault.times and re.search(fault.pattern, line):
                fault.times -= 1
                if fault.status == 0 and request.transport is not None:
                    request.transport.close()
                raise ApiError(fault.status or 500, fault.code, "made to fail", fault.retry_after)

    async def _nothing(self, request: web.Request) -> web.Response:
        self.unhandled.append(f"{request.method} {request.path}")
        raise ApiError(404, 0, "404: Not Found")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """A file of the content network, as an unsigned address."""
        file = self._state.cdn.get(request.match_info["id"])
        if file is None:
            raise ApiError(404, 0, "404: Not Found")
        response = web.StreamResponse(headers={"Content-Length": str(len(file.data))})
        await response.prepare(request)
        await response.write(file.data[: file.cut])
        if file.cut is not None and request.transport is not None:
            request.transport.close()
        return response

    # --- the application itself ---

    async def _me(self, request: web.Request) -> web.Response:
        return _json(self._state.bot.payload())

    async def _application(self, request: web.Request) -> web.Response:
        return _json({
            "id": self._state.application, "name": "Frontdesk", "icon": None, "description": "", "bot_public": True,
            "bot_require_code_grant": False, "verify_key": "", "flags": 0, "team": None,
            "owner": self._state.bot.payload(), "rpc_origins": [],
        })  # fmt: skip

    async def _get_commands(self, request: web.Request) -> web.Response:
        return _json(self._state.commands)

    async def _put_commands(self, request: web.Request) -> web.Response:
        commands: Any = request[PAYLOAD]
        rules.check_commands(commands)
        self._state.syncs += 1
        self._state.commands = [self._kept(command) for command in commands]
        return _json(self._state.commands)

    def _kept(self, command: dict[str, Any]) -> dict[str, Any]:
        """A command as Discord gives it back: permissions as text, and nothing left out."""
        needed = command.get("default_member_permissions")
        about = {"id": self._state.new_id(), "application_id": self._state.application, "version": "1"}
        return {"description": "", **command, **about, "default_member_permissions": needed and str(needed)}

    async def _open_dm(self, request: web.Request) -> web.Response:
        wanted = str(request[PAYLOAD]["recipient_id"])
        for channel in self._state.channels.values():
            if channel.type == DM and channel.bot_present and channel.people[0].id == wanted:
                return _json(channel.payload())
        raise ApiError(400, 50033, "Invalid Recipient(s)")

    # --- interactions ---

    def _live(self, request: web.Request) -> Interaction:
        interaction = self._state.interactions.get(request.match_info["token"])
        if interaction is None or self._state.now - interaction.at > TOKEN_LIFE or interaction.ended:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        return interaction

    async def _callback(self, request: web.Request) -> web.Response:
        interaction = self._state.interactions.get(request.match_info["token"])
        payload = request[PAYLOAD]
        sort, data = payload["type"], payload.get("data") or {}
        if interaction is None or self._state.now - interaction.at > ACKNOWLEDGE_WITHIN:
            raise ApiError(404, 10062, "Unknown interaction")
        if interaction.state != "sent":
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        if sort == CHOICES:
            interaction.choices = rules.check_choices(data["choices"])
        elif sort == WINDOW:
            interaction.window = rules.check_window(data)
        elif sort in (MESSAGE, DEFER_MESSAGE):
            flags = data.get("flags", 0) & EPHEMERAL | (LOADING if sort == DEFER_MESSAGE else 0)
            message = self._state.new_message(interaction.channel, self._state.bot, flags, interaction.user)
            interaction.message = message if flags & LOADING else self._state.post(message, data, request[FILES])
        elif sort in (DEFER_UPDATE, UPDATE):
            interaction.message = self._state.messages[interaction.payload["message"]["id"]]
            if sort == UPDATE:
                self._state.write(interaction.message, data, request[FILES])
        else:
            raise ApiError(400, 50035, f"type: {sort} is not known to this stand-in")
        interaction.state = STATES.get(sort, "answered")
        return _json(self._callback_answer(interaction, sort))

    def _callback_answer(self, interaction: Interaction, sort: int) -> dict[str, Any]:
        about: dict[str, Any] = {"id": interaction.id, "type": interaction.payload["type"]}
        message = interaction.message
        if message is None:
            return {"interaction": about}
        about |= {"response_message_id": message.id, "response_message_ephemeral": message.ephemeral}
        return {"interaction": about, "resource": {"type": sort, "message": message.payload()}}

    def _hooked(self, request: web.Request) -> tuple[Interaction, Message]:
        interaction = self._live(request)
        wanted = request.match_info["message"]
        message = interaction.message if wanted == "@original" else self._state.messages.get(wanted)
        if message is None or message.deleted or message not in (interaction.message, *interaction.followups):
            raise ApiError(404, 10008, "Unknown Message")
        return interaction, message

    async def _hook_get(self, request: web.Request) -> web.Response:
        return _json(self._hooked(request)[1].payload())

    async def _hook_edit(self, request: web.Request) -> web.Response:
        interaction, message = self._hooked(request)
        self._state.write(message, request[PAYLOAD], request[FILES])
        if message is interaction.message:
            interaction.state = "answered"
        return _json(message.payload())

    async def _hook_delete(self, request: web.Request) -> web.Response:
        self._hooked(request)[1].deleted = True
        return web.Response(status=204)

    async def _follow_up(self, request: web.Request) -> web.Response:
        interaction, payload = self._live(request), request[PAYLOAD]
        if interaction.state == "sent":
            raise ApiError(404, 10015, "Unknown Webhook")
        if interaction.state == "thinking" and interaction.message and not interaction.message.deleted:
            # Discord takes the first follow-up for the answer that was promised, with the promise's visibility.
            self._state.write(interaction.message, payload, request[FILES])
            interaction.state = "answered"
            return _json(interaction.message.payload())
        flags = payload.get("flags", 0) & EPHEMERAL
        message = self._state.new_message(interaction.channel, self._state.bot, flags, interaction.user)
        self._state.post(message, payload, request[FILES])
        interaction.followups.append(message)
        return _json(message.payload())

    # --- messages by the bot's own token ---

    def _reachable(self, request: web.Request) -> Channel:
        channel = self._state.channels.get(request.match_info["channel"])
        if channel is None:
            raise ApiError(404, 10003, "Unknown Channel")
        if not channel.bot_present:
            raise ApiError(403, 50001, "Missing Access")
        return channel

    def _reached(self, request: web.Request) -> Message:
        channel, message = self._reachable(request), self._state.messages.get(request.match_info["message"])
        if message is None or message.deleted or message.ephemeral or message.channel is not channel:
            raise ApiError(404, 10008, "Unknown Message")
        return message

    async def _send(self, request: web.Request) -> web.Response:
        channel, payload = self._reachable(request), request[PAYLOAD]
        if channel.type == DM and not channel.people[0].dms_open:
            raise ApiError(403, 50007, "Cannot send messages to this user")
        nonce = str(payload["nonce"]) if payload.get("nonce") is not None else None
        if nonce and payload.get("enforce_nonce"):
            for message in self._state.messages.values():
                if (message.nonce, message.channel) == (nonce, channel):
                    return _json(message.payload())
        message = self._state.new_message(channel, self._state.bot)
        message.nonce = nonce
        message.reply_to = (payload.get("message_reference") or {}).get("message_id")
        self._state.post(message, payload, request[FILES])
        return _json(message.payload())

    async def _get(self, request: web.Request) -> web.Response:
        return _json(self._reached(request).payload())

    async def _edit(self, request: web.Request) -> web.Response:
        message = self._reached(request)
        if message.author is not self._state.bot:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        self._state.write(message, request[PAYLOAD], request[FILES])
        return _json(message.payload())

    async def _delete(self, request: web.Request) -> web.Response:
        self._reached(request).deleted = True
        return web.Response(status=204)


def _json(data: object, status: int = 200) -> web.Response:
    # With a charset behind the type discord.py keeps the text instead of reading it.
    return web.Response(body=json.dumps(data).encode(), status=status, content_type="application/json")


def _refused(error: ApiError) -> web.Response:
    response = _json({"code": error.code, "message": error.message, "retry_after": error.retry_after}, error.status)
    response.headers["Via"] = "1.1 stand-in"  # discord.py takes a 429 without it for a ban at Discord's edge
    return response
