"""The same transcripts on both web servers, as real processes: what other modules tell of the application itself.

Left out is what looks into the process, or has settings of its own (test_servers.py has those that servers share).
"""

import os
from collections.abc import Iterator

import pytest

from chatproject.embedded.web import SERVERS
from tests import eventstreams, sockets
from tests.faults.cluster import Cluster, Web
from tests.realtime.links import Link, send_request
from tests.realtime.test_answers import (  # noqa: F401
    answer,
    test_another_connection_goes_on_where_the_first_was,
    test_attach_gives_the_rest,
    test_live_from_the_question_to_the_end,
    test_long_answers_come_in_frames_that_are_not_too_large,
    test_stop_by_another_member_keeps_what_is_stored,
    test_two_readers_of_which_one_came_late_hold_the_same,
)
from tests.realtime.test_bad_frames import (  # noqa: F401
    test_a_batch_is_handled_in_order,
    test_a_frame_of_64_kib_and_one_byte_is_too_big,
    test_a_malformed_frame_is_answered_and_the_next_one_is_heard,
    test_an_acknowledgement_of_what_was_never_sent,
    test_binary_is_final,
    test_malformed_frames_before_hello_count_too,
    test_the_fifth_malformed_frame_closes,
    test_too_many_frames_at_once_are_told_to_wait,
)
from tests.realtime.test_flow import (  # noqa: F401
    test_a_slow_client_slows_nobody,
    test_beyond_the_window_frames_wait_and_are_joined,
    test_both_the_acknowledgement_and_the_event_come,
    test_events_in_a_burst_are_joined_into_few_messages,
    test_pages_of_large_events_are_bounded,
    test_roles_and_order_survive_a_drop,
)
from tests.realtime.test_hello import (  # noqa: F401
    test_a_bad_token_is_answered_and_final,
    test_a_second_hello_is_refused_and_changes_nothing,
    test_a_ticket_opens_one_socket,
    test_an_expired_token_is_to_be_renewed,
    test_another_version_of_the_protocol,
    test_no_token_at_all,
    test_nothing_comes_before_hello,
    test_welcome_says_who_and_how,
)
from tests.realtime.test_membership import (  # noqa: F401
    test_a_stranger_is_answered_as_if_it_did_not_exist,
    test_a_viewer_reads_and_does_not_send,
    test_logins_ended_all_at_once_end_open_sockets,
    test_typing_is_seen_by_the_others_and_is_not_in_the_log,
    test_who_is_deactivated_is_put_out_at_once,
    test_who_is_removed_hears_left_and_nothing_more,
)
from tests.realtime.test_resume import (  # noqa: F401
    test_a_cursor_is_replayed_exactly,
    test_a_snapshot_holds_the_newest_that_fit,
    test_at_the_head_nothing_is_missing,
    test_fetch_fills_a_gap,
    test_from_the_beginning_no_epoch_is_needed,
    test_hello_takes_up_several_conversations,
    test_hello_that_cannot_resume_says_why_and_brings_a_snapshot,
    test_since_a_time,
    test_the_longest_replay_there_is,
    test_what_cannot_be_replayed_is_answered_with_a_snapshot_then_live,
    test_while_others_write_a_resync_and_what_follows_fit_together,
    test_without_a_cursor_the_newest_come,
)
from tests.realtime.test_sessions import test_a_visit_is_written_down, test_staff_ends_one  # noqa: F401
from tests.realtime.test_shared_state import test_everybody_sees_it  # noqa: F401
from tests.realtime.test_sse import (  # noqa: F401
    test_a_cursor_that_cannot_be_replayed,
    test_a_running_answer_from_its_beginning_then_live,
    test_it_goes_on_after_a_cursor,
    test_posting_shows_the_answer_and_ends_with_it,
    test_posting_where_nobody_answers_ends_at_once,
    test_strangers_and_nonsense,
    test_the_log_then_live_in_the_same_form_as_everywhere,
)
from tests.realtime.test_stream import (  # noqa: F401
    test_everything_live_in_the_same_form_as_everywhere,
    test_it_goes_on_where_it_was_cut,
)
from tests.realtime.test_transcript import test_what_alice_says_bob_hears  # noqa: F401


@pytest.fixture(scope="module", params=sorted(SERVERS))
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One server, with the tests' own database and Redis, as a second process of the product has them."""
    folder = tmp_path_factory.mktemp(request.param)
    redis = os.environ["REDIS_URL"]
    with Cluster(folder, webs=1, workers=0, server=request.param, REDIS_URL=redis) as running:
        yield running.webs[0]
        assert not running.tracebacks(), running.tracebacks()[0][-3000:]


@pytest.fixture(autouse=True)
def there(served: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sockets and streams lead to the server."""
    monkeypatch.setattr(sockets, "line", lambda: Link(served.address))
    monkeypatch.setattr(eventstreams, "play", lambda *request: send_request(served.port, *request))
