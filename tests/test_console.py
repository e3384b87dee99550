"""The console: what is shown, what a line means, and that every answer comes back."""

from __future__ import annotations

import asyncio
import os
import signal
import unicodedata

import pytest
from console import CtrlC, Paper, Script, premises, staffed
from hypothesis import given
from hypothesis import strategies as st
from queueing import ECHO, DrivenEngine, echoed, job, submit, until
from redis.asyncio import Redis

from frontdesk.bots.main import Premises
from frontdesk.bots.on_console import Chat, Lines, Snapshots, login, person
from frontdesk.bots.on_console_conversation import Accepted, Conversation, Wanting
from frontdesk.bots.on_console_render import Growing, harmless, plain
from frontdesk.bots.replies import Code, Foreign, Moment, Quote, Reply, Rows, Strong, line, say
from frontdesk.bots.waiting import GONE, waiting
from frontdesk.queue import keys
from frontdesk.queue.jobs import Outcome, Progress


def talk(front: Premises, name: str = "ada") -> Conversation:
    return Conversation(front.desk, person(name), channel="chat", default_kind=front.settings.default_kind)


async def said(front: Premises, text: str, name: str = "ada") -> str:
    answer = await talk(front, name).take(text)
    assert isinstance(answer, Reply)
    return plain(answer)


async def chatted(front: Premises, lines: Lines, paper: Paper, name: str = "ada") -> str:
    async with waiting(front) as waiter:
        await Chat(front, waiter, lines, paper, person(name)).run()
    return paper.text


# --- showing


@given(st.text())
def test_nothing_foreign_moves_the_cursor_or_turns_the_text(text: str) -> None:
    """Whatever a user or a model wrote, a terminal shows it and obeys nothing in it."""
    shown = harmless(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert not [c for c in shown if c in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"]


def test_ordinary_letters_of_any_script_stay() -> None:
    """Right-to-left letters, accents and emoji are text, not control."""
    assert harmless("שלום\té 👩🏽‍🚀\nx") == "שלום\té 👩🏽‍🚀\nx"


REPLY = Reply(
    (
        line(Strong("score"), " ", Code("1abc"), " for ", Foreign("[red]x\x1b[31m"), Moment(0.0, "in 40 s")),
        Quote("a text " * 30),
        Rows((("Curvature", "1.2"), ("Model", "m" * 100))),
    )
)


def test_a_pipe_gets_plain_lines() -> None:
    """In a file or a pipe there are no colours and no line breaks of ours, so that it can be searched."""
    paper = Paper()
    paper.show(REPLY)
    assert paper.text == (
        "score 1abc for [red]x[31min 40 s\n" + "a text " * 30 + "\nCurvature: 1.2\nModel: " + "m" * 100 + "\n"
    )


def test_a_terminal_gets_lines_that_fit() -> None:
    """On a terminal of 80 columns nothing is cut off, and foreign brackets are no markup."""
    paper = Paper(terminal=True)
    paper.show(REPLY)
    text = paper.text
    assert "[red]x" in text
    assert text.count("m") >= 100
    assert "\x1b[31m" not in text


def test_a_growing_text_shows_its_end() -> None:
    """While a long text is written, the newest lines are the ones on the screen."""
    paper = Paper(terminal=True)
    text = "\n".join(f"line {number}" for number in range(50))
    paper.console.print(Growing(Reply((line("head"), Quote(text))), 5))
    assert "line 49" in paper.text
    assert "line 44" not in paper.text
    assert "head" in paper.text


def test_progress_in_a_pipe_is_a_few_lines() -> None:
    """Where nothing can be redrawn, a burst of news is one line."""
    paper = Paper()
    news = Snapshots(paper, ECHO)
    for number in range(100):
        news(Progress(job_id="1abc", fraction=number / 100, text="word " * number))
    assert paper.text.count("running") == 1


# --- lines


async def test_a_plain_line_is_a_job_of_the_default_kind(redis: Redis) -> None:
    """Text without a slash is the text for the default kind, whatever it looks like."""
    front = premises(redis)
    answer = await talk(front).take("times=3 is a formula")
    assert isinstance(answer, Accepted)
    record = await front.broker.job(answer.ticket.job_id)
    assert record is not None
    assert record.requester == "console:ada"
    async with staffed(front), waiting(front) as waiter:
        outcome = await waiter.outcome(record.id, lambda progress: None)
    assert outcome.result == {"said": "times=3 is a formula"}


async def test_a_command_takes_options_and_text(redis: Redis) -> None:
    """`/echo times=2 hello` is what it is in the chats; a line break ends the command's name too."""
    front = premises(redis)
    assert isinstance(await talk(front).take("/echo times=2 hello"), Accepted)
    assert isinstance(await talk(front).take("/ECHO\nhello\nyou"), Accepted)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/nonsense", "There is no command /nonsense. /help lists them."),
        ("/", "There is no command /. /help lists them."),
        ("/echo tempo=2 hello", "echo has no option 'tempo'"),
        ("/echo times=99 hello", "times: must be 1 to 9."),
        ("/cancel", "Say which: /cancel ID"),
        ("/cancel 0000", "There is no job 0000 of yours."),
        ("/queue", "Only admins of this desk can do that."),
        ("/jobs", "You have no jobs."),
        ("/status", "echo: no worker is on duty just now; nobody is waiting."),
        ("/help", "/echo Says it back"),
        ("/help /echo", "times How often (1 to 9; normally 1)"),
    ],
)
async def test_each_command_answers_in_words(redis: Redis, text: str, expected: str) -> None:
    """Right or wrong, a line gets a sentence."""
    assert expected in await said(premises(redis), text)


