"""What the desk says: neutral parts, the same for every platform."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontdesk.bots.replies import (
    Block,
    Button,
    Code,
    Foreign,
    Line,
    Moment,
    Quote,
    Reply,
    Rows,
    Table,
    cancel_reply,
    duration,
    help_reply,
    jobs_reply,
    kind_help_reply,
    outcome_reply,
    progress_reply,
    refusal_reply,
    table_as_text,
    ticket_reply,
    unexpected_reply,
)
from frontdesk.queue.catalogue import SCORE, WRITE
from frontdesk.queue.errors import DeskClosedError, LimitedError, NoSuchJobError, UserError
from frontdesk.queue.jobs import JobRecord, Outcome, Progress, ReplyAddress, Ticket
from frontdesk.queue.kinds import Registry
from frontdesk.queue.results import Result

SECONDS = {"s": 1, "min": 60, "h": 3600, "days": 86_400}
SCORED = {
    "verdict": "machine", "curvature": 4.25, "perplexity": 9.0, "tokens": 100, "tokens_in_text": 120,
    "false_positive_rate": 0.01, "model": "smollm2", "precision": "bf16",
}  # fmt: skip
WRITTEN = {"text": "Because of air.", "tokens": 5, "stopped": "length", "seed": 7, "model": "m", "precision": "p"}
ADDRESS = ReplyAddress(platform="telegram", channel="1", user="1")


def words(reply: Reply) -> list[str]:
    """Each block as somebody would read it."""
    return [_block(block) for block in reply.blocks]


def _block(block: Block) -> str:
    match block:
        case Line(spans):
            return "".join(span.words if isinstance(span, Moment) else span.text for span in spans)
        case Quote(text):
            return f"> {text}"
        case Rows(rows):
            return "; ".join(f"{label}: {value}" for label, value in rows)
        case Table(title):
            return f"{title}\n{table_as_text(block)}"


def foreign(reply: Reply) -> set[str]:
    """What is marked as written by others."""
    spans = [span for block in reply.blocks if isinstance(block, Line) for span in block.spans]
    return {span.text for span in spans if isinstance(span, Foreign)}


def record(job_id: str, **fields: Any) -> JobRecord:
    given: dict[str, Any] = {
        "kind": "write",
        "lane": "short",
        "state": "waiting",
        "requester": "telegram:1",
        "private": False,
    }
    return JobRecord(id=job_id, submitted_at=100.0, reply=ADDRESS, **(given | fields))


@given(st.floats(min_value=0, max_value=400 * 86_400))
def test_a_duration_is_never_rounded_down(seconds: float) -> None:
    """Who waits as long as told is not refused again; and nobody is told much more than needed."""
    told = sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+) (s|min|h|days)\b", duration(seconds)))
    assert seconds <= told
    assert told - seconds <= max(1.0, 60.0 if seconds < 2 * 86_400 else 86_400.0)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "1 s"), (0.2, "1 s"), (40, "40 s"), (40.1, "41 s"), (89, "89 s"), (90, "2 min"), (121, "3 min"),
        (3541, "1 h"), (3601, "1 h 1 min"), (4800, "1 h 20 min"), (47 * 3600, "47 h"), (172_800, "2 days"),
        (172_801, "3 days"),
    ],
)  # fmt: skip
def test_durations_read_like_speech(seconds: float, shown: str) -> None:
    """The two largest units at most."""
    assert duration(seconds) == shown


def test_a_ticket_of_a_paused_lane_says_so() -> None:
    """Nobody waits for a worker that would not take the job."""
    reply = ticket_reply(WRITE, Ticket("abc", 3, None, paused=True))
    assert words(reply) == [
        "write abc: number 3 in the queue, which the admins have paused; it starts when they resume it."
    ]


@pytest.mark.parametrize(
    ("position", "wait", "shown"),
    [
        (0, 0.0, "write abc: starting now."),
        (1, 0.2, "write abc: next in the queue."),
        (1, 30.0, "write abc: number 1 in the queue, starts in about 30 s."),
        (12, 200.0, "write abc: number 12 in the queue, starts in about 4 min."),
        (3, None, "write abc: number 3 in the queue. No worker is on duty just now; it waits for one."),
    ],
)
def test_a_ticket_says_where_one_stands_and_how_to_leave(position: int, wait: float | None, shown: str) -> None:
    """The id, the position, the wait, and a button."""
    reply = ticket_reply(WRITE, Ticket("abc", position, wait))
    assert words(reply) == [shown]
    assert reply.buttons == (Button("Cancel", "cancel", "abc"),)


@pytest.mark.parametrize(
    ("wait", "high", "shown"),
    [
        (100.0, 290.0, "starts in about 2 min (9 of 10 start within 5 min)."),
        (100.0, 120.0, "starts in about 2 min."),
        (3.0, 12.0, "starts in about 3 s."),
        (3.0, 14.0, "starts in about 3 s (9 of 10 start within 14 s)."),
        (3000.0, 3300.0, "starts in about 50 min."),
        (100.0, None, "starts in about 2 min."),
    ],
)
def test_a_ticket_says_how_far_the_wait_can_be_trusted(wait: float, high: float | None, shown: str) -> None:
    """Where nine of ten wait much longer than half of them do; no second figure where it says nothing new."""
    assert words(ticket_reply(WRITE, Ticket("abc", 4, wait, high))) == [f"write abc: number 4 in the queue, {shown}"]


def test_a_ticket_says_why_nobody_can_run_it() -> None:
    """The worker's own words are shown as they are, and never become markup."""
    reply = ticket_reply(WRITE, Ticket("abc", 3, None, lacking="The *weights* are not here."))
    assert words(reply) == [
        "write abc: number 3 in the queue. No worker on duty can run it; it waits for one that can.",
        "The *weights* are not here.",
    ]
    assert reply.blocks[1] == Line((Foreign("The *weights* are not here."),))


