"""A language model of a real class that is small enough for any test: random, in float32, a token a byte."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from frontdesk.worker.models import LanguageModel

CHAT = (
    "{% for m in messages %}<|start|>{{ m.role }}\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
START, END, STOP = 256, 257, 258  # control tokens behind the 256 bytes
CONTEXT = 1200


def fast_tokenizer(**options: Any) -> PreTrainedTokenizerFast:
    untyped: Any = PreTrainedTokenizerFast
    tokenizer: PreTrainedTokenizerFast = untyped(**options)
    return tokenizer


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    """A token a byte, and three control tokens: characters beyond ASCII take several tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(name, special=True) for name in ("<|start|>", "<|end|>", "<|stop|>")])
    return fast_tokenizer(tokenizer_object=core, eos_token="<|end|>", chat_template=CHAT)


@cache
def language() -> LanguageModel:
    """A small random model of a real class, in float32, with grouped heads as larger ones have them."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = _model()
    return LanguageModel(model, tokenizer(), torch.device("cpu"), "tiny", "float32")


def _model() -> Any:
    config = LlamaConfig(
        vocab_size=259,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.4,
        eos_token_id=END,
    )
    model: Any = LlamaForCausalLM(config)
    model.eval()
    return model
