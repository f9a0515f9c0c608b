"""Semantic search: vectors of texts, and how far each model has come with them."""

from collections.abc import Sequence
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from conversations.models.conversation import Conversation


class VectorField(models.Field):
    """pgvector's `vector` of any length. Its own Python library is not used: it wants all of NumPy."""

    def db_type(self, connection: Any) -> str:
        return "vector"

    def get_prep_value(self, value: Sequence[float] | str) -> str:
        return value if isinstance(value, str) else "[" + ",".join(map(repr, value)) + "]"


class EmbeddingIndex(models.Model):
    """The vectors of one model. One index is asked (`active`); the one of another model is built beside it.

    `position` is how far the texts were gone through, in the order in which conversations changed; `error` is
    why the last attempt failed.
    """

    class Status(models.TextChoices):
        BUILDING = "building", _("being built")
        ACTIVE = "active", _("in use")
        RETIRED = "retired", _("being removed")

    model = models.CharField(_("model"), max_length=200, unique=True)
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.BUILDING)
    dimensions = models.PositiveIntegerField(_("dimensions"), null=True)
    total = models.PositiveIntegerField(_("texts"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)
    error = models.TextField(_("last error"), blank=True)
    position = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created"), db_default=Now())
    updated_at = models.DateTimeField(_("updated"), null=True)

    class Meta:
        verbose_name = _("index of embeddings")
        verbose_name_plural = _("indexes of embeddings")

    def __str__(self) -> str:
        return self.model


class Embedding(models.Model):
    """The vector of the text that the event `event` gave to a message. Not encrypted (docs/search.md).

    Each index has an HNSW index of its own, made with its first vector (search/vectors.py).
    """

    index = models.ForeignKey(EmbeddingIndex, on_delete=models.CASCADE, related_name="embeddings", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+")
    event = models.UUIDField()
    message = models.UUIDField()
    vector = VectorField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["index", "event"], name="embedding_once")]

    def __str__(self) -> str:
        return str(self.event)