def test_a_ticket_says_why_a_job_waits_again() -> None:
    """Its worker stopped while it ran."""
    again = "write abc: its worker stopped; it waits again, "
    assert words(ticket_reply(WRITE, Ticket("abc", 3, 30.0), kills=1)) == [
        f"{again}number 3 in the queue, starts in about 30 s."
    ]
    assert words(ticket_reply(WRITE, Ticket("abc", 1, 0.0), kills=2)) == [f"{again}next in the queue."]
    assert words(ticket_reply(WRITE, Ticket("abc", 0, 0.0), kills=1)) == ["write abc: starting now."]


def test_progress_shows_the_share_and_the_text_so_far() -> None:
    """What a model wrote is marked as foreign; it can be cancelled until its end."""
    reply = progress_reply(WRITE, Progress(job_id="abc", fraction=0.254, text="Because *", note="step 3"))
    assert words(reply) == ["write abc: running 25% ...", "step 3", "> Because *"]
    assert foreign(reply) == {"step 3"}
    assert [button.target for button in reply.buttons] == ["abc"]
    assert words(progress_reply(WRITE, Progress(job_id="abc"))) == ["write abc: running ..."]


def test_a_job_that_is_tried_again_does_not_look_as_if_it_ran() -> None:
    """Its worker died: it waits, and the reason stands below."""
    note = "Its worker stopped; it is tried again (2 of 3)."
    reply = progress_reply(WRITE, Progress(job_id="abc", waiting=True, note=note))
    assert words(reply) == ["write abc: waiting again ...", note]
    assert [button.target for button in reply.buttons] == ["abc"]


def test_a_result_shows_what_its_kind_says() -> None:
    """Headline, body, figures, and at the end the job."""
    done = Outcome(status="done", result=SCORED, seconds=1.25)
    assert words(outcome_reply(SCORE, "abc", done)) == [
        "Reads like a language model wrote it.",
        "Curvature: 4.25; Perplexity: 9.0; Tokens judged: first 100 of 120; "
        "Human texts wrongly called machine: 1% in calibration; Model: smollm2 (bf16)",
        "score abc, 1.2 s",
    ]
    written = outcome_reply(WRITE, "abc", Outcome(status="done", result=WRITTEN, seconds=3))
    assert words(written) == [
        "> Because of air.",
        "Tokens: 5 (stopped at the limit); Seed: 7; Model: m (p)",
        "write abc, 3.0 s",
    ]
    assert written.buttons == ()


@pytest.mark.parametrize(
    ("status", "reason", "shown"),
    [
        ("done", None, ["write abc: done."]),
        ("cancelled", None, ["write abc: cancelled."]),
        ("expired", None, ["write abc: waited too long and was given up. Please ask again."]),
        ("failed", None, ["write abc: failed."]),
        ("failed", "The *prompt* is too long.", ["write abc: failed.", "The *prompt* is too long."]),
    ],
)
def test_every_end_of_a_job_has_its_sentence(status: Any, reason: str | None, shown: list[str]) -> None:
    """With the job's id; the reason may quote others and is marked so."""
    reply = outcome_reply(WRITE, "abc", Outcome(status=status, reason=reason))
    assert words(reply) == shown
    assert foreign(reply) == ({reason} if reason else set())


def test_a_kind_that_is_gone_still_answers() -> None:
    """The package was removed, or its result changed, while the job ran: its requester hears of the end."""
    done = Outcome(status="done", result=WRITTEN)
    assert words(outcome_reply(None, "abc", done)) == ["job abc: done."]
    assert words(outcome_reply(None, "abc", Outcome(status="failed"))) == ["job abc: failed."]
    assert words(outcome_reply(SCORE, "abc", done)) == [
        "score abc: done, but its result is not one that this desk can show."
    ]


def test_a_refusal_says_when_to_come_back() -> None:
    """As a moment, so that a platform may count down; in words for the others."""
    reply = refusal_reply(LimitedError("rate", "That is too much <b>.", 39.2), now=1000.0)
    assert words(reply) == ["That is too much <b>. You can ask again in 40 s."]
    (block,) = reply.blocks
    assert isinstance(block, Line)
    assert Moment(1039.2, "in 40 s") in block.spans
    assert foreign(reply) == {"That is too much <b>."}


