"""Who stands behind an update of Telegram's."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Update, User

from frontdesk.bots.on_telegram_intake import Said, read

BOT = User(1, "desk", is_bot=True, username="frontdesk_test_bot")
# What Telegram names as the sender for everybody who hides behind their group, or writes as a channel.
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}


def said(chat: int, sender: dict[str, Any], sender_chat: int) -> Said:
    update = {
        "update_id": 7,
        "message": {
            "message_id": 3,
            "date": 1_790_000_000,
            "chat": {"id": chat, "type": "supergroup", "title": "A group"},
            "from": sender,
            "sender_chat": {"id": sender_chat, "type": "channel", "title": "Somebody"},
            "text": "/jobs",
            "entities": [{"type": "bot_command", "offset": 0, "length": 5}],
        },
    }
    found = read(Update.de_json(update, None), BOT)
    assert isinstance(found, Said)
    return found


@pytest.mark.parametrize("sender", [ANONYMOUS, CHANNEL_BOT])
def test_who_writes_as_a_chat_is_that_chat_and_nobody_elses_stranger(sender: dict[str, Any]) -> None:
    """Two groups' anonymous admins are two requesters: neither sees nor cancels the other's jobs."""
    one, other = said(-1001, sender, -1001), said(-1002, sender, -1002)
    assert {one.place.user, other.place.user} == {-1001, -1002}
