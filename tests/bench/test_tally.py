"""Figures are worth what their counting is worth."""

from bench.engine.tally import Tally, microseconds


def said(tally: Tally, count: int) -> list[bytes]:
    """So many messages, said in different microseconds."""
    texts = []
    for _ in range(count):
        now = microseconds()
        while microseconds() == now:
            pass
        texts.append(tally.mark() + b" Hello")
    return texts


def test_every_delivery_counts_in_any_framing() -> None:
    tally = Tally()
    first, second, third = said(tally, 3)
    for _ in range(2):
        tally.note(b'{"text":"%s"}' % first)
        tally.note(b'[{"text":"%s"},{"text":"%s"}]' % (second, third))
    assert tally.arrived == 6
    assert tally.lost(2) == 0
    assert len(tally.taken()) == 6


def test_what_is_missing_is_lost() -> None:
    tally = Tally()
    first, _ = said(tally, 2)
    tally.note(first)
    assert tally.lost(1) == 1


def test_a_doubled_message_does_not_make_up_for_a_lost_one() -> None:
    tally = Tally()
    first, _ = said(tally, 2)
    tally.note(first)
    tally.note(first)
    assert tally.arrived == 2
    assert tally.lost(1) != 0


def test_what_was_sent_before_does_not_count() -> None:
    before = Tally()
    [late] = said(before, 1)
    tally = Tally()
    tally.start += 1
    tally.note(late)
    assert tally.arrived == 0


def test_acknowledgements_are_counted_and_other_frames_are_left_to_their_reader() -> None:
    tally = Tally()
    assert not tally.note(b'{"type":"sent","ref":"1"}')
    assert tally.acknowledged == 1
    assert tally.note(b'{"type":"joined"}')
    assert tally.note(b'[{"type":"sent","ref":"2"},{"type":"error","code":"unavailable"}]')
    assert tally.acknowledged == 2
    [text] = said(tally, 1)
    assert tally.note(b'[{"type":"joined"},{"type":"catchup","events":[{"text":"%s"}]}]' % text)
