"""From texts to vectors: what an embedder is, the one for OpenAI-compatible endpoints, and which one is set up."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import openai
from django.conf import settings
from django.utils.module_loading import import_string
from openai import OpenAI


class EmbeddingFailed(Exception):
    """The vectors could not be had now; the sentence tells why, without any text."""


class Embedder(Protocol):
    """Made with the name of a model, once per process; used by several threads."""

    def __init__(self, model: str) -> None: ...

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text, all of one length. Raises EmbeddingFailed."""


class OpenAIEmbedder:
    """Any OpenAI-compatible endpoint. Passing faults are tried again by the SDK, with growing delays."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.client = OpenAI(
            api_key=settings.EMBEDDING_API_KEY,
            base_url=settings.EMBEDDING_BASE_URL or None,
            timeout=settings.EMBEDDING_TIMEOUT_SECONDS,
            max_retries=2,
        )

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        try:
            answer = self.client.embeddings.create(model=self.model, input=list(texts), encoding_format="float")
        except openai.APIStatusError as error:
            raise EmbeddingFailed(f"The embeddings endpoint answered with status {error.status_code}.") from error
        except (openai.OpenAIError, ValueError) as error:
            raise EmbeddingFailed(f"The embeddings endpoint gave no answer: {type(error).__name__}.") from error
        vectors = [one.embedding for one in sorted(answer.data or (), key=lambda one: one.index)]
        if len(vectors) != len(texts) or len({len(one) for one in vectors}) > 1 or not all(vectors):
            raise EmbeddingFailed("The embeddings endpoint answered with other vectors than were asked for.")
        return vectors


def is_set_up() -> bool:
    return bool(settings.EMBEDDER)


@lru_cache(4)
def get(model: str) -> Embedder:
    """The embedder of the setting EMBEDDER, for one model."""
    made: Embedder = import_string(settings.EMBEDDER)(model)
    return made
