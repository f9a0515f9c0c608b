"""Embeddings made on this machine by sentence-transformers, an extra: `pip install .[local-embeddings]`.

Nothing imports this module but the setting EMBEDDER=conversations.search.local.LocalEmbedder.
"""

from collections.abc import Sequence
from threading import Lock

from sentence_transformers import SentenceTransformer

from conversations.search.embedders import EmbeddingFailed


class LocalEmbedder:
    """A model of sentence-transformers, by its name or the path of its folder."""

    def __init__(self, model: str) -> None:
        self._model = SentenceTransformer(model)
        self._lock = Lock()

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        try:
            with self._lock:
                found: list[list[float]] = self._model.encode(list(texts), normalize_embeddings=True).tolist()
        except (RuntimeError, ValueError) as error:
            raise EmbeddingFailed(f"The local model failed: {type(error).__name__}.") from error
        return found
