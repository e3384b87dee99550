"""What travels through the queue: plain, frozen data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Platform = Literal["discord", "telegram", "console", "web"]
State = Literal["waiting", "running", "done", "failed", "cancelled", "expired"]

# Crockford's alphabet: no i, l, o, u, so an id can be read aloud and typed back.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
MAX_NAME = 80  # of a file
MEMBER = re.compile(rf"[{ALPHABET}]{{9}}u[0-9]{{2}}")
ID_EPOCH = 1_735_689_600  # 2025-01-01: six characters of seconds last until 2059


class Wire(BaseModel):
    """Base of what is written to Redis as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class Artifact(Wire):
    """A file in the store. `name` is a safe file name such as "chair.glb"; `size` in bytes."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", max_length=MAX_NAME)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    media_type: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+_-]*/[a-z0-9][a-z0-9.+_-]*$", max_length=100)]


class Version(Artifact):
    """A smaller version of a file, for places that do not take the whole. `note` says in words what was done for it:
    "reduced from 400,000 to 60,000 faces"."""

    note: Annotated[str, Field(min_length=1, max_length=200)]


class Requester(Wire):
    """Who asks. `tenant` is the Discord guild, the Telegram group, or the person alone."""

    platform: Platform
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    tenant: str

    @property
    def key(self) -> str:
        return f"{self.platform}:{self.user}"


class ReplyAddress(Wire):
    """Where an answer goes. `message` is the placeholder to edit; `thread` a Telegram topic.

    `token` answers a Discord interaction (15 minutes): without it an ephemeral message cannot be edited.
    `client` names the one process that can deliver (a console); platforms have many bots behind one address.
    `upload_limit` is the largest file that the place takes, in bytes, where it is not the platform's usual one.
    """

    platform: Platform
    channel: str
    user: str
    message: str | None = None
    thread: str | None = None
    reply_to: str | None = None
    token: str | None = None
    token_expires: float | None = None
    client: str | None = None
    private: bool = False
    upload_limit: int | None = None


class Job(Wire):
    """One request of a kind. `params` are those of the kind, already validated; `cost` in device-seconds.

    `to`: the platform that its answer goes to, where that is not its requester's. `publish`: whether others are to see
    what comes of it, where its requester said so.
    """

    id: str
    kind: str
    lane: str
    params: Mapping[str, Any]
    requester: Requester
    private: bool = False
    cost: float
    submitted_at: float
    to: Platform | None = None
    publish: bool | None = None

    @property
    def platform(self) -> Platform:
        """Where its progress and its answer are shown."""
        return self.to or self.requester.platform


class Ranking(Wire):
    """Where a result stands among others of its kind: `place`, smaller is better, and `said`, in a few words.

    `board` names the leaderboard that it enters ("" for none), `edition` what must be the same for results to be
    compared, `configuration` the same for requests that ask for the same, and `entry` what is kept of it there.
    """

    place: Annotated[int, Field(ge=0, lt=2**53)]  # exact as a score in Redis
    said: str
    board: str = ""
    edition: str = ""
    configuration: str = ""
    entry: str = ""


class Outcome(Wire):
    """How a job ended. `reason` is a sentence for the requester; `result` the kind's result as JSON.

    `gpu_seconds` is this job's share of the device's time, `seconds` how long it ran. `files`: the hashes of the files
    that it made, which `result` names and describes.
    `ranking`: where the result stands among others. `model`, `revision` and `device`: what it ran with, which of
    it exactly, and on what; "" where that is not known.
    """

    status: Literal["done", "failed", "cancelled", "expired"]
    result: Mapping[str, Any] | None = None
    reason: str | None = None
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    files: tuple[str, ...] = ()
    ranking: Ranking | None = None
    model: str = ""
    revision: str = ""
    device: str = ""


class Progress(Wire):
    """News of a running job: `fraction` of 0 to 1 where known, `text` written so far. Newer replaces older.

    `waiting`: it does not run any more, and waits to be tried again. `preview`: a picture of what there is so far,
    which the store has for as long as the job runs (`ArtifactStore.fetch_shown`).
    """

    job_id: str
    fraction: float | None = None
    text: str | None = None
    note: str | None = None
    waiting: bool = False
    preview: Artifact | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What a requester's tier gives them of a lane. Of two who keep a lane busy, who has twice the `weight` gets twice
    the device-seconds. Band 0 goes before 1, and 1 before 2. `running` and `tenant_running`: jobs of theirs, and of
    all of their tenant, that may run at a time (None: any number).
    """

    weight: float = 1.0
    band: Literal[0, 1, 2] = 1
    running: int | None = None
    tenant_running: int | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the desk hands back on acceptance.

    `position` 1 is next (0: running or ended); `wait` the expected seconds until the start, None while no worker
    can run it or admins have `paused` its lane, and `wait_high` what nine of ten waits stay below; `lacking` says why
    none of the workers on duty can run it; `repeated` tells that
    this ticket was given before for the same update, `placed` that the requester has seen it, or that
    its answer needs none any more, `answered` that nothing had to be run. `spared`: of a group, the device-seconds of
    the members that had not to be run.
    """

    job_id: str
    position: int
    wait: float | None
    wait_high: float | None = None
    paused: bool = False
    lacking: str | None = None
    repeated: bool = False
    placed: bool = False
    answered: bool = False
    spared: float = 0.0

    @property
    def unserved(self) -> bool:
        """It waits for a worker to come on duty."""
        return self.wait is None and not self.paused and self.lacking is None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as the queue remembers it. Times in Unix seconds.

    `leader`: the job like this one whose outcome it waits for; `kills`: workers that stopped while they ran it.
    """

    id: str
    kind: str
    lane: str
    state: State
    requester: str
    private: bool
    submitted_at: float
    reply: ReplyAddress
    started_at: float | None = None
    finished_at: float | None = None
    worker: str | None = None
    outcome: Outcome | None = None
    delivery: str | None = None
    leader: str | None = None
    kills: int = 0

    @property
    def ended(self) -> bool:
        return self.state not in ("waiting", "running")

    @property
    def known(self) -> bool:
        """It was answered by a result that was there before it was asked for."""
        return self.state == "done" and self.started_at is None and self.leader is None


def request_digest(kind: str, params: Mapping[str, Any], model: str) -> str:
    """The same for requests that ask the same thing of the same model, and for no others."""
    asked = json.dumps([kind, params, model], sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(asked.encode()).digest()[:16]).decode().rstrip("=")


def member_id(group_id: str, number: int) -> str:
    """The id of a group's member, from 0: with a letter that no other id has, so that it is never taken."""
    return f"{group_id}u{number:02d}"


def is_member(job_id: str) -> bool:
    """Whether a job is one of a group: nobody is told of it by itself."""
    return MEMBER.fullmatch(job_id) is not None


def new_job_id(now: float) -> str:
    """Nine characters that sort by time: six of seconds since 2025, three random. The queue refuses a clash."""
    value = (max(0, int(now) - ID_EPOCH) % 32**6) * 32**3 + secrets.randbelow(32**3)
    return "".join(ALPHABET[value >> shift & 31] for shift in range(40, -1, -5))
