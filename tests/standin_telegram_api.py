"""The methods of the stand-in Bot API, refusing what Telegram refuses, in Telegram's words."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import aiohttp
from aiohttp import web
from standin_telegram_model import (
    BOT,
    JSON,
    MAX_ANSWER,
    MAX_CAPTION,
    MAX_DOWNLOAD,
    MAX_TEXT,
    MAX_UPLOAD,
    NOT_MODIFIED,
    TOKEN,
    Call,
    Chat,
    Click,
    Fault,
    Message,
    Person,
    RefusedError,
    bad,
    utf16,
)
from standin_telegram_rules import checked_keyboard, stored_text, uploaded

Files: TypeAlias = Mapping[str, tuple[str, bytes]]
Sort: TypeAlias = Literal["document", "animation", "photo"]


class BotApi:
    """Answers the bot. What people do is in `standin_telegram`."""

    def __init__(self) -> None:
        self.url = ""
        self.token = TOKEN
        self.upload_limit = MAX_UPLOAD
        self.disk: Path | None = None  # where a server of one's own, started with --local, puts documents
        self.downloads = 0
        self.download_cut: int | None = None  # bytes after which downloads break off
        self.downloading: asyncio.Event | None = None  # downloads wait for it
        self.chats: dict[int, Chat] = {}
        self.people: dict[int, Person] = {}
        self.calls: list[Call] = []
        self.commands: dict[str, dict[str, str]] = {}  # scope -> command -> description
        self.webhook: JSON = {"url": ""}
        self.updates: dict[int, JSON] = {}  # sent by people, not yet confirmed by the bot
        self.confirmed: dict[int, JSON] = {}
        self.problems: list[str] = []  # requests the stand-in has no answer for
        self._ids = itertools.count(1000)
        self._update_ids = itertools.count(1)
        self._clicks: dict[str, Click] = {}
        self._faults: list[Fault] = []
        self._news = asyncio.Condition()
        self._seen: set[int] = set()
        self._poll: object | None = None
        self._hook: asyncio.Task[None] | None = None

    # The wire

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._dispatch(request)
        except RefusedError as error:
            answer: JSON = {"ok": False, "error_code": error.status, "description": error.description}
            if error.parameters:
                answer["parameters"] = error.parameters
            return web.json_response(answer, status=error.status)
        finally:
            await self._changed()

    async def _dispatch(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.match_info["token"] != self.token:
            raise RefusedError(401, "Unauthorized")
        params, files = await _read(request)
        self.calls.append(Call(method, params, time.monotonic()))
        fault = self._fault(method, params)
        if fault and fault.page:
            return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")
        if fault and fault.refusal:
            raise fault.refusal
        if fault and fault.cut == "before":
            return _cut(request)
        handler = getattr(self, f"_on_{method.lower()}", None)
        if handler is None:
            self.problems.append(f"no such method: {method}")
            raise RefusedError(404, "Not Found")
        result = await handler(params, files)
        return _cut(request) if fault else web.json_response({"ok": True, "result": result})

    def _fault(self, method: str, params: JSON) -> Fault | None:
        for fault in self._faults:
            here = fault.chat is None or str(fault.chat) == str(params.get("chat_id"))
            if fault.times and here and re.fullmatch(fault.method, method):
                fault.times -= 1
                return fault
        return None

    async def _changed(self) -> None:
        async with self._news:
            self._news.notify_all()

    def _add(self, chat: Chat, sender: Person | None, text: str, entities: list[JSON]) -> Message:
        message = Message(next(self._ids), chat, sender, text, entities, history=[text])
        chat.messages[message.id] = message
        return message

    # Methods: updates

    async def _on_getme(self, params: JSON, files: object) -> JSON:
        return BOT | {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}

    async def _on_getupdates(self, params: JSON, files: object) -> list[JSON]:
        if self.webhook["url"]:
            raise RefusedError(409, "Conflict: can't use getUpdates method while webhook is active")
        self._poll = mine = object()
        await self._changed()
        offset = int(params.get("offset", 0))
        for number in [number for number in self.updates if number < offset]:
            self.confirmed[number] = self.updates.pop(number)
        allowed = params.get("allowed_updates")
        for number, update in list(self.updates.items()):
            if allowed and not set(update) & set(allowed):
                self.confirmed[number] = self.updates.pop(number)
        async with self._news:
            try:
                deadline = float(params.get("timeout", 0))
                await asyncio.wait_for(self._news.wait_for(lambda: self.updates or self._poll is not mine), deadline)
            except TimeoutError:
                return []
        if self._poll is not mine:
            raise RefusedError(409, "Conflict: terminated by other getUpdates request; make sure only one runs")
        return [self.updates[number] for number in sorted(self.updates)][: int(params.get("limit", 100))]

    async def _on_setwebhook(self, params: JSON, files: object) -> bool:
        """Plain http is let pass, for the loopback's sake."""
        self.webhook = {"allowed_updates": [], **params}
        if self._hook:
            self._hook.cancel()
        self._hook = asyncio.create_task(self._deliver()) if params.get("url") else None
        return True

    async def _on_deletewebhook(self, params: JSON, files: object) -> bool:
        return await self._on_setwebhook({"url": ""}, files)

    async def _on_getwebhookinfo(self, params: JSON, files: object) -> JSON:
        return {"url": self.webhook["url"], "has_custom_certificate": False, "pending_update_count": len(self.updates)}

    async def _deliver(self) -> None:
        """Post updates in order, each until the bot answers with 2xx, as Telegram does."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": str(self.webhook.get("secret_token", ""))}
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                await self._wait_for_update()
                number = min(self.updates)
                try:
                    async with session.post(self.webhook["url"], json=self.updates[number]) as response:
                        if response.status // 100 == 2:
                            self.confirmed[number] = self.updates.pop(number)
                            await self._changed()
                            continue
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    async def _wait_for_update(self) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self.updates)

    # Files

    async def _on_getfile(self, params: JSON, files: object) -> JSON:
        message = self._holding(str(params["file_id"]))
        if message is None or message.document is None:
            raise bad("wrong file_id or the file is temporarily unavailable")
        name, data = message.document
        if self.disk is None and len(data) > MAX_DOWNLOAD:
            raise bad("file is too big")
        path = f"documents/file_{message.id}{Path(name).suffix}"
        if self.disk is not None:
            path = str(self.disk / f"file_{message.id}")
            await asyncio.to_thread(Path(path).write_bytes, data)
        return {"file_id": params["file_id"], "file_unique_id": "u", "file_size": len(data), "file_path": path}

    def _holding(self, file_id: str) -> Message | None:
        messages = (message for chat in self.chats.values() for message in chat.messages.values())
        return next((message for message in messages if f"f{message.id}" == file_id), None)

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        """As below `base_file_url`; of a server with --local nothing is there."""
        number = re.search(r"file_(\d+)", request.match_info["path"])
        message = self._holding(f"f{number[1]}") if number else None
        if request.match_info["token"] != self.token or message is None or message.document is None or self.disk:
            raise web.HTTPNotFound
        self.downloads += 1
        await self._changed()
        if self.downloading is not None:
            await self.downloading.wait()
        data = message.document[1]
        response = web.StreamResponse(headers={"Content-Length": str(len(data))})
        await response.prepare(request)
        await response.write(data[: self.download_cut])
        if self.download_cut is not None:
            _cut(request)
        return response

    # Methods: messages

    def _chat(self, params: JSON) -> Chat:
        chat = self.chats.get(int(params["chat_id"]))
        if chat is None:
            raise bad("chat not found")
        if chat.person and chat.person.blocks_bot:
            raise RefusedError(403, "Forbidden: bot was blocked by the user")
        if chat.person and not chat.person.started:
            raise RefusedError(403, "Forbidden: bot can't initiate conversation with a user")
        if chat.bot_removed:
            raise RefusedError(403, "Forbidden: bot was kicked from the supergroup chat")
        return chat

    def _message(self, params: JSON, what: str) -> Message:
        message = self._chat(params).messages.get(int(params["message_id"]))
        if message is None:
            raise bad(f"message to {what} not found")
        if message.sender is not None:
            raise bad("message can't be edited")
        return message

    async def _send(self, params: JSON, text: str, entities: list[JSON]) -> Message:
        chat = self._chat(params)
        keyboard = checked_keyboard(params.get("reply_markup"))
        reply = params.get("reply_parameters") or {}
        answered = chat.messages.get(int(reply.get("message_id", 0)))
        if reply and answered is None and not reply.get("allow_sending_without_reply"):
            raise bad("message to be replied not found")
        message = self._add(chat, None, text, entities)
        message.keyboard, message.reply_to = keyboard, answered
        message.thread = int(params["message_thread_id"]) if "message_thread_id" in params else None
        message.silent = str(params.get("disable_notification")).lower() == "true"
        return message

    async def _on_sendmessage(self, params: JSON, files: object) -> JSON:
        text, entities = stored_text(params, "text", "entities", MAX_TEXT)
        if not text:
            raise bad("message text is empty")
        return (await self._send(params, text, entities)).json()

    async def _on_senddocument(self, params: JSON, files: Files) -> JSON:
        return await self._send_file(params, files, "document")

    async def _on_sendanimation(self, params: JSON, files: Files) -> JSON:
        return await self._send_file(params, files, "animation")

    async def _on_sendphoto(self, params: JSON, files: Files) -> JSON:
        return await self._send_file(params, files, "photo")

    async def _send_file(self, params: JSON, files: Files, sort: Sort) -> JSON:
        text, entities = stored_text(params, "caption", "caption_entities", MAX_CAPTION)
        document = uploaded(params.get(sort), files, sort, self.upload_limit)
        message = await self._send(params, text, entities)
        message.document, message.sort = document, sort
        return message.json()

    async def _on_sendmediagroup(self, params: JSON, files: Files) -> list[JSON]:
        """Two to ten, and documents only among themselves; all of them or none."""
        group = params["media"]
        if not 2 <= len(group) <= 10:
            raise bad("group send failed: a media group has 2 to 10 items")
        if len({media["type"] == "document" for media in group}) > 1:
            raise bad("document can't be mixed with other media types")
        documents = [uploaded(media["media"], files, media["type"], self.upload_limit) for media in group]
        texts = [stored_text(media, "caption", "caption_entities", MAX_CAPTION) for media in group]
        messages = [await self._send(params, *text) for text in texts]
        for message, media, document in zip(messages, group, documents, strict=True):
            message.document, message.sort, message.group = document, media["type"], f"g{messages[0].id}"
        return [message.json() for message in messages]

    async def _on_editmessagetext(self, params: JSON, files: object) -> JSON:
        message = self._message(params, "edit")
        text, entities = stored_text(params, "text", "entities", MAX_TEXT)
        if message.document:
            raise bad("there is no text in the message to edit")
        if not text:
            raise bad("message text is empty")
        return self._edited(message, text, entities, checked_keyboard(params.get("reply_markup")))

    async def _on_editmessagecaption(self, params: JSON, files: object) -> JSON:
        message = self._message(params, "edit")
        text, entities = stored_text(params, "caption", "caption_entities", MAX_CAPTION)
        if not message.document:
            raise bad("there is no caption in the message to edit")
        return self._edited(message, text, entities, checked_keyboard(params.get("reply_markup")))

    async def _on_editmessagemedia(self, params: JSON, files: Files) -> JSON:
        message, media = self._message(params, "edit"), params["media"]
        text, entities = stored_text(media, "caption", "caption_entities", MAX_CAPTION)
        before = (message.document, message.sort)
        message.document = uploaded(media["media"], files, media["type"], self.upload_limit)
        message.sort = media["type"]
        if before == (message.document, message.sort):
            return self._edited(message, text, entities, checked_keyboard(params.get("reply_markup")))
        return self._edited(message, text, entities, checked_keyboard(params.get("reply_markup")), changed=True)

    async def _on_editmessagereplymarkup(self, params: JSON, files: object) -> JSON:
        message = self._message(params, "edit")
        return self._edited(message, message.text, message.entities, checked_keyboard(params.get("reply_markup")))

    def _edited(
        self, message: Message, text: str, entities: list[JSON], keyboard: JSON | None, changed: bool = False
    ) -> JSON:
        if not changed and (message.text, message.entities, message.keyboard) == (text, entities, keyboard):
            raise bad(NOT_MODIFIED)
        if text != message.text:
            message.history.append(text)
        message.text, message.entities, message.keyboard = text, entities, keyboard
        return message.json()

    async def _on_deletemessage(self, params: JSON, files: object) -> bool:
        del self._chat(params).messages[self._message(params, "delete").id]
        return True

    async def _on_answercallbackquery(self, params: JSON, files: object) -> bool:
        click = self._clicks.get(str(params["callback_query_id"]))
        if click is None or click.answered:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        if utf16(str(params.get("text", ""))) > MAX_ANSWER:
            raise bad("MESSAGE_TOO_LONG")
        click.answered, click.text = True, params.get("text")
        click.alert = str(params.get("show_alert")).lower() == "true"
        return True

    async def _on_sendchataction(self, params: JSON, files: object) -> bool:
        self._chat(params)
        return True

    # Methods: the menu

    async def _on_setmycommands(self, params: JSON, files: object) -> bool:
        commands = params["commands"]
        if len(commands) > 100:
            raise bad("too many commands specified")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[self._scope(params)] = {c["command"]: c["description"] for c in commands}
        return True

    async def _on_getmycommands(self, params: JSON, files: object) -> list[JSON]:
        commands = self.commands.get(self._scope(params), {})
        return [{"command": name, "description": text} for name, text in commands.items()]

    async def _on_deletemycommands(self, params: JSON, files: object) -> bool:
        self.commands.pop(self._scope(params), None)
        return True

    def _scope(self, params: JSON) -> str:
        scope = params.get("scope") or {"type": "default"}
        if scope["type"] != "chat":
            return str(scope["type"])
        chat = self.chats.get(int(scope["chat_id"]))
        if chat is None or (chat.person and not chat.person.started):
            raise bad("chat not found")
        return f"chat:{scope['chat_id']}"


def _cut(request: web.Request) -> web.Response:
    if request.transport:
        request.transport.abort()
    return web.Response()


async def _read(request: web.Request) -> tuple[JSON, dict[str, tuple[str, bytes]]]:
    """Parameters with their JSON opened, and uploaded files by field name."""
    params: JSON = dict(request.query)
    files: dict[str, tuple[str, bytes]] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = (value.filename, value.file.read())
        else:
            text = value.decode() if isinstance(value, bytes | bytearray) else value
            params[name] = json.loads(text) if text[:1] in ("{", "[") and name not in ("text", "caption") else text
    return params, files
