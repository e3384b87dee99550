"""One life of a worker process, as its parent sees it: started, listened to, and killed when nothing else helps."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Self

from frontdesk.queue.codec import decode
from frontdesk.queue.errors import CorruptMessageError
from frontdesk.queue.keeper import end_with_parent
from frontdesk.worker.lifeline import Pulse

SILENCE = 10.0  # seconds without a pulse after which a child that takes jobs is killed
LOOK = 0.5  # seconds between two looks at a child
STUCK_PULSES = 2  # in a row: the job that was given up is written down between the first and the second
REST = 1.0  # seconds to read what a dead child had said


class Silence:
    """For how long nothing was heard, in seconds.

    Only time in which this process looked counts: after a suspension, or on a machine too busy to run us, the children
    had no time to speak either. `clock` is monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._looked = clock()
        self.seconds = 0.0

    def heard(self) -> None:
        self.seconds = 0.0

    def look(self) -> float:
        now = self._clock()
        self.seconds += min(now - self._looked, 2 * LOOK)
        self._looked = now
        return self.seconds


class Life:
    """A child process. Made by `begin`; `ended` must be awaited to its end.

    `worker` is its id in the queue ("" while it is unknown), `jobs` those that it said to run, `failure` what it said
    to be wrong with a setting, `cause` why it was killed, `blameless` that no job which it still holds is at
    fault. `silence`: seconds without a pulse that it may last.
    """

    def __init__(
        self,
        process: Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        when_ready: Callable[[], None],
        silence: float,
    ) -> None:
        self.worker = ""
        self.jobs: tuple[str, ...] = ()
        self.failure: str | None = None
        self.cause: str | None = None
        self.dismissed = False
        self.blameless = False
        self._process = process
        self._reader = reader
        self._writer = writer
        self._when_ready = when_ready
        self._limit = silence
        self._now = asyncio.get_running_loop().time
        self._silence = Silence(self._now)
        self._ready_since: float | None = None
        self._stuck = 0
        self._deadline: float | None = None
        self._reading = asyncio.create_task(self._read())
        self._watching = asyncio.create_task(self._watch())

    @classmethod
    async def begin(
        cls, words: Sequence[str], environment: Mapping[str, str], when_ready: Callable[[], None], silence: float
    ) -> Self:
        """Start a child in a session of its own: Ctrl-C reaches this process alone. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=theirs.fileno(),
                env=dict(environment),
                start_new_session=True,
                preexec_fn=end_with_parent(),
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        return cls(process, reader, writer, when_ready, silence)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def served(self) -> float:
        """Seconds since it was ready; 0 if it never was."""
        return 0.0 if self._ready_since is None else self._now() - self._ready_since

    def dismiss(self, within: float) -> None:
        """Tell it to end, once; it is killed after `within` seconds."""
        if not self.dismissed:
            self.dismissed = True
            self._deadline = self._now() + within
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def kill(self, cause: str) -> None:
        self.cause = self.cause or cause
        if self._process.returncode is None:
            self._kill_group()

    async def ended(self) -> int:
        """Its exit status (below 0: the signal), once it is gone with all that it started, and all it said is read."""
        try:
            status = await self._process.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._reading, REST)
        finally:
            self._kill_group()  # what it started holds the device, or its memory
            self._reading.cancel()
            self._watching.cancel()
            self._writer.close()
        return status

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):  # nobody left; macOS says the second of a zombie
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _read(self) -> None:
        with suppress(OSError, ValueError):  # the child is gone; a line longer than any pulse
            while line := await self._reader.readline():
                with suppress(CorruptMessageError):
                    self._hear(decode(Pulse, line))

    def _hear(self, pulse: Pulse) -> None:
        self._silence.heard()
        if pulse.failure is not None:
            self.failure = pulse.failure
            return
        self.worker, self.jobs = pulse.worker, pulse.jobs
        if pulse.ready and self._ready_since is None:
            self._ready_since = self._now()
            self._when_ready()
        self._stuck = self._stuck + 1 if pulse.ready and pulse.stuck else 0
        if self._stuck >= STUCK_PULSES:
            self.blameless = True  # the job that holds the device has been ended: by its limits, or by its requester
            self.kill(f"one call has held its device for {pulse.held_for:.0f} s, longer than its job may take")

    async def _watch(self) -> None:
        """While it loads it may be silent: importing and reading a large model can hold up its event loop."""
        while self.cause is None:
            await asyncio.sleep(LOOK)
            silence = self._silence.look()
            if self._deadline is not None and self._now() > self._deadline:
                self.kill("it did not end in time")
            elif self._ready_since is not None and silence > self._limit:
                self.kill(f"it was not heard of for {silence:.0f} s")
