"""Read marks: no events, but they survive a rebuild."""

from uuid import UUID

from accounts.models import User
from conversations.models import Member
from conversations.services import messages, reading
from tests.conversations.support import check_numbers, replayed


def mark(user: User, conversation: UUID) -> int:
    return Member.objects.get(conversation=conversation, user=user).read_seq


def test_a_mark_only_grows_and_stops_at_the_head(alice: User, bob: User, conversation: UUID) -> None:
    for n in range(3):
        messages.send(user=alice, conversation=conversation, text="Hi", cmid=f"{n}").result(30)

    seen = []
    for seq in (4, 3, 99, 5, 0):
        reading.mark_read(user=bob, conversation=conversation, seq=seq)
        seen.append(mark(bob, conversation))

    assert seen == [4, 4, 5, 5, 5]
    assert mark(alice, conversation) == 0
    assert check_numbers(conversation) == 5
    replayed(conversation)


def test_a_stranger_marks_nothing(mallory: User, conversation: UUID) -> None:
    reading.mark_read(user=mallory, conversation=conversation, seq=1)
    assert not Member.objects.filter(conversation=conversation, user=mallory).exists()
