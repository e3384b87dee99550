"""The model alone, without Frontdesk: answers one line of JSON with the seconds it took, for each line it reads.

{"do": "forward", "texts": [...]}    one text after the other through the model, logits only
{"do": "score", "texts": [...]}      the same, with perplexity and curvature as one would write them first
{"do": "generate", "prompts": [...], "tokens": N}    transformers' generate, one prompt after the other
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from frontdesk.queue.settings import load_settings
from frontdesk.worker.models import LanguageModel, ModelStore


def ids(language: LanguageModel, text: str, limit: int) -> torch.Tensor:
    """Token ids with a start token in front, shape (1, length)."""
    tokenizer: Any = language.tokenizer
    found = tokenizer(text, add_special_tokens=False)["input_ids"]
    start = tokenizer.bos_token_id or 0
    return torch.tensor([[start, *found[:limit]]], device=language.device)


def forward(language: LanguageModel, request: dict[str, Any]) -> int:
    tokens = 0
    for text in request["texts"]:
        batch = ids(language, text, request["limit"])
        language.model(batch, use_cache=False)
        tokens += batch.shape[1]
    return tokens


def score(language: LanguageModel, request: dict[str, Any]) -> int:
    tokens = 0
    for text in request["texts"]:
        batch = ids(language, text, request["limit"])
        logits = language.model(batch, use_cache=False).logits[0, :-1].float()
        logp = logits.log_softmax(-1)
        chosen = logp.gather(-1, batch[0, 1:, None]).squeeze(-1)
        p = logp.exp()
        mean = (p * logp).sum(-1)
        variance = (p * logp.square()).sum(-1) - mean.square()
        float(torch.exp(-chosen.mean())), float((chosen.sum() - mean.sum()) / variance.sum().sqrt())
        tokens += batch.shape[1]
    return tokens


def generate(language: LanguageModel, request: dict[str, Any]) -> int:
    tokens = 0
    for prompt in request["prompts"]:
        chat: Any = language.tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        write: Any = language.model.generate
        written = write(
            **chat.to(language.device),
            max_new_tokens=request["tokens"],
            min_new_tokens=request["tokens"],
            do_sample=True,
            temperature=0.7,
        )
        tokens += int(written.shape[1] - chat["input_ids"].shape[1])
    return tokens


TASKS: dict[str, Callable[[LanguageModel, dict[str, Any]], int]] = {
    "forward": forward,
    "score": score,
    "generate": generate,
}


def main() -> None:
    language = ModelStore(load_settings()).get()
    with torch.inference_mode():
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            began = time.perf_counter()
            tokens = TASKS[request["do"]](language, request)
            print(json.dumps({"seconds": time.perf_counter() - began, "tokens": tokens}), flush=True)


if __name__ == "__main__":
    main()
