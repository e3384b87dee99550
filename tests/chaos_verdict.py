"""What became of every accepted job of a run of chaos: by what the queue remembers, and by what people see."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chaos_crowd import Crowd
from redis.asyncio import Redis

from frontdesk.queue import keys
from frontdesk.queue.broker import Broker
from frontdesk.queue.connection import answer
from frontdesk.queue.jobs import JobRecord

ID = r"(?P<job>[0-9a-hjkmnp-tv-z]{9})"
NAMED = re.compile(rf"\bwrite {ID}\b|(?:^|\n| ){ID.replace('job', 'pointed')}: ")
COMPONENT = 3
# Telegram cannot tell one sending from two, so what is sent anew may come twice there; edits, and all on Discord, not.
BY_EDIT, ANEW = "answers that a ticket became", "answers sent anew"
TICKETS, POINTERS = "tickets left behind", "pointers to a late answer"
ENDS = {
    "cancelled": "cancelled.",
    "failed": "failed.",
    "expired": "waited too long and was given up. Please ask again.",
}


@dataclass(frozen=True)
class Seen:
    """One message of the bot's, without markup: what it says now, and all that it ever said. `reader`: who alone can
    read it, if it is for one."""

    id: str
    reader: str | None
    now: str
    ever: str


@dataclass
class Verdict:
    """What was found. `broken` holds each broken promise with its job."""

    statuses: Counter[str] = field(default_factory=Counter)
    deliveries: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    slowest: float = 0.0
    broken: list[str] = field(default_factory=list)


async def ended(redis: Redis) -> bool:
    """Every job that the queue knows has ended, and the queue knows how its delivery went."""
    records = await _records(redis)
    return all(record.ended and record.delivery for record in records.values())


async def verdict(redis: Redis, crowd: Crowd, logged: Iterable[str]) -> Verdict:
    """Call it when everything is calm, and has been given the time to end."""
    found, records, lines = Verdict(), await _records(redis), [*_events(logged)]
    seen = _seen(crowd)
    accepted = {line["job"] for line in lines if line.get("event") == "accepted"} | set(records) | set(seen)
    found.accepted = len(accepted)
    for job_id in sorted(accepted):
        if (record := records.get(job_id)) is None:
            found.broken.append(f"{job_id}: it was accepted, and the queue does not know it")
        else:
            _judge(found, record, seen[job_id])
    await _count(found, redis)
    answered: dict[str, float] = {}
    for line in lines:
        if line.get("event") == "answered":
            at = datetime.fromisoformat(line["timestamp"]).timestamp()
            answered.setdefault(line["job"], at)
    waits = [at - records[job_id].submitted_at for job_id, at in answered.items() if job_id in records]
    found.slowest = max(waits, default=0.0)
    return found


def _judge(found: Verdict, record: JobRecord, seen: list[Seen]) -> None:
    platform = record.reply.platform
    found.statuses[record.state] += 1
    if not record.ended or record.outcome is None or record.outcome.status != record.state:
        found.broken.append(_sentence(record, seen, "it has no outcome"))
        return
    found.deliveries[(record.delivery or "none").partition(":")[0]] += 1
    if record.delivery is None:
        found.broken.append(_sentence(record, seen, "what became of its outcome is not recorded"))
        return
    right = _answer(record)
    answers = [each for each in seen if right in each.now and each.reader in (None, record.reply.user)]
    if record.delivery == "delivered" and not answers:
        found.broken.append(_sentence(record, seen, "recorded as delivered, and not to be seen"))
    others = set(re.findall(r"answer[0-9a-f]{12}", " ".join(each.ever for each in seen))) - {right}
    if others:
        found.broken.append(_sentence(record, seen, "another outcome was shown, too"))
    tickets = [each for each in seen if each not in answers and not re.search(r": answered (above|below)\.", each.now)]
    pointers = [each for each in seen if ": answered above." in each.now]
    by_edit = any(each.id == record.reply.message for each in answers)
    found.doubled[f"{platform}: {BY_EDIT if by_edit else ANEW}"] += max(0, len(answers) - 1)
    found.doubled[f"{platform}: {TICKETS}"] += len(tickets) if answers else max(0, len(tickets) - 1)
    found.doubled[f"{platform}: {POINTERS}"] += max(0, len(pointers) - 1)
    if len(answers) > 1 and (platform == "discord" or by_edit):
        found.broken.append(_sentence(record, seen, "its answer is there twice, where it could be told once"))


def _answer(record: JobRecord) -> str:
    assert record.outcome is not None
    if record.outcome.result is not None:
        return str(record.outcome.result["text"])
    return f"{record.id}: {ENDS[record.outcome.status]}"


async def _count(found: Verdict, redis: Redis) -> None:
    """The queue's own count of outcomes, which one step of its writes beside each, and its streams' ends."""
    ended: Counter[str] = Counter()
    async for key in redis.scan_iter(f"{keys.MINUTE}*"):
        for name, number in (await answer(redis.hgetall(key))).items():
            kind, _, status = name.decode().partition("|")
            ended[status] += int(number) if kind == "write" else 0
    if +ended != +found.statuses:
        found.broken.append(f"outcomes counted: {dict(ended)}, jobs by outcome: {dict(found.statuses)}")
    for platform in ("telegram", "discord"):
        if left := await redis.xlen(keys.outcomes(platform)):
            found.broken.append(f"{left} outcomes are still to be delivered on {platform}")


async def _records(redis: Redis) -> dict[str, JobRecord]:
    ids = [key.decode().removeprefix(keys.JOB) async for key in redis.scan_iter(f"{keys.JOB}*")]
    return await Broker(redis, keep=60).records(ids)


def _events(logged: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in logged:
        if line.startswith("{") and line.endswith("}"):
            yield json.loads(line)


def _seen(crowd: Crowd) -> defaultdict[str, list[Seen]]:
    """The bots' messages by the job that they are of."""
    by_job: defaultdict[str, list[Seen]] = defaultdict(list)
    for each in _messages(crowd):
        for job_id in {match["job"] or match["pointed"] for match in NAMED.finditer(each.ever)}:
            by_job[job_id].append(each)
    return by_job


def _messages(crowd: Crowd) -> Iterator[Seen]:
    for chat in crowd.telegram.chats.values():
        for message in chat.messages.values():
            if message.sender is None:
                reader = str(chat.person.id) if chat.person else None
                yield Seen(str(message.id), reader, message.text, "\n".join((*message.history, message.text)))
    asides = {
        each.message.id
        for each in crowd.discord.interactions.values()
        if each.payload["type"] == COMPONENT and each.message is not None and each.message.ephemeral
    }
    for said in crowd.discord.messages.values():
        if said.author is crowd.discord.bot and not said.deleted and said.id not in asides:
            alone = said.channel.people[0] if said.channel.people else said.seen_by if said.ephemeral else None
            ever = _bare("\n".join((*said.history, said.text)))
            yield Seen(said.id, alone.id if alone else None, _bare(said.text), ever)


def _bare(text: str) -> str:
    """Discord's text without its marks."""
    return re.sub(r"[`*\\]", "", text)


def _sentence(record: JobRecord, seen: list[Seen], what: str) -> str:
    """A broken promise with the job's record, and without anybody's words."""
    outcome = record.outcome.status if record.outcome else None
    return (
        f"{record.id}: {what} ({record.reply.platform}, state {record.state}, outcome {outcome}, delivery "
        f"{record.delivery!r}, ticket {record.reply.message}, worker {record.worker}, kills {record.kills}, asked "
        f"{record.submitted_at:.3f}, ended {record.finished_at}, messages {[each.id for each in seen]})"
    )
