"""Discord's front end: the client, and its life from token to shutdown."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import aiohttp
import discord
import structlog
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket

from frontdesk.bots.commands import own_commands
from frontdesk.bots.errands import first
from frontdesk.bots.main import Premises
from frontdesk.bots.observing import BUTTON, MENU, UNOBSERVED, BotObserver
from frontdesk.bots.on_discord_again import written
from frontdesk.bots.on_discord_commands import BOTH_INSTALLS, EVERYWHERE, AnyCommand, add_commands, sync_if_changed
from frontdesk.bots.on_discord_conversation import Conversation
from frontdesk.bots.on_discord_delivery import NOBODY, DiscordDeliverer
from frontdesk.bots.on_discord_own import OwnAnswers
from frontdesk.bots.on_discord_render import ActionButton, AnyInteraction
from frontdesk.queue.errors import ConfigurationError, FrontdeskError
from frontdesk.queue.kinds import Registry

log = structlog.get_logger()

LONGEST_PAUSE = 30.0  # seconds that discord.py may sit out a rate limit; longer ones are for the courier
LAST_ANSWERS = 5.0  # seconds to finish what is being answered at a shutdown


class DiscordClient(discord.Client):
    """discord.py's client, asking for no privileged intent. `open_for` is called before it connects."""

    _conversation: Conversation
    _own: OwnAnswers

    def __init__(self, observer: BotObserver = UNOBSERVED) -> None:
        self._observer = observer
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody speaks here
        intents = discord.Intents.none()
        intents.guilds = True  # for the roles of admins
        super().__init__(
            intents=intents,
            allowed_mentions=NOBODY,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_ratelimit_timeout=LONGEST_PAUSE,
        )
        self._tree = app_commands.CommandTree(self, allowed_contexts=EVERYWHERE, allowed_installs=BOTH_INSTALLS)

    def open_for(self, conversation: Conversation, kinds: Registry, own: OwnAnswers) -> None:
        """Take the commands of these kinds and our own, and hold this conversation with whoever uses them."""
        self._conversation, self._own = conversation, own
        self._tree.error(conversation.failed)
        add_commands(self._tree, kinds, conversation, own.commands())
        self.add_dynamic_items(ActionButton)

    async def setup_hook(self) -> None:
        if await sync_if_changed(self._tree):
            log.info("commands told to discord")

    async def pressed(self, interaction: AnyInteraction, action: str, target: str, detail: str) -> None:
        """A button under one of our messages, which may be from before a restart."""
        if action == "own":
            await self._own.pressed(interaction, target, detail)
        else:
            await self._conversation.pressed(interaction, action, target, detail)
        self._observer.commanded("discord", BUTTON)

    async def on_interaction(self, interaction: AnyInteraction) -> None:
        """discord.py tells of all of them; a window that was filled in, it hands to nobody."""
        if (sent := written(interaction)) is not None:
            await self._conversation.again(interaction, sent.job_id, sent.number, sent.text)
            self._observer.commanded("discord", BUTTON)

    async def on_app_command_completion(self, interaction: AnyInteraction, command: AnyCommand) -> None:
        """discord.py tells when a command's callback has ended well; ours tell refusals themselves."""
        name = MENU if isinstance(command, app_commands.ContextMenu) else (command.root_parent or command).name
        self._observer.commanded("discord", name)


def point_at(url: str) -> None:
    """Send everything to another server or a proxy: REST below its path, the gateway at `/gateway/`, files.

    discord.py keeps these addresses in its classes; call this before a client is made.
    """
    parts = urlsplit(url)
    discord.http.Route.BASE = url + urlsplit(discord.http.Route.BASE).path
    scheme = "wss" if parts.scheme == "https" else "ws"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"{scheme}://{parts.netloc}{parts.path}/gateway/")
    discord.Asset.BASE = url


async def serve(front: Premises, stop: asyncio.Event) -> None:
    """Run the bot until `stop` is set. Raises ConfigurationError, and FrontdeskError while Discord is away: whoever
    keeps the bot running starts it again."""
    if front.settings.discord_token is None:
        raise ConfigurationError("FRONTDESK_DISCORD_TOKEN is not set; the bot's page at Discord shows the token.")
    if front.settings.discord_api_url is not None:
        point_at(front.settings.discord_api_url)
    async with DiscordClient(front.observer) as bot:
        courier = front.courier(DiscordDeliverer(bot, front.desk.clock))
        own = own_commands(front)
        conversation = Conversation(front.desk, courier.placing, own)
        bot.open_for(conversation, front.kinds, OwnAnswers(own, conversation, front.store))
        await _log_in(bot, front.settings.discord_token.get_secret_value())
        try:
            await first(courier.run(), bot.connect(), stop.wait())
        except discord.ConnectionClosed as closed:
            raise ConfigurationError(f"Discord closed the connection for good (code {closed.code}).") from None
        finally:
            await conversation.end(LAST_ANSWERS)
    log.info("discord closed")


async def _log_in(bot: DiscordClient, token: str) -> None:
    """Raises ConfigurationError or FrontdeskError with one line."""
    try:
        await bot.login(token)
    except discord.LoginFailure:
        raise ConfigurationError("Discord refuses FRONTDESK_DISCORD_TOKEN; was it reset, or cut short?") from None
    except discord.DiscordServerError as error:
        raise FrontdeskError(f"Discord does not answer (status {error.status}).") from None
    except (discord.HTTPException, app_commands.AppCommandError) as error:
        raise ConfigurationError(f"Discord refuses to start the bot: {error}".replace("\n", " ")) from None
    except (aiohttp.ClientError, OSError) as error:
        raise FrontdeskError(f"Discord cannot be reached ({type(error).__name__}).") from None
    log.info("discord open")
