"""The stand-in's gateway: the socket on which a bot is told what happens."""

from __future__ import annotations

from typing import Any

from aiohttp import WSMsgType, web
from standin_discord_state import State


class Gateway:
    def __init__(self, state: State) -> None:
        self._state = state
        self._sequence = 0
        self._sockets: list[web.WebSocketResponse] = []
        self.identified = 0
        self.intents = 0

    async def connection(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 41_250}, "s": None, "t": None})
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                break
            said = frame.json()
            if said["op"] == 1:
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            elif said["op"] == 2 and said["d"]["token"] != self._state.token:
                await socket.close(code=4004)
            elif said["op"] == 2:
                self.intents = said["d"]["intents"]
                await self._welcome(socket, request.host)
            elif said["op"] == 6:
                self._sockets.append(socket)
                await self._dispatch(socket, "RESUMED", {})
            self._state.news.set()
        if socket in self._sockets:
            self._sockets.remove(socket)
        return socket

    async def _welcome(self, socket: web.WebSocketResponse, host: str) -> None:
        state, bot = self._state, self._state.bot
        await self._dispatch(socket, "READY", {
            "v": 10, "user": bot.payload(), "session_id": f"s{self.identified}", "shard": [0, 1],
            "resume_gateway_url": f"ws://{host}/gateway/", "guilds": [{"id": state.guild, "unavailable": True}],
            "application": {"id": state.application, "flags": 0},
        })  # fmt: skip
        channels = [channel.payload() for channel in state.channels.values() if channel.guild == state.guild]
        roles = [
            {
                "id": role, "name": "role", "color": 0, "hoist": False, "position": 1, "permissions": "0",
                "managed": False, "mentionable": False, "flags": 0,
            }
            for role in (state.guild, *state.roles)
        ]  # fmt: skip
        await self._dispatch(socket, "GUILD_CREATE", {
            "id": state.guild, "name": "Lab", "icon": None, "owner_id": bot.id, "member_count": 3, "roles": roles,
            "emojis": [], "features": [], "channels": channels, "threads": [], "members": [bot.member()],
            "voice_states": [], "presences": [], "verification_level": 0, "default_message_notifications": 0,
            "explicit_content_filter": 0, "mfa_level": 0, "nsfw_level": 0, "premium_tier": 0, "large": False,
            "system_channel_flags": 0, "preferred_locale": "en-US", "afk_timeout": 300, "stickers": [],
            "unavailable": False, "joined_at": "2024-01-01T00:00:00+00:00",
        })  # fmt: skip
        self._sockets.append(socket)
        self.identified += 1

    async def _dispatch(self, socket: web.WebSocketResponse, name: str, data: dict[str, Any]) -> None:
        self._sequence += 1
        await socket.send_json({"op": 0, "t": name, "s": self._sequence, "d": data})

    async def tell(self, name: str, data: dict[str, Any]) -> None:
        """Send an event to every connected bot."""
        for socket in list(self._sockets):
            await self._dispatch(socket, name, data)

    @property
    def connected(self) -> bool:
        return bool(self._sockets)

    async def drop(self, code: int = 1006) -> None:
        """Cut the gateway, as a network fault or a deployment of Discord's does."""
        for socket in list(self._sockets):
            await socket.close(code=code)
