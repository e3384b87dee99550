"""Neutral replies as a terminal shows them, or as plain text where the output is a file or a pipe."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from frontdesk.bots.replies import (
    Block,
    Code,
    Foreign,
    Line,
    Moment,
    Quote,
    Reply,
    Rows,
    Span,
    Strong,
    as_text,
    span_as_text,
    table_as_text,
)
from frontdesk.bots.replies import Table as Columns

# What a terminal may obey instead of showing: both ranges of control characters, and those that turn the direction of
# the text around them. Right-to-left letters themselves stay.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
UNPAIRED = re.compile(r"[\ud800-\udfff]")
STYLES: dict[type[Span], str] = {Strong: "bold", Code: "cyan", Foreign: "", Moment: "bold"}
INDENT = (0, 0, 0, 2)


def harmless(text: str) -> str:
    """The text with nothing in it that a terminal would act on."""
    return UNPAIRED.sub("\N{REPLACEMENT CHARACTER}", OBEYED.sub("", text.replace("\r\n", "\n")))


def plain(reply: Reply) -> str:
    """The reply without colours or line breaks of ours."""
    return harmless(as_text(reply))


def drawn(reply: Reply) -> RenderableType:
    return Group(*(_drawn(block) for block in reply.blocks))


class Growing:
    """A reply that is soon replaced: of a long quote the last lines, so that it fits on the screen."""

    def __init__(self, reply: Reply, lines: int) -> None:
        self._reply = reply
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for block in self._reply.blocks:
            if isinstance(block, Quote):
                wrapped = Text(harmless(block.text)).wrap(console, max(8, options.max_width - INDENT[3]))
                yield Padding(Text("\n").join(wrapped[-self._lines :]), INDENT)
            else:
                yield _drawn(block)


class Screen:
    """Where replies are shown: in colour and wrapped on a terminal, bare otherwise."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @property
    def live(self) -> bool:
        return self.console.is_terminal

    def show(self, reply: Reply) -> None:
        if self.live:
            self.console.print(drawn(reply))
        else:
            self.console.out(plain(reply), highlight=False)

    def say(self, sentence: str, style: str = "") -> None:
        """A sentence of ours, or one made harmless."""
        if self.live:
            self.console.print(Text(sentence, style))
        else:
            self.console.out(sentence, highlight=False)


def screen(*, stderr: bool = False) -> Screen:
    """The process's own output."""
    return Screen(Console(stderr=stderr, highlight=False, markup=False, emoji=False))


def table(title: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Table:
    """A table whose cells hold foreign text."""
    made = Table(title=Text(title, "bold"), title_justify="left", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(harmless(cell)) for cell in row))
    return made


def _span(span: Span) -> str:
    return harmless(span_as_text(span))


def _drawn(block: Block) -> RenderableType:
    if isinstance(block, Line):
        return Text.assemble(*((_span(span), STYLES.get(type(span), "")) for span in block.spans))
    if isinstance(block, Quote):
        return Padding(Text(harmless(block.text)), INDENT)
    if isinstance(block, Columns):
        return Group(Text(harmless(block.title), "bold"), Padding(Text(harmless(table_as_text(block))), INDENT))
    return Padding(_grid(block), INDENT)


def _grid(block: Rows) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=len(max((label for label, _ in block.rows), key=len, default="")) < 32)
    grid.add_column(overflow="fold")
    for label, value in block.rows:
        grid.add_row(Text(harmless(label)), Text(harmless(value)))
    return grid
