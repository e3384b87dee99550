"""A Shap-E pipeline of a few thousand random weights, of the real classes, saved in a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.pipelines.shap_e.renderer import ShapERenderer

WIDTH, EMBEDDINGS = 16, 32
HIGHEST = 0  # of the frequencies of a place that count, as powers of 2: higher ones make nothing but dust


def save(folder: Path, *, seed: int = 0, safe: bool = True) -> Path:
    """What it makes of noise has a surface, but no shape that anybody would know."""
    torch.manual_seed(seed)
    pipeline = pipeline_of_random_weights(folder)
    pipeline.save_pretrained(folder, safe_serialization=safe)
    return folder


def pipeline_of_random_weights(folder: Path) -> Any:
    heun: Any = diffusers.HeunDiscreteScheduler
    prior: Any = diffusers.PriorTransformer
    whole: Any = diffusers.ShapEPipeline
    return whole(
        prior=prior(
            num_attention_heads=2, attention_head_dim=WIDTH, embedding_dim=WIDTH, num_embeddings=EMBEDDINGS,
            embedding_proj_dim=WIDTH, time_embed_dim=WIDTH * 4, num_layers=1, clip_embed_dim=WIDTH * 2,
            additional_embeddings=0, time_embed_act_fn="gelu", norm_in_type="layer", encoder_hid_proj_type=None,
            added_emb_type=None,
        ),
        text_encoder=_text_encoder(),
        tokenizer=_tokenizer(),
        scheduler=heun(
            beta_schedule="exp", num_train_timesteps=1024, prediction_type="sample", use_karras_sigmas=True,
            clip_sample=True, clip_sample_range=1.0,
        ),
        shap_e_renderer=_renderer(),
    )  # fmt: skip


def _text_encoder() -> Any:
    encoder: Any = transformers.CLIPTextModelWithProjection
    config = transformers.CLIPTextConfig(
        bos_token_id=0, eos_token_id=1, pad_token_id=0, hidden_size=WIDTH, projection_dim=WIDTH, intermediate_size=37,
        num_attention_heads=4, num_hidden_layers=2, vocab_size=600, max_position_embeddings=77,
    )  # fmt: skip
    return encoder(config).eval()


def _tokenizer() -> Any:
    """Of single letters."""
    letters = [chr(code) for code in range(33, 127)]
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    tokenizer: Any = transformers.CLIPTokenizer
    return tokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[], model_max_length=77)


def _renderer() -> Any:
    whole: Any = ShapERenderer
    renderer = whole(
        param_shapes=((8, 93), (8, 8), (8, 8), (8, 8)), d_latent=WIDTH, d_hidden=8, n_output=12,
        background=(0.1, 0.1, 0.1),
    )  # fmt: skip
    first = renderer.params_proj.projections["nerstf__mlp__0__weight"]
    low = [
        0,
        1,
        2,
        *(start + 3 * power + axis for start in (3, 48) for power in range(HIGHEST + 1) for axis in range(3)),
    ]
    counts = torch.zeros(93)
    counts[low] = 1
    with torch.no_grad():
        first.norm.weight.copy_(3 * counts)
        first.norm.bias.zero_()
        first.proj.bias.zero_()
        for layer in renderer.mlp.mlp[4:]:
            layer.weight.mul_(3)
        _balance(renderer)
    return renderer


def _balance(renderer: Any) -> None:
    """As much of the grid inside as outside, for one latent at least."""
    weights = renderer.params_proj(torch.randn(1, EMBEDDINGS, WIDTH).clamp(-1, 1))
    for number in range(4):
        renderer.mlp.mlp[number].weight.copy_(weights[f"nerstf.mlp.{number}.weight"][0])
    axis = torch.linspace(-1, 1, 12)
    places = torch.cartesian_prod(axis, axis, axis)[None]
    said = renderer.mlp(position=places, direction=None, ts=None, nerf_level="fine", rendering_mode="stf")
    renderer.mlp.mlp[-1].bias[0] -= torch.atanh(said.signed_distance.clamp(-0.99, 0.99)).median()
