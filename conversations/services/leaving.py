"""What becomes of conversations when somebody closes their account."""

from uuid import UUID

from django.db import transaction

from accounts.models import User
from accounts.services import closing
from chatproject.lib.errors import Problem
from conversations import background, queue
from conversations.models import Member
from conversations.services import authorisations, batches, erasing, members, reports


@transaction.atomic
def close_account(*, user: User) -> None:
    """Close the account of `user`; what was theirs is erased in the background, and what they took part in left.

    Raises Problem `forbidden` for administrators: somebody has to be left.
    """
    if user.is_superuser:
        raise Problem("forbidden", "An administrator's account is not closed: first be none any more.")
    closing.close(user=user)
    queue.enqueue(queue.LEAVE, user=str(user.id))


def leave_all(*, user: str) -> None:
    """Erase every conversation that this user owns, and leave the others; delete their batches and reports. Killed, it
    goes on with what is left."""
    leaver = User.objects.get(id=UUID(user))
    reports.remove_all(user=leaver)
    batches.remove_all(user=leaver)
    authorisations.withdraw_all(user=leaver)
    taking_part = Member.objects.filter(user=leaver)
    owned = taking_part.filter(role=Member.Role.OWNER, conversation__erased_at=None)
    for conversation in list(owned.values_list("conversation_id", flat=True)):
        background.pause()
        erasing.erase_of_leaver(user=leaver, conversation=conversation)
    others = taking_part.exclude(role=Member.Role.OWNER)
    for conversation in list(others.values_list("conversation_id", flat=True)):
        background.pause()
        members.remove_leaver(conversation=conversation, user=leaver).result()
