"""Between text and tokens: prompts in a model's chat form, and text out of tokens as they come."""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from frontdesk.queue.errors import ConfigurationError

MARK = "(the prompt)"  # stands for the prompt while the chat template is filled in
HALF_CHARACTER = "\N{REPLACEMENT CHARACTER}"


def chat_tokens(tokenizer: PreTrainedTokenizerBase, prompt: str) -> list[int]:
    """The prompt as a user's turn, up to where the answer begins; the bare prompt where the model has no chat template.

    Only the template's own control tokens count: what looks like one in the prompt is text.
    Raises ConfigurationError where the template is of no use for a single turn.
    """
    # A lone surrogate, which JSON can carry, is not text.
    text = prompt.encode("utf-8", "replace").decode()
    own = tokenizer(text, add_special_tokens=tokenizer.chat_template is None, split_special_tokens=True)["input_ids"]
    if tokenizer.chat_template is None:
        return list(own)
    filled = tokenizer.apply_chat_template(
        [{"role": "user", "content": MARK}], tokenize=False, add_generation_prompt=True
    )
    before, mark, after = str(filled).partition(MARK)
    if not mark or MARK in after:
        raise ConfigurationError("The model's chat template does not show a prompt once; Frontdesk cannot use it.")
    return [*_control(tokenizer, before), *own, *_control(tokenizer, after)]


def _control(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


class GrowingText:
    """The text of tokens that come one by one. Never ends in half a character, whose bytes may span tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        self._context = 0  # tokens from here on are decoded again: how one reads can depend on the one before
        self._shown = 0
        self.text = ""

    def add(self, token: int) -> None:
        self._tokens.append(token)
        new = self._new()
        if new and not new.endswith(HALF_CHARACTER):
            self.text += new
            self._context, self._shown = self._shown, len(self._tokens)

    def end(self) -> str:
        """The whole text; a character that was cut off in the middle is left out."""
        return (self.text + self._new()).rstrip(HALF_CHARACTER)

    def _new(self) -> str:
        old = self._decoded(self._tokens[self._context : self._shown])
        return self._decoded(self._tokens[self._context :])[len(old) :]

    def _decoded(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))
