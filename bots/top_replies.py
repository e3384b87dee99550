"""What `/top` answers: the leaderboards of `train`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from frontdesk.bots.desk import Desk, Person
from frontdesk.bots.replies import Block, Code, Foreign, Reply, Table, line, say
from frontdesk.queue.kind_train import SIZES, percent
from frontdesk.queue.leaderboard import Standing

DATASETS = tuple(SIZES)
SHOWN = 10  # of each board, where nobody names one
COLUMNS = ("#", "right", "time", "rate", "width", "epochs", "batch", "seed", "")
OWN = "< you"


async def top_of(desk: Desk, person: Person, dataset: str = "") -> Reply:
    """The board of one data set, or the best of each. Raises DeskClosedError."""
    wanted = dataset.strip().removeprefix("dataset=").strip("\"' ").lower()
    if wanted and wanted not in DATASETS:
        return say("There is no data set ", Foreign(wanted[:32]), f". The data sets are {', '.join(DATASETS)}.")
    return top_reply(await desk.top(person, wanted), wanted)


def top_reply(boards: Mapping[str, Sequence[Standing]], dataset: str = "") -> Reply:
    """One's own entries are marked; nothing is said of whose the others are."""
    if not boards:
        where = f" {dataset}" if dataset else ""
        return say(f"Nobody has trained{where} yet. ", Code("/train"), " makes the first entry.")
    blocks: list[Block] = [line("The best trainings, by what is right and then by time.")]
    for name, standings in boards.items():
        shown = standings if dataset else standings[:SHOWN]
        blocks.append(Table(name, COLUMNS, tuple(map(_row, shown)), more=len(standings) - len(shown)))
    if not dataset and any(len(standings) > SHOWN for standings in boards.values()):
        blocks.append(line("With a data set, such as ", Code("/top digits"), ", all of its board."))
    return Reply(tuple(blocks))


def boards_as_object(boards: Mapping[str, Sequence[Standing]]) -> str:
    """As JSON, with nothing of whose entries those of others are."""

    def plain(each: Standing) -> dict[str, object]:
        shown = each.entry.model_dump(mode="json", exclude={"job_id", "requester"})
        return {"rank": each.rank, "own": each.own} | shown

    return json.dumps({name: [plain(each) for each in standings] for name, standings in boards.items()})


def _row(standing: Standing) -> tuple[str, ...]:
    entry = standing.entry
    return (
        str(standing.rank),
        percent(entry.accuracy),
        f"{entry.seconds:.1f} s",
        f"{entry.learning_rate:g}",
        str(entry.width),
        str(entry.epochs),
        str(entry.batch_size),
        str(entry.seed),
        OWN if standing.own else "",
    )
