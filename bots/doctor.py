"""`frontdesk doctor`: looks at everything a desk needs, and says what to do about what it finds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import Redis

from frontdesk.bots import machine
from frontdesk.bots.children import DISCORD_NEEDS, TELEGRAM_NEEDS
from frontdesk.bots.findings import Finding, broken, good, note
from frontdesk.bots.history_findings import history
from frontdesk.bots.store_findings import store
from frontdesk.queue.connection import LOST, check, connected
from frontdesk.queue.embedded import ensure_server
from frontdesk.queue.errors import ConfigurationError, DeclarationError, FrontdeskError
from frontdesk.queue.kinds import Registry
from frontdesk.queue.report import queue_report
from frontdesk.queue.settings import Settings
from frontdesk.ratelimit.limits import Limits

DISCORD_TOKEN = re.compile(r"[A-Za-z0-9_-]{18,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{20,}")
TELEGRAM_TOKEN = re.compile(r"\d{5,}:[A-Za-z0-9_-]{30,}")
WEBHOOK_PORTS = (None, 443, 80, 88, 8443)  # Telegram calls no others
OLDEST_REDIS = (6, 2)


async def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which to mend things. Takes the seconds that importing torch takes."""
    return [
        good("settings", "can be read."),
        *kinds(settings),
        limits(settings),
        *tokens(settings),
        *webhook(settings),
        *await redis(settings),
        machine.disk(settings),
        *await store(settings),
        *await history(settings),
        *machine.worker(settings),
        *await machine.device(settings),
    ]


def kinds(settings: Settings) -> Iterator[Finding]:
    """Kinds, and whether the worker's side knows them."""
    try:
        known = Registry.installed()
    except (DeclarationError, ImportError, AttributeError) as error:
        yield broken("kinds", f"cannot be loaded: {error}", "Mend or remove the package that declares that kind.")
        return
    if settings.default_kind not in known:
        advice = f"Choose one of {', '.join(known)}."
        yield broken("kinds", f"FRONTDESK_DEFAULT_KIND is {settings.default_kind}, which is not installed.", advice)
    run = {name for name, kind in known.items() if kind.members is None}  # the others are made of those
    unserved = sorted(run - {point.name for point in entry_points(group="frontdesk.runners")})
    if unserved:
        advice = "Install the package that brings their runners, at least where the worker runs."
        yield note("kinds", f"no runner is installed for {', '.join(unserved)}.", advice)
    yield good("kinds", f"{', '.join(known)}.")


def limits(settings: Settings) -> Finding:
    try:
        Limits.load(settings.limits_file)
    except ValueError as error:
        return broken("limits", f"{error}.", "Mend the file that FRONTDESK_LIMITS_FILE names.")
    return good("limits", f"from {settings.limits_file}." if settings.limits_file else "the defaults.")


def tokens(settings: Settings) -> Iterator[Finding]:
    """The tokens' shape only: whether a platform takes them shows when its bot starts."""
    own = {"discord": settings.discord_token, "telegram": settings.telegram_token}
    shapes = {"discord": DISCORD_TOKEN, "telegram": TELEGRAM_TOKEN}
    makers = {"discord": "the Developer Portal, under Bot", "telegram": "@BotFather"}
    needs = {"discord": DISCORD_NEEDS, "telegram": TELEGRAM_NEEDS}
    if not any(own.values()):
        advice = "Set FRONTDESK_DISCORD_TOKEN or FRONTDESK_TELEGRAM_TOKEN; the console works without."
        yield note("tokens", "no bot has one.", advice)
    for platform, other in (("discord", "telegram"), ("telegram", "discord")):
        if (token := own[platform]) is None:
            continue
        text, variable = token.get_secret_value(), f"FRONTDESK_{platform.upper()}_TOKEN"
        if shapes[other].fullmatch(text):
            yield broken(platform, f"{variable} holds a token of {other.title()}.", "The two tokens are swapped.")
        elif not shapes[platform].fullmatch(text):
            advice = f"Copy it anew from {makers[platform]}, without quotes."
            yield broken(platform, f"{variable} does not look like a token of {platform.title()}.", advice)
        else:
            yield good(platform, "the token has the right shape.")
        if not all(map(find_spec, needs[platform])):
            yield broken(platform, "its library is not installed.", "Run: pip install 'frontdesk[bots]'")


