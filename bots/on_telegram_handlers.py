"""What the bot does with what a person wrote or pressed: read who asks, call the desk, render."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from telegram import User

from frontdesk.bots import forms
from frontdesk.bots.admin_words import told
from frontdesk.bots.administration import Administration
from frontdesk.bots.commands import own_commands
from frontdesk.bots.courier import Courier
from frontdesk.bots.deliverer import TryLaterError, UndeliverableError
from frontdesk.bots.incoming import IncomingFile, Sent, fits, parameter_for, takers
from frontdesk.bots.job_replies import asked_for
from frontdesk.bots.main import Premises
from frontdesk.bots.on_telegram_counter import FROM_GROUP, Counter, Turn
from frontdesk.bots.on_telegram_delivery import Sender
from frontdesk.bots.on_telegram_fetching import download_limit
from frontdesk.bots.on_telegram_intake import Pressed, Said
from frontdesk.bots.on_telegram_own import OwnAnswers
from frontdesk.bots.on_telegram_render import FORM_ACTION, notice, render, render_question
from frontdesk.bots.on_telegram_uploads import upload_room
from frontdesk.bots.own_commands import help_on
from frontdesk.bots.parsing import missing, parse_arguments, split_private
from frontdesk.bots.replies import (
    Code,
    Foreign,
    Reply,
    cancel_reply,
    file_reply,
    help_reply,
    jobs_reply,
    line,
    refusal_reply,
    say,
    unexpected_reply,
)
from frontdesk.bots.status_replies import queue_reply, status_reply
from frontdesk.bots.top_replies import top_of
from frontdesk.bots.variants import again
from frontdesk.queue.artifacts import Artifact
from frontdesk.queue.connection import LOST
from frontdesk.queue.errors import DeskClosedError, FilesClosedError, InvalidRequestError, LimitedError, UserError
from frontdesk.queue.jobs import ReplyAddress
from frontdesk.queue.kinds import AnyKind
from frontdesk.queue.logs import frames

log = structlog.get_logger()

NOT_OPEN: Final = "This question is not yours, or no longer open."


class Handlers:
    """`admin_menu` is told of an admin who has just made themselves known to the bot."""

    def __init__(
        self, front: Premises, courier: Courier, sender: Sender, me: User, admin_menu: Callable[[int], object]
    ) -> None:
        self._kinds = front.kinds
        self._desk = front.desk
        self._administration = Administration(front.desk)
        self._default = front.kinds[front.settings.default_kind]
        self._counter = Counter(front.desk, courier, sender, me)
        self._own = own_commands(front)
        room = upload_room(front.settings.telegram_upload_mb * 1_000_000)
        self._own_answers = OwnAnswers(self._own, self._counter, sender, front.store, room)
        self._admin_menu = admin_menu
        self._download_limit = download_limit(front.settings)
        self._forms = forms.FormStore(front.redis, "telegram")
        self._commands = {
            "start": self._start,
            "help": self._help,
            "jobs": self._jobs,
            "cancel": self._cancel,
            "top": self._top,
            "status": self._status,
            "queue": self._queue,
            "admin": self._admin,
        }

    async def handle(
        self, act: Said | Pressed, settled: Callable[[], None], put_off: Callable[[], Awaitable[None]]
    ) -> None:
        """Never raises: what goes wrong is told to the person, in one sentence."""
        turn = Turn(act, settled, put_off)
        try:
            try:
                await (self._said(turn, act) if isinstance(act, Said) else self._pressed(turn, act))
            except LOST:
                raise DeskClosedError from None
        except UserError as error:
            await self._apologise(turn, refusal_reply(error, self._desk.clock()))
        except (UndeliverableError, TryLaterError) as error:
            log.info("a reply was not shown", reason=str(error))
        except Exception as error:
            _log_unexpected(error)
            await self._apologise(turn, unexpected_reply())

    async def _apologise(self, turn: Turn, reply: Reply) -> None:
        try:
            if isinstance(turn.act, Pressed):
                await self._counter.acknowledge(turn, notice(reply), alert=True)
            else:
                await self._counter.show(turn, render(reply))
        except (UndeliverableError, TryLaterError) as error:
            log.info("a reply was not shown", reason=str(error))
        except Exception as error:
            _log_unexpected(error)

    # What was written

    async def _said(self, turn: Turn, said: Said) -> None:
        if said.command is None:
            await self._words(turn, said)
        elif said.command in self._commands:
            await self._commands[said.command](turn, said)
        elif own := self._own.get(said.command):
            await self._own_answers.said(turn, said, own)
        elif said.command in self._kinds:
            await self._ask_for(turn, self._kinds[said.command], said)
        elif said.place.private or said.to_bot:
            sentence = say("There is no command ", Foreign(f"/{said.command}"), ". ", Code("/help"), " lists them all.")
            await self._counter.show(turn, render(sentence))

    async def _ask_for(self, turn: Turn, kind: AnyKind, said: Said) -> None:
        """A kind's command: its arguments, or what it replies to, or a form for what is missing."""
        given: Mapping[str, Sent] = parse_arguments(kind, said.text)
        raw, private = split_private(given)
        if kind.subject and said.quoted and kind.subject.name not in raw:
            raw[kind.subject.name] = said.quoted
        parameter = parameter_for(kind, raw, said.file) if said.file else None
        # A document of another sort may be in the message that is replied to by chance.
        if said.file and parameter and (said.sent or parameter.required or fits(parameter, said.file)):
            raw[parameter.name] = self._fetchable(said.file)
        await self._submit_or_ask(turn, kind, said, raw, private)

    async def _words(self, turn: Turn, said: Said) -> None:
        """Plain words answer an open form, or are the default kind's subject."""
        if not said.place.private and not said.to_bot:
            return
        form = await self._forms.load(str(said.place.chat), str(said.place.user))
        if form and form.kind in self._kinds and (said.update <= form.update or not form.sent):
            kind = self._kinds[form.kind]
            if said.update < form.update:
                return  # comes again, and was taken long since
            if said.update == form.update:
                await self._proceed(turn, kind, form)
                return
            answer: str | IncomingFile = said.text
            if said.file and said.sent and forms.asks_for_file(kind, form):
                answer = self._fetchable(said.file)
            if form.asking is not None and answer:
                await self._answered(turn, kind, form, answer)
                return
        if not said.place.private:
            return
        if said.file and said.sent and (able := takers(self._kinds, said.file)):
            await self._counter.show(turn, render(file_reply(said.file.name, able)))
            return
        if not said.text:
            await self._counter.show(turn, render(say("I can only read text. ", Code("/help"), " lists what I do.")))
            return
        subject = {self._default.subject.name: said.text} if self._default.subject else {}
        try:
            await self._submit_or_ask(turn, self._default, said, subject, private=False)
        except InvalidRequestError as error:
            refused = refusal_reply(error, self._desk.clock())
            more = line("I took your message as the text for ", Code(f"/{self._default.name}"), "; see ", Code("/help"))
            await self._counter.show(turn, render(Reply((*refused.blocks, more))))

    def _fetchable(self, file: IncomingFile) -> IncomingFile:
        return file.model_copy(update={"most": self._download_limit})

    async def _submit_or_ask(
        self, turn: Turn, kind: AnyKind, said: Said, raw: Mapping[str, Sent], private: bool
    ) -> None:
        if not missing(kind, raw):
            await self._counter.submit(turn, kind, raw, private=private, update=said.update, at=said.place.address)
            return
        form = await self._forms.load(str(said.place.chat), str(said.place.user))
        if form and said.update <= form.update:
            if said.update == form.update:
                await self._proceed(turn, kind, form)
            return
        origin = str(said.place.message)
        await self._proceed(turn, kind, forms.begin(kind, raw, private=private, update=said.update, origin=origin))

    async def _answered(self, turn: Turn, kind: AnyKind, form: forms.Form, answer: str | IncomingFile) -> None:
        """A form's question was answered in writing, or with a file."""
        try:
            filled = forms.written(kind, form, answer, turn.act.update)
        except InvalidRequestError as error:
            await self._proceed(turn, kind, form.model_copy(update={"update": turn.act.update}), error)
        else:
            await self._proceed(turn, kind, filled)

    async def _start(self, turn: Turn, said: Said) -> None:
        if self._desk.is_admin(turn.person):
            self._admin_menu(said.place.user)
        if said.text == FROM_GROUP:
            await self._counter.show(
                turn, render(say("Now I can write to you here. Please ask in the group once more."))
            )
            return
        listed = self._listed(turn)
        hello = line("Hello! I take jobs for a language model and bring you the answers. This is what you can ask for:")
        await self._counter.show(turn, render(Reply((hello, *listed.blocks))))

    async def _help(self, turn: Turn, said: Said) -> None:
        await self._counter.show(turn, render(help_on(self._kinds, self._own, said.text, self._listed(turn))))

    def _listed(self, turn: Turn) -> Reply:
        default = self._default.name if turn.place.private else None
        more = {each.name: each.summary for each in self._own.values()}
        return help_reply(self._kinds, admin=self._desk.is_admin(turn.person), default=default, more=more)

    async def _jobs(self, turn: Turn, said: Said) -> None:
        """One's latest jobs, or one of them in full; a private one only where nobody else reads."""
        reply, private = await asked_for(self._desk, turn.person, said.text)
        await (self._counter.show_aside if private else self._counter.show)(turn, render(reply))

    async def _cancel(self, turn: Turn, said: Said) -> None:
        """A job by its id; without one, the open form or the only unfinished job."""
        job_id = said.text.strip()
        if not job_id:
            if form := await self._forms.load(str(said.place.chat), str(said.place.user)):
                await self._forms.drop(str(said.place.chat), str(said.place.user))
                if not form.sent:
                    await self._counter.show(turn, render(say("Cancelled; nothing was asked for.")))
                    return
            unfinished = [job for job in await self._desk.jobs(turn.person) if not job.ended]
            if len(unfinished) != 1:
                nothing = say("You have no job that could be cancelled.")
                await self._counter.show(
                    turn, render(jobs_reply(unfinished, self._desk.clock()) if unfinished else nothing)
                )
                return
            job_id = unfinished[0].id
        result = await self._desk.cancel(turn.person, job_id)
        await self._counter.show(turn, render(cancel_reply(job_id, result)))

    async def _top(self, turn: Turn, said: Said) -> None:
        await self._counter.show(turn, render(await top_of(self._desk, turn.person, said.text)))

    async def _status(self, turn: Turn, said: Said) -> None:
        await self._counter.show(turn, render(status_reply(await self._desk.status())))

    async def _queue(self, turn: Turn, said: Said) -> None:
        await self._counter.show(turn, render(queue_reply(await self._desk.queue(turn.person), self._desk.clock())))

    async def _admin(self, turn: Turn, said: Said) -> None:
        await self._counter.show(turn, render(await told(self._administration, turn.person, said.named, said.author)))

    # Forms and buttons

    async def _pressed(self, turn: Turn, press: Pressed) -> None:
        if press.action == "again":
            await self._again(turn, press)
            return
        if press.action == "own":
            await self._own_answers.pressed(turn, press)
            return
        if press.action == "cancel":
            result = await self._desk.cancel(turn.person, press.rest)
            await self._counter.acknowledge(turn, notice(cancel_reply(press.rest, result)))
            return
        form_id, _, act = press.rest.partition(":")
        form = await self._forms.load(str(press.place.chat), str(press.place.user))
        if press.action != FORM_ACTION or form is None or form.id != form_id or form.kind not in self._kinds:
            await self._counter.acknowledge(turn, NOT_OPEN)
        elif act == forms.STOP:
            await self._forms.drop(str(press.place.chat), str(press.place.user))
            await self._counter.show(turn, render(say("Cancelled; nothing was asked for.")), self._of_form(turn, form))
        else:
            await self._chosen(turn, press, form, act)

    async def _again(self, turn: Turn, press: Pressed) -> None:
        """A button below an answer: another request, or a form that asks for its new text."""
        job_id, _, number = press.rest.partition(":")
        key = f"telegram:{press.update}"
        wanted = await again(self._desk, turn.person, job_id, int(number) if number.isdecimal() else -1, key)
        if wanted.edit is None:
            at = press.place.address
            await self._counter.submit(
                turn, wanted.kind, wanted.raw, private=wanted.private, update=press.update, at=at
            )
            return
        form = await self._forms.load(str(press.place.chat), str(press.place.user))
        if form is None or form.update != press.update:  # otherwise it comes again
            form = forms.rewriting(
                wanted.kind,
                {name: value for name, value in wanted.raw.items() if not isinstance(value, Artifact | IncomingFile)},
                wanted.edit.name,
                private=wanted.private,
                update=press.update,
                origin=str(press.place.message),
            )
        await self._proceed(turn, wanted.kind, form)

    async def _chosen(self, turn: Turn, press: Pressed, form: forms.Form, act: str) -> None:
        kind = self._kinds[form.kind]
        chosen: forms.Form | None = form
        if press.update != form.update:  # otherwise it comes again: repeat the last step
            chosen = None if form.sent else forms.pressed(kind, form, act, press.update)
        if chosen is None:
            await self._counter.acknowledge(turn, NOT_OPEN)
            return
        await self._proceed(turn, kind, chosen)

    async def _proceed(
        self, turn: Turn, kind: AnyKind, form: forms.Form, problem: InvalidRequestError | None = None
    ) -> None:
        """Ask the form's next question, or submit it."""
        chat, user = str(turn.place.chat), str(turn.place.user)
        if not forms.complete(kind, form):
            await self._forms.save(chat, user, form)
            asked = forms.question(kind, form, problem)
            drawn = render_question(form.id, asked, force=not turn.place.private)
            address = self._of_form(turn, form)
            if drawn.force_reply:
                address = address.model_copy(update={"message": None})
            await self._counter.show(turn, drawn, address)
            return
        form = form.model_copy(update={"sent": True})
        await self._forms.save(chat, user, form)
        try:
            await self._counter.submit(
                turn, kind, form.values, private=form.private, update=form.update, at=self._of_form(turn, form)
            )
        except InvalidRequestError as error:
            if (again := forms.reopened(kind, form, error)) is None:
                raise
            await self._proceed(turn, kind, again, error)
        except (LimitedError, FilesClosedError):
            await self._forms.save(chat, user, form.model_copy(update={"sent": False}))  # Start may be pressed again
            raise

    def _of_form(self, turn: Turn, form: forms.Form) -> ReplyAddress:
        """A reply to the message that began the form; a pressed page turns into the next one."""
        of_form = isinstance(turn.act, Pressed) and turn.act.action == FORM_ACTION
        pressed = str(turn.place.message) if of_form else None
        return turn.place.address.model_copy(update={"reply_to": form.origin, "message": pressed})


def _log_unexpected(error: Exception) -> None:
    """Where it happened, without the error's text: that may hold what a user wrote, or the token."""
    log.error("unexpected error at the telegram desk", error=type(error).__name__, frames=frames(error))
