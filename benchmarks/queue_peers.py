"""Who takes part: this project, the raw loop, and other queues, each with its pinned packages and its settings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

SCRIPTS = Path(__file__).with_name("peers")
MEASURES = ("latency", "no-op", "10 ms", "gaps", "idle", "recovery")
OURS, SUPERVISED, RAW = "frontdesk", "frontdesk worker", "raw BZPOPMIN"


@dataclass(frozen=True)
class Peer:
    """A queue to measure.

    script: its file in `peers`. packages: what is installed for it; none: it runs in this environment.
    after_kill: what decides when a killed worker's job runs again, by its documents and the settings in its script.
    jobs: of one measure of throughput, fewer where a job takes longer.
    keeps: a killed worker's job runs again some time.
    needs: a module without which it cannot be measured yet.
    """

    name: str
    script: str
    after_kill: str
    packages: tuple[str, ...] = ()
    jobs: int = 3000
    keeps: bool = True
    measures: tuple[str, ...] = MEASURES
    needs: str | None = None

    @property
    def pending(self) -> bool:
        return self.needs is not None and find_spec(self.needs) is None

    def environment(self, environments: Path) -> Path:
        return environments / self.script.removeprefix("on_")

    def command(self, environments: Path) -> tuple[str, str]:
        python = self.environment(environments) / "bin" / "python" if self.packages else Path(sys.executable)
        return str(python), str(SCRIPTS / f"{self.script}.py")

    def install(self, environments: Path) -> None:
        """Make its environment, unless there is one with these very packages."""
        folder, note = self.environment(environments), "\n".join(self.packages)
        mark = folder / "packages.txt"
        if not self.packages or (mark.exists() and mark.read_text() == note):
            return
        print(f"installing {' '.join(self.packages)}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *self.packages], check=True)
        mark.write_text(note)


PEERS: Sequence[Peer] = (
    Peer(
        RAW,
        "raw",
        "never: the job is gone",
        ("redis==8.1.0", "hiredis==3.5.0"),
        jobs=10_000,
        keeps=False,
    ),
    Peer(OURS, "ours", "lease 6 s, a look every 2 s (defaults)"),
    Peer(
        SUPERVISED,
        "ours_supervised",
        "the supervisor frees its child's jobs; without it, the lease",
        measures=("recovery",),
        needs="frontdesk.worker.supervisor",
    ),
    Peer(
        "arq",
        "on_arq",
        "its lock: time limit + 10 s",
        ("arq==0.28.0", "redis==5.3.1", "hiredis==3.5.0"),
        jobs=600,
    ),
    Peer(
        "saq",
        "on_saq",
        "heartbeat 6 s given by the job itself, sweep every 5 s (defaults: none, 60 s)",
        ("saq[redis]==0.26.4", "typing-extensions==4.16.0", "redis==7.4.1", "hiredis==3.5.0"),
    ),
    Peer(
        "taskiq",
        "on_taskiq",
        "idle_timeout, above the time limit, and then the next message",
        ("taskiq==0.13.0", "taskiq-redis==1.2.4", "redis==8.1.0", "hiredis==3.5.0"),
    ),
    Peer(
        "celery",
        "on_celery",
        "visibility_timeout, above the time limit; a killed child's job at once",
        ("celery[redis]==5.7.0", "kombu==5.7.0", "redis==8.1.0", "hiredis==3.5.0"),
    ),
    Peer(
        "rq",
        "on_rq",
        "60 s and monitoring 2 s, maintenance every 5 s (defaults: 30 s, 600 s); a killed child's job at once",
        ("rq==3.0.0", "redis==8.1.0", "hiredis==3.5.0"),
        jobs=300,
    ),
    Peer(
        "dramatiq",
        "on_dramatiq",
        "heartbeat 6 s, every command looks (defaults: 60 s, one in a thousand)",
        ("dramatiq==2.2.1", "redis==8.1.0", "hiredis==3.5.0"),
    ),
)
