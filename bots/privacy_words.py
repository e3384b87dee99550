"""What is said of a person's data. Pure."""

from __future__ import annotations

from collections.abc import Collection

from frontdesk.bots.exporting import Exported
from frontdesk.bots.own_commands import own_button
from frontdesk.bots.privacy import Forgotten
from frontdesk.bots.replies import Block, Code, Foreign, Reply, Strong, duration, line, say
from frontdesk.queue.accounts import CODE_LIFE, MOST, Linking
from frontdesk.queue.settings import Settings

PLACES = {"discord": "Discord", "telegram": "Telegram", "console": "the terminal", "web": "the web page"}
SHOWN = 4  # of the end of somebody's id
CONFIRMED = 300.0  # seconds for which the question stands


def place(identity: str) -> str:
    """ "Discord (...1234)": so that whoever has it knows it, and nobody else learns it."""
    platform, _, user = identity.partition(":")
    return f"{PLACES.get(platform, platform)} (...{user[-SHOWN:]})"


def places(identities: Collection[str]) -> str:
    return " and ".join(place(each) for each in sorted(identities))


def privacy_reply(settings: Settings, kinds: Collection[str], identities: Collection[str], own: str) -> Reply:
    """What is kept, where, for how long, and who sees it."""
    days = settings.keep_days
    rest = days["*"]
    named = [f"{kind} {_days(days[kind])}" for kind in sorted(kinds) if kind in days and days[kind] != rest]
    usual = f"{_days(rest)} ({', '.join(named)})" if named else _days(rest)
    blocks: list[Block] = [
        line(Strong("What is kept of you")),
        line(
            "Your jobs: what you asked, what came of it, the files, when and how long it ran. In the desk's memory for "
            f"{usual}; your last {settings.keep_objects} with files stay longer."
        ),
        line(
            f"In the queue: a job while it waits and runs, and its answer for {_days(settings.keep_results_days)}; a "
            "form that you began, for a day at most; what the limits count, without your name, for a day at most."
        ),
        line(
            "Your ids on the platforms, which of them are one person, your keys for programs, your reports, and what "
            "admins set of you (a ban, a tier)."
        ),
        line("No log holds what you write; there you are a number that stands for you."),
        line(Strong("Who sees it")),
        line(
            "You. Others see an object that is published (",
            Code("/unpublish"),
            " takes it back), and a training on the leaderboard, never whose it is. Whoever runs the machines can read "
            "what is stored on them.",
        ),
        line(Strong("What you can do")),
        line(
            Code("/export"), " everything as a zip. ", Code("/forget"), " removes it. ", Code("/unlink"), " parts you."
        ),
    ]
    if others := set(identities) - {own}:
        blocks.append(line("You are one person here with ", Foreign(places(others)), "."))
    return Reply(tuple(blocks))


def code_reply(code: str, others: Collection[str]) -> Reply:
    """The code that was just made."""
    blocks: list[Block] = [
        line("On your other platform, send: ", Code(f"/link {code}")),
        line(
            f"It is good once, for {duration(CODE_LIFE)}. Whoever enters it is you from then on: they share your jobs, "
            "results, limits and rights. So give it to nobody."
        ),
    ]
    if others:
        blocks.append(line("You are one person already with ", Foreign(places(others)), "."))
    return Reply(tuple(blocks))


def confirm_reply(own: str, giver: str, code: str) -> Reply:
    """Asked of whoever entered a right code, before it counts."""
    return Reply(
        (
            line("That code was given on ", Foreign(place(giver)), "; you are on ", Foreign(place(own)), "."),
            line(
                "Linked, both are one person here: each sees and cancels the other's jobs, and has the other's limits "
                "and rights. Go on only if that is you, and nobody sent you the code."
            ),
        ),
        (own_button("link", "Link them", code), own_button("link", "No", "no")),
    )


def linked_reply(said: Linking, own: str) -> Reply:
    """What came of a code."""
    giver = said.giver or ""
    match said.result:
        case "linked":
            return say(Foreign(place(giver)), " and ", Foreign(place(own)), " are one person here now.")
        case "wrong":
            return say("That is no code that is good: it may be mistyped, used, or too old. Get another with /link.")
        case "tired":
            return say(f"Too many wrong codes. Try again in {duration(said.retry_after)}.")
        case "self":
            return say("You gave that code here yourself: enter it on your other platform.")
        case "together":
            return say("You are one person already with ", Foreign(place(giver)), ".")
        case "elsewhere":
            return say(
                "You are linked with somebody already. Say ", Code("/unlink"), " first, and then enter it again."
            )
        case "full":
            return say(f"Whoever gave that code is linked with {MOST - 1} others already, and more are not allowed.")


def unlinked_reply(others: Collection[str]) -> Reply:
    if not others:
        return say("You are not linked with anybody.")
    return say(
        "You are parted from ",
        Foreign(places(others)),
        ". What each asked for stays with it; limits count for each alone. Jobs that have not ended count as before.",
    )


def exported_reply(done: Exported) -> Reply:
    """What is in the zip that comes with it."""
    left = f" {_counted(done.left, 'file')} more only named in it: too large, or no longer kept." if done.left else ""
    return say(f"Everything that is kept of you: {_counted(done.jobs, 'job')}, {_counted(done.files, 'file')}.{left}")


def forget_question(identities: Collection[str], secret: str) -> Reply:
    return Reply(
        (
            line(Strong("Forget everything?")),
            line(
                "Jobs that have not ended are cancelled. All your jobs, results and files go, with your published "
                "objects, places on leaderboards, reports, keys for programs and links, of ",
                Foreign(places(identities)),
                ". Nobody can bring them back; ",
                Code("/export"),
                " gives them to you first.",
            ),
        ),
        (own_button("forget", "Forget everything", secret), own_button("forget", "No", "no")),
    )


def forgotten_reply(done: Forgotten) -> Reply:
    """What was removed, and what stays."""
    gone = [_counted(done.jobs, "job"), _counted(done.files, "file")]
    gone += [_counted(done.reports, "report")] if done.reports else []
    gone += [_counted(done.api_keys, "key")] if done.api_keys else []
    stays = "the ban, " if done.banned else ""
    return Reply(
        (
            line(f"Forgotten: {', '.join(gone)}, and all else that was kept of you."),
            line(
                f"What stays: {stays}what admins wrote down of what they did, which holds none of your words; what the "
                "limits count, without your name, for a day at most; and messages in the chat, which are the "
                "platform's: delete them there. A file that others have as well is still theirs."
            ),
        )
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _days(days: float) -> str:
    return f"{days:g} day{'' if days == 1 else 's'}"