@pytest.mark.parametrize(
    "error",
    [LimitedError("jobs", "Two at a time.", None), DeskClosedError(), NoSuchJobError("abc"), UserError("No *.")],
)
def test_other_refusals_are_their_sentence(error: UserError) -> None:
    """Where waiting does not help, no time is promised."""
    reply = refusal_reply(error, now=0.0)
    assert words(reply) == [str(error)]
    assert foreign(reply) == {str(error)}


def test_what_nobody_foresaw_is_admitted() -> None:
    """Without a word of the error."""
    assert words(unexpected_reply()) == [
        "Something went wrong at the desk, and it has been logged. Please try again in a moment."
    ]


def test_cancelling_says_what_it_did() -> None:
    """Waiting jobs end at once, running ones at their next step."""
    assert words(cancel_reply("abc", "cancelled")) == ["abc: cancelled."]
    assert words(cancel_reply("abc", "stopping")) == ["abc: stopping; it ends at its next step."]
    assert words(cancel_reply("abc", "ended")) == ["abc: had already ended."]


def test_ones_jobs_are_listed_with_a_way_to_cancel_each_that_has_not_ended() -> None:
    """At most five buttons; a delivery that failed is said."""
    records = [
        record("a"),
        record("b", state="done", delivery="delivered"),
        record("c", state="failed", delivery="undeliverable: gone"),
        *(record(f"r{n}", state="running") for n in range(6)),
    ]
    reply = jobs_reply(records, now=160.0)
    assert words(reply)[:3] == [
        "a write: waiting, 60 s ago",
        "b write: done, 60 s ago",
        "c write: failed (could not be delivered), 60 s ago",
    ]
    assert [button.label for button in reply.buttons] == ["Cancel a", *(f"Cancel r{n}" for n in range(4))]
    assert words(jobs_reply([], now=0)) == ["You have no jobs."]


@pytest.mark.parametrize("admin", [False, True])
def test_help_lists_every_command_that_one_may_use(admin: bool) -> None:
    """Every kind with its summary, the desk's own, and `queue` and `admin` for admins only."""
    kinds = Registry([SCORE, WRITE])
    shown = words(help_reply(kinds, admin=admin))
    assert [text.split()[0] for text in shown] == [
        "/score", "/write", "/help", "/jobs", "/cancel", "/top", "/status", *(["/queue", "/admin"] if admin else []),
    ]  # fmt: skip
    assert shown[0] == "/score How likely a language model wrote a text"


def test_help_says_what_a_plain_message_means() -> None:
    """Where the front end takes one; a default kind that is not installed is not mentioned."""
    kinds = Registry([SCORE, WRITE])
    assert words(help_reply(kinds, default="score"))[-1] == "A plain message is taken as the text for /score."
    assert "plain message" not in " ".join(words(help_reply(kinds, default="gone")))
    assert words(help_reply(kinds, slash=""))[0].startswith("score ")


def test_help_on_one_command_shows_every_option_and_an_example() -> None:
    """From the declaration: bounds, what is needed, what is normal."""
    assert words(kind_help_reply(WRITE)) == [
        "/write Text from a prompt",
        "prompt What to write (at most 4,000 characters; needed)",
        "max_tokens The most tokens to write (16 to 1,024; normally 200)",
        "temperature 0 always takes the likeliest word; higher is freer (0 to 2; normally 0.7)",
        "seed The same seed gives the same text again (0 to 2,147,483,647; normally left open)",
        "private Answer so that only you see it (yes or no; normally no)",
        "Example: /write max_tokens=80 Why is the sky blue?",
    ]
    (block, *_) = kind_help_reply(WRITE).blocks
    assert isinstance(block, Line)
    assert block.spans[0] == Code("/write")


def test_an_uncertain_verdict_says_why() -> None:
    """Too short, or no calibration: the reason where there is one."""
    unclear = SCORED | {"verdict": "unclear", "false_positive_rate": None, "binoculars": 0.9, "tokens": 120}
    plain = outcome_reply(SCORE, "abc", Outcome(status="done", result=unclear))
    assert words(plain)[0] == "Cannot tell."
    assert "Binoculars: 0.900; Tokens judged: 120; Model" in words(plain)[1]
    reasoned = outcome_reply(SCORE, "abc", Outcome(status="done", result=unclear | {"reason": "not calibrated"}))
    assert words(reasoned)[0] == "Cannot tell: not calibrated."


def test_an_empty_text_and_an_empty_result_are_said_to_be_so() -> None:
    """An answer is never an empty message."""
    empty = outcome_reply(WRITE, "abc", Outcome(status="done", result=WRITTEN | {"text": ""}))
    assert words(empty)[0] == "> (the model wrote nothing)"
    assert Result().figures() == []
