"""The desk's memory as a front end opens it: with the first question, so that who asks nothing waits for nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from frontdesk.queue.errors import ConfigurationError, HistoryClosedError
from frontdesk.queue.settings import Settings

if TYPE_CHECKING:  # the database's library comes with the first question
    from frontdesk.history.database import Database
    from frontdesk.history.history import History
    from frontdesk.history.search import Search

log = structlog.get_logger()


class Memory:
    """History and search over the settings' database. For one event loop; `close` at the end."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._stack = AsyncExitStack()
        self._database: Database | None = None
        self._history: History | None = None
        self._search: Search | None = None

    async def database(self) -> Database:
        """Raises HistoryClosedError where the settings name none that can be."""
        if self._database is None:
            from frontdesk.history.database import address_of, named

            try:
                self._database = await self._stack.enter_async_context(named(address_of(self._settings)))
            except ConfigurationError as error:
                log.warning("the history cannot be opened", reason=str(error))
                raise HistoryClosedError from None
        return self._database

    async def history(self) -> History:
        """Raises HistoryClosedError."""
        database = await self.database()
        if self._history is None:
            from frontdesk.history.history import History

            self._history = History(database, self._clock)
        return self._history

    async def search(self) -> Search:
        """Raises HistoryClosedError."""
        database = await self.database()
        if self._search is None:
            from frontdesk.history.meaning import Meaning
            from frontdesk.history.search import Search

            self._search = Search(database, Meaning.installed())
        return self._search

    async def close(self) -> None:
        await self._stack.aclose()
        self._database = self._history = self._search = None
