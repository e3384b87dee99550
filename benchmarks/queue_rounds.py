"""The queue against its peers, interleaved on one server.

    python benchmarks/queue.py [--rounds 3] [--only NAME ...] [--measures NAME ...] [--quick] [--json FILE]

Every queue runs in turn on one embedded Valkey over its unix socket, in an order that is drawn anew each round. Each
has pinned packages in an environment of its own (made at first, in build/benchmarks/peers), a process that enqueues
and a worker process; every job tells when it ran by a line in a file. What each figure means: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import unquote, urlsplit

from machine import machine
from queue_measures import TAKEN, Figures, Place, Sizes
from queue_peers import MEASURES, PEERS, Peer
from queue_processes import Failed
from queue_table import line, report

from frontdesk.queue.embedded import EmbeddedServer

QUICK = Sizes(samples=20, scale=0.1, gaps=10, idle=3.0, patience=15.0)


def run_round(peers: list[Peer], measures: list[str], place: Place, found: dict[str, list[Any]], number: int) -> None:
    """Every queue once, in an order of this round."""
    print(f"round {number}: load {os.getloadavg()[0]:.1f} before it", flush=True)
    for peer in place.dice.sample(peers, len(peers)):
        turn: dict[str, Figures | str] = {}
        for measure in (each for each in measures if each in peer.measures):
            if measure == "recovery" and (known := gave_up(found.get(peer.name, []))):
                turn[measure] = known
                continue
            try:
                turn[measure] = TAKEN[measure](peer, place)
            except Failed as error:
                turn[measure] = str(error)
            print(f"round {number}: {peer.name:16} {measure:9} {line(turn[measure])}", flush=True)
        found.setdefault(peer.name, []).append(turn)


def gave_up(turns: list[dict[str, Any]]) -> Figures | None:
    """An earlier round's recovery where the job did not run again in any way: it is not waited for once more."""
    for turn in turns:
        seen = turn.get("recovery")
        if isinstance(seen, dict) and all(value is None for value in seen.values()):
            return seen
    return None


def measure_all(options: argparse.Namespace, folder: Path, sizes: Sizes) -> dict[str, Any]:
    chosen = [peer for peer in PEERS if not options.only or peer.name in options.only or peer.script in options.only]
    environments = folder / "peers"
    for peer in (waiting := [each for each in chosen if each.pending]):
        print(f"{peer.name}: pending, there is no {peer.needs} yet")
    peers = [peer for peer in chosen if peer not in waiting]
    for peer in peers:
        peer.install(environments)
    found: dict[str, list[Any]] = {}
    logs = folder / "queue"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as data, EmbeddedServer(Path(data)) as server:
        socket = Path(unquote(urlsplit(server.url).path))
        place = Place(socket, environments, logs, random.Random(options.seed), sizes)  # noqa: S311 - an order, no secret
        for number in range(1, options.rounds + 1):
            run_round(peers, options.measures, place, found, number)
    return {"machine": machine(), "rounds": options.rounds, "seed": options.seed, "sizes": vars(sizes), "found": found}


def end(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends as Ctrl-C does: through every clean-up."""
    raise SystemExit(128 + number)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(peer.name for peer in PEERS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"of {names}, or the name of its script")
    parser.add_argument("--measures", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--quick", action="store_true", help="few jobs: to see whether it runs, not how fast")
    parser.add_argument("--slots", type=int, default=Sizes.slots, help="no-op jobs at a time in one worker")
    parser.add_argument("--patience", type=float, help="seconds to wait for a killed worker's job")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"), help="for environments and logs")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    known = {name for peer in PEERS for name in (peer.name, peer.script)}
    if unknown := set(options.only or ()) - known:
        parser.error(f"no such queue: {', '.join(sorted(unknown))}; there are {names}")
    return options


def main() -> None:
    options = parse()
    signal.signal(signal.SIGTERM, end)
    chosen = QUICK if options.quick else Sizes()
    sizes = Sizes(**vars(chosen) | {"slots": options.slots, "patience": options.patience or chosen.patience})
    try:
        figures = measure_all(options, options.folder.resolve(), sizes)
    except KeyboardInterrupt:
        sys.exit(130)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    print("\n" + report(figures))
