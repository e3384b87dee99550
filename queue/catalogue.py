"""The kinds that Frontdesk brings along."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from frontdesk.queue.kinds import JobKind
from frontdesk.queue.parameters import Params
from frontdesk.queue.results import Result

# Device-seconds per token on two CPU cores; what a machine really takes is measured and scales them.
SECONDS_PER_SCORED_TOKEN = 0.0015
SECONDS_PER_WRITTEN_TOKEN = 0.02
CHARACTERS_PER_TOKEN = 4


class ScoreParams(Params):
    text: Annotated[str, Field(description="The text to judge", min_length=200, max_length=20_000)]


class ScoreResult(Result):
    """How likely a language model wrote a text: large curvature and small Binoculars speak for a machine."""

    verdict: Literal["human", "machine", "unclear"]
    reason: Annotated[str | None, Field(description="Why the verdict is `unclear`, where it is not the figures")] = None
    curvature: Annotated[float, Field(description="Fast-DetectGPT's analytic conditional probability curvature")]
    perplexity: float
    binoculars: float | None = None
    tokens: Annotated[int, Field(description="Tokens that were judged")]
    tokens_in_text: int
    false_positive_rate: Annotated[
        float | None,
        Field(description="Share of human texts that the threshold calls machine-written; None: uncalibrated"),
    ]
    model: str
    precision: str

    def headline(self) -> str:
        return {
            "human": "Reads like a person wrote it.",
            "machine": "Reads like a language model wrote it.",
            "unclear": f"Cannot tell{f': {self.reason}' if self.reason else ''}.",
        }[self.verdict]

    def figures(self) -> list[tuple[str, str]]:
        judged = (
            f"{self.tokens}" if self.tokens == self.tokens_in_text else f"first {self.tokens} of {self.tokens_in_text}"
        )
        rows = [("Curvature", f"{self.curvature:.2f}"), ("Perplexity", f"{self.perplexity:.1f}")]
        if self.binoculars is not None:
            rows.append(("Binoculars", f"{self.binoculars:.3f}"))
        rows.append(("Tokens judged", judged))
        if self.false_positive_rate is not None:
            rows.append(("Human texts wrongly called machine", f"{100 * self.false_positive_rate:.3g}% in calibration"))
        return [*rows, ("Model", f"{self.model} ({self.precision})")]


class WriteParams(Params):
    prompt: Annotated[str, Field(description="What to write", min_length=1, max_length=4000)]
    max_tokens: Annotated[int, Field(description="The most tokens to write", ge=16, le=1024)] = 200
    temperature: Annotated[
        float, Field(description="0 always takes the likeliest word; higher is freer", ge=0, le=2)
    ] = 0.7
    seed: Annotated[int | None, Field(description="The same seed gives the same text again", ge=0, le=2**31 - 1)] = None


class WriteResult(Result):
    text: str
    tokens: int
    stopped: Annotated[Literal["end", "length"], Field(description="The model came to an end, or to the most tokens")]
    seed: int
    model: str
    precision: str

    def body(self) -> str:
        return self.text or "(the model wrote nothing)"

    def figures(self) -> list[tuple[str, str]]:
        cut = " (stopped at the limit)" if self.stopped == "length" else ""
        return [
            ("Tokens", f"{self.tokens}{cut}"),
            ("Seed", str(self.seed)),
            ("Model", f"{self.model} ({self.precision})"),
        ]


SCORE = JobKind(
    name="score",
    summary="How likely a language model wrote a text",
    params=ScoreParams,
    result=ScoreResult,
    cost=lambda params: SECONDS_PER_SCORED_TOKEN * len(params.text) / CHARACTERS_PER_TOKEN,
    deterministic=True,
    example={"text": "a passage of at least 200 characters"},
)

WRITE = JobKind(
    name="write",
    summary="Text from a prompt",
    params=WriteParams,
    result=WriteResult,
    cost=lambda params: SECONDS_PER_WRITTEN_TOKEN * params.max_tokens,
    example={"max_tokens": "80", "prompt": "Why is the sky blue?"},
)
