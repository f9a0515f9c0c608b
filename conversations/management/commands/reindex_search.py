"""`manage.py reindex_search`: makes what search needs, where it is missing."""

from typing import Any

from django.core.management.base import BaseCommand

from conversations.search import reindexing


class Command(BaseCommand):
    help = "Index every text that cannot be found yet, or only by the rules of an earlier version. May be broken off."

    def handle(self, *args: Any, **options: Any) -> None:
        conversations = texts = 0
        for _, made in reindexing.reindex_all():
            conversations, texts = conversations + 1, texts + made
            if conversations % 1000 == 0:
                self.stdout.write(f"{conversations} conversations looked at, {texts} texts indexed ...")
        self.stdout.write(f"{texts} texts indexed in {conversations} conversations.")