async def test_only_admins_see_and_use_the_queue_command(redis: Redis) -> None:
    """An admin's help lists /queue, and it answers; nobody else's does."""
    front = premises(redis, admin="grace")
    assert "/queue" not in await said(front, "/help")
    assert "/queue" in await said(front, "/help", "grace")
    await submit(front.broker, job())
    report = await said(front, "/queue", "grace")
    assert "1 waiting, 0 running, no workers on duty" in report
    assert "Lane short: 1 waiting (1 echo), 0 running" in report
    async with staffed(front):
        await until(lambda: _no_longer(front, "no workers on duty"))
        assert "Worker 1: w1: cpu" in await said(front, "/queue", "grace")


async def _no_longer(front: Premises, words: str) -> bool:
    return words not in await said(front, "/queue", "grace")


async def test_what_is_missing_is_asked_for_and_asked_again(redis: Redis) -> None:
    """A command without its text asks for it; a wrong answer is told and asked for again."""
    front = premises(redis)
    conversation = talk(front)
    asked = await conversation.take("/echo times=2")
    assert isinstance(asked, Wanting)
    assert plain(asked.question) == "echo: What to say back (at most 500 characters)"
    again = await conversation.fill(asked, "x" * 501)
    assert isinstance(again, Wanting)
    assert "must have at most 500 characters; this has 501." in plain(again.question)
    assert isinstance(await conversation.fill(again, "hello"), Accepted)


async def test_one_can_cancel_ones_own_jobs_only(redis: Redis) -> None:
    """The id is in the ticket; another person is told that there is no such job."""
    front = premises(redis)
    answer = await talk(front).take("hello")
    assert isinstance(answer, Accepted)
    job_id = answer.ticket.job_id
    assert await said(front, f"/cancel {job_id}", "eve") == f"There is no job {job_id} of yours."
    assert await said(front, f"/cancel {job_id.upper()}") == f"{job_id.upper()}: cancelled."
    assert f"{job_id} echo: cancelled" in await said(front, "/jobs")


async def test_an_unforeseen_error_is_one_sentence(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is no traceback in the chat."""
    front = premises(redis)
    monkeypatch.setattr(front.desk, "status", None)
    assert "Something went wrong at the desk" in await said(front, "/status")


def test_the_login_is_the_systems_and_not_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting USER or LOGNAME does not make somebody else of you."""
    before = login()
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "grace")
    assert login() == before


# --- waiting


async def test_progress_and_outcome_come_as_they_happen(redis: Redis) -> None:
    """Who waits is told the text so far, and how it ended."""
    front, news = premises(redis), asyncio.Queue[Progress]()
    async with staffed(front, DrivenEngine(hold=True)) as engine, waiting(front) as waiter:
        ticket = await submit(front.broker, job(requester=person("ada").requester))
        ending = asyncio.create_task(waiter.outcome(ticket.job_id, news.put_nowait))
        await engine.started.get()
        await until(lambda: _listened(redis))
        engine.reports[ticket.job_id](Progress(job_id=ticket.job_id, text="so far"))
        while (await news.get()).text != "so far":
            pass
        engine.end(ticket.job_id, echoed("done"))
        assert (await ending).result == {"said": "done"}


async def _listened(redis: Redis) -> bool:
    [(_, listeners)] = await redis.pubsub_numsub(keys.progress("console"))
    return bool(listeners)


async def test_an_answer_that_was_there_before_is_found(redis: Redis) -> None:
    """Waiting may begin after the end; and a job that the queue has forgotten does not keep anybody waiting."""
    front = premises(redis)
    ticket = await submit(front.broker, job())
    await front.broker.cancel(ticket.job_id, None)
    async with waiting(front) as waiter:
        assert (await waiter.outcome(ticket.job_id, lambda progress: None)).status == "cancelled"
        assert await waiter.outcome("000000000", lambda progress: None) == GONE


async def test_lost_connections_lose_no_answer(redis: Redis) -> None:
    """All connections are cut while a job runs: its answer still comes."""
    front = premises(redis)
    async with staffed(front, DrivenEngine(hold=True)) as engine, waiting(front) as waiter:
        ticket = await submit(front.broker, job(requester=person("ada").requester))
        ending = asyncio.create_task(waiter.outcome(ticket.job_id, lambda progress: None))
        await engine.started.get()
        for kind in ("pubsub", "normal"):
            await redis.client_kill_filter(_type=kind, skipme=True)
        engine.end(ticket.job_id)
        assert (await ending).status == "done"


