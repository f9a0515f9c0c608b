"""`manage.py reindex_search`: makes what search needs, where it is missing."""

from typing import Any

from django.core.management.base import BaseCommand

from conversations.models import EmbeddingIndex
from conversations.search import embedders, embedding, reindexing


class Command(BaseCommand):
    help = "Index every text that cannot be found yet, or only by the rules of an earlier version. May be broken off."

    def handle(self, *args: Any, **options: Any) -> None:
        conversations = texts = 0
        for _, made in reindexing.reindex_all():
            conversations, texts = conversations + 1, texts + made
            if conversations % 1000 == 0:
                self.stdout.write(f"{conversations} conversations looked at, {texts} texts indexed ...")
        self.stdout.write(f"{texts} texts indexed in {conversations} conversations.")
        if embedders.is_set_up():
            self._tell_about_vectors()

    def _tell_about_vectors(self) -> None:
        """Have the workers look for missing vectors among all texts, and tell how far they are."""
        embedding.begin_again()
        self.stdout.write("The workers look for texts without a vector. So far:")
        for index in EmbeddingIndex.objects.order_by("id"):
            failed = f"; last error: {index.error}" if index.error else ""
            self.stdout.write(f"{index.model}: {index.get_status_display()}, {index.done} of {index.total}{failed}")