def webhook(settings: Settings) -> Iterator[Finding]:
    url = settings.telegram_webhook_url
    if url is None:
        if settings.telegram_webhook_secret:
            advice = "Set FRONTDESK_TELEGRAM_WEBHOOK_URL, or leave the secret out to use long polling."
            yield note("webhook", "there is a secret, but no address.", advice)
        return
    parts = urlsplit(url)
    if settings.telegram_token is None:
        yield broken("webhook", "there is an address, but no token.", "Set FRONTDESK_TELEGRAM_TOKEN.")
    if settings.telegram_api_url is None and parts.scheme != "https":
        yield broken("webhook", "Telegram calls https addresses only.", "Put a proxy with a certificate before it.")
    elif settings.telegram_api_url is None and parts.port not in WEBHOOK_PORTS:
        yield broken("webhook", f"Telegram does not call port {parts.port}.", "Use 443, 80, 88 or 8443.")
    elif settings.telegram_webhook_secret is None:
        advice = "Set FRONTDESK_TELEGRAM_WEBHOOK_SECRET, so that nobody else can pose as Telegram."
        yield note("webhook", "there is an address, but no secret.", advice)
    else:
        yield good("webhook", f"at {parts.hostname}, listening on {settings.telegram_webhook_listen}.")


async def redis(settings: Settings) -> list[Finding]:
    """The queue's server: its own findings, and the workers that are on duty."""
    try:
        if settings.redis:
            return await _server(settings.redis)
        with ensure_server(settings.data_dir) as url:
            return [good("redis", f"embedded, in {settings.data_dir}."), *await _server(url)]
    except FrontdeskError as error:
        return [broken("redis", str(error), "See that log, or set FRONTDESK_REDIS_URL to a server of yours.")]


async def _server(url: str) -> list[Finding]:
    async with connected(url) as client:
        try:
            await check(client)
            facts = await client.info("everything")
            return [*server_findings(facts), *await _on_duty(client)]
        except ConfigurationError as error:
            return [broken("redis", str(error), "Start it, or mend FRONTDESK_REDIS_URL; unset, a server is embedded.")]
        except LOST as error:
            advice = "See what the server allows this user to do; Frontdesk needs scripts, streams and pub/sub."
            return [broken("redis", f"it refuses ({type(error).__name__}).", advice)]


def server_findings(facts: dict[str, Any]) -> Iterator[Finding]:
    """From what Redis's INFO says."""
    version = str(facts.get("valkey_version") or facts.get("redis_version", "0"))
    name = "Valkey" if "valkey_version" in facts else "Redis"
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST_REDIS:
        yield broken("redis", f"{name} {version} is too old.", "Install Valkey, or Redis 6.2 or newer.")
    else:
        yield good("redis", f"{name} {version} answers.")
    if facts.get("cluster_enabled"):
        yield broken("redis", "it is a cluster, which the queue's scripts cannot use.", "Use one server, or Sentinel.")
    if facts.get("role") in ("slave", "replica"):
        yield broken(
            "redis", "it is a replica, which cannot be written to.", "Name the primary in FRONTDESK_REDIS_URL."
        )
    if not facts.get("aof_enabled"):
        advice = "Set `appendonly yes` in its configuration."
        yield note("redis", "it keeps no append-only file: a crash loses jobs that were accepted.", advice)
    if facts.get("maxmemory") and facts.get("maxmemory_policy") != "noeviction":
        advice = "Set `maxmemory-policy noeviction` in its configuration."
        yield broken("redis", f"when memory is short it drops jobs ({facts.get('maxmemory_policy')}).", advice)


async def _on_duty(client: Redis) -> list[Finding]:
    """Who serves, and what those who do cannot run."""
    alive = [worker.state for worker in (await queue_report(client)).workers if worker.alive]
    if not alive:
        return [note("workers", "none is on duty.", "`frontdesk up` or `frontdesk worker` starts one.")]
    served = ", ".join(sorted({kind for state in alive for kind in state.kinds}))
    reasons = {f"{name}: {reason}" for state in alive for name, reason in {**state.lacks, **state.faults}.items()}
    advice = "Mend that and start the worker again, if such jobs should run."
    return [
        good("workers", f"{len(alive)} on duty, for {served}."),
        *(note("workers", f"there is one that cannot run {reason}", advice) for reason in sorted(reasons)),
    ]
