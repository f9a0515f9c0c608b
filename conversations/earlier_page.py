"""The page of earlier states of a conversation: look at one, go back to it, or keep the present one."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from conversations import pages, selectors
from conversations.forms import StateForm
from conversations.permissions import Permission
from conversations.services import restoring, snapshots
from conversations.views import Page

LISTED = 100


class EarlierView(Page):
    """For the owner, who may go back. Without a number of the log, nothing is shown, and nothing is gone back to."""

    permissions = {"GET": Permission.RESTORE, "POST": Permission.RESTORE}

    def get(self, request: HttpRequest, id: UUID) -> HttpResponse:
        heading, seq = self.heading(id), self._seq()
        context = {
            "heading": heading,
            "list": pages.conversation_list(self.user),
            "snapshots": selectors.snapshot_times(id)[:LISTED],
            "seq": seq,
            "said": seq and self._said(id, seq),
        }
        return self.render("earlier", context)

    def post(self, request: HttpRequest, id: UUID) -> HttpResponse:
        """What is there now is kept first, so that going back can be undone here."""
        self.heading(id)
        seq = self._seq()
        snapshots.take_for(user=self.user, conversation=id)
        if seq is None:
            return redirect("earlier", id)
        restoring.restore(user=self.user, conversation=id, to_seq=seq).result()
        return redirect("thread", id)

    def _seq(self) -> int | None:
        """Raises Problem `invalid`."""
        found: int | None = self.filled(StateForm).cleaned_data["seq"]
        return found

    def _said(self, id_: UUID, seq: int) -> list[dict[str, Any]]:
        """What was on screen after the event `seq`: the newest messages. Raises Problem `not_found`."""
        row = selectors.conversation_for(self.user, id_, Permission.RESTORE)
        messages: list[dict[str, Any]] = selectors.snapshot_at(row, seq)["state"]["messages"]
        return [one for one in messages if one["selected"] and one["status"] not in ("hidden", "deleted")]
