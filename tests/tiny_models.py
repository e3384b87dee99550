"""Language models of a few thousand weights, of transformers' real classes: made and saved in a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from frontdesk.queue.settings import Settings
from frontdesk.worker.models import LanguageModel, ModelStore

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "max_position_embeddings": 512,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
}


def save(folder: Path, *, architecture: str = "Llama", seed: int = 0, letters: str = "", **options: Any) -> Path:
    """A folder with a model of random weights and a tokenizer of single bytes (and `letters`)."""
    words = ["<|endoftext|>", *sorted(pre_tokenizers.ByteLevel.alphabet()), *letters]
    tokenizer = Tokenizer(models.BPE(vocab={word: number for number, word in enumerate(words)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast: Any = transformers.PreTrainedTokenizerFast  # its constructor has no types
    fast(tokenizer_object=tokenizer, bos_token=words[0], eos_token=words[0], pad_token=words[0]).save_pretrained(folder)
    config = getattr(transformers, f"{architecture}Config")(vocab_size=len(words), **(SIZES | options))
    torch.manual_seed(seed)
    model = getattr(transformers, f"{architecture}ForCausalLM")(config)
    for weight in model.parameters():  # as initialised, every token is as likely as any other
        weight.data.mul_(8)
    model.save_pretrained(folder)
    return folder


def load(folder: Path, data_dir: Path) -> LanguageModel:
    """That model in float32."""
    return ModelStore(Settings(model=str(folder), dtype="float32", device="cpu", data_dir=data_dir)).get()