# --- the chat


async def test_a_chat_shows_ticket_and_answer(redis: Redis) -> None:
    """Through a pipe: each line is answered in turn, and the end of the input ends the chat."""
    front = premises(redis)
    async with staffed(front):
        text = await chatted(front, Script("hello", "", "/jobs"), Paper())
    ticket, answer, state = text.index("echo 1"), text.index("hello\n"), text.index("echo: done")
    assert ticket < answer < state


async def test_a_chat_asks_on_a_terminal_too(redis: Redis) -> None:
    """The question is shown, the prompt names the parameter, and an empty answer lets it be."""
    front, script, paper = (
        premises(redis),
        Script("/echo", "hello", "/echo", "", "/echo", CtrlC()),
        Paper(terminal=True),
    )
    async with staffed(front):
        text = await chatted(front, script, paper)
    assert script.prompts[:3] == ["you> ", "text> ", "you> "]
    assert text.count("What to say back") == 3
    assert text.count("Nothing was asked for.") == 2
    assert "hello" in text


async def test_ctrl_c_at_the_prompt_does_not_leave(redis: Redis) -> None:
    """It says what does."""
    assert "Ctrl-D leaves." in await chatted(premises(redis), Script(CtrlC(), "/quit", "hello"), Paper())


async def test_ctrl_c_stops_waiting_and_the_answer_comes_later(redis: Redis) -> None:
    """The first job goes on behind the second one, and both are answered."""
    front, engine, paper = premises(redis), DrivenEngine(hold=True), Paper()
    answered = asyncio.Event()

    async def play() -> None:
        first = await engine.started.get()
        await until(lambda: signal.getsignal(signal.SIGINT) is not before)
        os.kill(os.getpid(), signal.SIGINT)
        second = await engine.started.get()
        engine.end(second.id, echoed("second"))
        await until(lambda: "second\n" in paper.text)
        engine.end(first.id, echoed("first"))
        await until(lambda: "first\n" in paper.text)
        answered.set()

    before = signal.getsignal(signal.SIGINT)
    async with staffed(front, engine):
        playing = asyncio.create_task(play())
        text = await chatted(front, Script("one", "two", answered), paper)
        await playing
    assert "goes on, and its answer will appear here" in text
    assert signal.getsignal(signal.SIGINT) is before


async def test_the_next_chat_shows_what_the_last_one_left(redis: Redis) -> None:
    """Who leaves before the answer gets it when they come back, once."""
    front, engine = premises(redis), DrivenEngine(hold=True)
    conversation = talk(front)
    accepted = await conversation.take("hello")
    assert isinstance(accepted, Accepted)
    async with staffed(front, engine):
        engine.end(accepted.ticket.job_id, echoed("welcome back"))
        await until(lambda: _ended(front, accepted.ticket.job_id))
    paper = Paper()
    back = asyncio.create_task(chatted(front, Script(shown := asyncio.Event()), paper))
    await until(lambda: "welcome back" in paper.text)
    await until(lambda: _delivered(front, accepted.ticket.job_id))
    shown.set()
    await back
    assert await chatted(front, Script("/jobs"), again := Paper())
    assert "welcome back" not in again.text


async def _ended(front: Premises, job_id: str) -> bool:
    record = await front.broker.job(job_id)
    return record is not None and record.ended


async def _delivered(front: Premises, job_id: str) -> bool:
    record = await front.broker.job(job_id)
    return record is not None and record.delivery == "delivered"


async def test_leaving_with_open_jobs_says_so(redis: Redis) -> None:
    """Without a worker the chat says so, and leaving does not wait for one."""
    front, paper = premises(redis), Paper()
    accepted = await talk(front).take("hello")
    assert isinstance(accepted, Accepted)
    text = await chatted(front, Script("/jobs"), paper)
    assert "1 of your jobs go on; the next chat shows their answers." in text


async def test_a_result_of_another_version_is_one_sentence(redis: Redis) -> None:
    """An answer that cannot be shown is told, and does not end the chat."""
    front, engine = premises(redis), DrivenEngine(hold=True)

    async def play() -> None:
        started = await engine.started.get()
        engine.end(started.id, Outcome(status="done", result={"spoken": "?"}))

    async with staffed(front, engine):
        playing = asyncio.create_task(play())
        text = await chatted(front, Script("one", "/status"), Paper())
        await playing
    assert "its result is not one that this desk can show" in text
    assert "nobody is waiting" in text


def test_say_is_plain_in_a_pipe() -> None:
    """Sentences of the program's own follow the same rule as replies."""
    paper = Paper()
    paper.say("hello", "bold")
    paper.show(say("you"))
    assert paper.text == "hello\nyou\n"
