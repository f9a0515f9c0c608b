"""What staff see of a conversation: with the right to read everything, without it no content at all."""

from io import BytesIO
from uuid import UUID

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from conversations.models import Conversation, Event
from conversations.services import files, messages
from tests.conversations.admin.conftest import ANSWER, COMMENT, QUESTION, SECRETS, TITLE, Case, browser, new_staff

PLACES = (
    "/admin/conversations/conversation/?q={conversation}",
    "/admin/conversations/conversation/{conversation}/change/",
    "/admin/conversations/conversation/{conversation}/history/",
    "/admin/conversations/run/?q={conversation}",
    "/admin/conversations/run/{ended}/change/",
    "/admin/conversations/run/{running}/change/",
    "/admin/accounts/auditentry/?q={conversation}",
)


def page_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def reads_of(conversation: UUID) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="conversation.read", target_id=str(conversation)))


def test_a_superuser_reads_transcript_log_members_and_runs(root: Client, root_user: User, case: Case) -> None:
    page = page_of(root, case.page)
    assert f"About {TITLE}" in page
    assert f"<strong>{QUESTION}</strong>" in page, "Markdown is rendered"
    assert f"<em>spice</em>: {ANSWER}" in page
    for word in (*SECRETS[:6], COMMENT):
        assert word in page, word
    for type_ in ("conversation:new", "member:add", "message:new", "run:start", "run:step", "run:end"):
        assert f"<code>{type_}</code>" in page
    for name in ("Alice", "Bob", "guide", "Failed", "Running"):
        assert name.lower() in page.lower()
    assert [entry.actor for entry in reads_of(case.conversation)] == [root_user]


def test_files_are_listed_with_their_names_for_those_who_may_read(
    root: Client, clerk: Client, alice: User, case: Case
) -> None:
    given = files.Upload(BytesIO(b"Monday"), 6, "secret plans.txt")
    files.upload(user=alice, conversation=case.conversation, given=given)
    assert "secret plans.txt" in page_of(root, case.page)
    page = page_of(clerk, case.page)
    assert "text/plain" in page
    assert "secret plans" not in page


def test_a_superuser_reads_steps_usage_lease_and_error_of_a_run(root: Client, case: Case) -> None:
    page = page_of(root, case.run_page)
    for word in (*SECRETS[3:7], "total_tokens", "worker-7", "provider_error", str(case.conversation)):
        assert word in page, word
    assert len(reads_of(case.conversation)) == 1


def test_the_list_shows_titles_and_leaves_one_trace_of_them(root: Client, root_user: User, case: Case) -> None:
    assert f"About {TITLE}" in page_of(root, PLACES[0].format(conversation=case.conversation))
    trace = AuditEntry.objects.get(action="conversation.titles_read", actor=root_user)
    assert trace.detail == {"conversations": [str(case.conversation)]}


@pytest.mark.parametrize("place", PLACES)
def test_without_the_right_no_content_is_anywhere(clerk: Client, case: Case, place: str) -> None:
    path = place.format(conversation=case.conversation, ended=case.ended, running=case.running)
    page = page_of(clerk, path)
    assert [word for word in SECRETS if word.lower() in page.lower()] == []
    assert not reads_of(case.conversation)


def test_without_the_right_the_page_says_so_and_shows_who_and_when(clerk: Client, case: Case) -> None:
    page = page_of(clerk, case.page)
    assert "The content is withheld" in page
    assert "<code>run:end</code>" in page
    assert "Alice" in page
    assert "The content is withheld" in page_of(clerk, case.run_page)


@pytest.mark.parametrize("guess", ["metadata__customer=Nutmeg", "title__isnull=0", "data_key=x", "owner__password=x"])
def test_a_query_string_cannot_guess_content(clerk: Client, guess: str) -> None:
    assert clerk.get(f"/admin/conversations/conversation/?{guess}").status_code == 400


def test_a_right_to_one_table_is_no_right_to_another(case: Case) -> None:
    client = browser(new_staff("Runner", "view_run", "read_content"))
    assert client.get(case.page).status_code == 403
    assert client.get("/admin/conversations/conversation/").status_code == 403
    assert client.get(case.run_page).status_code == 200


def test_who_is_no_staff_is_sent_to_the_login(case: Case, alice: User) -> None:
    for client in (browser(), browser(alice)):
        for place in PLACES:
            path = place.format(conversation=case.conversation, ended=case.ended, running=case.running)
            answer = client.get(path)
            assert (answer.status_code, answer.headers["Location"][:13]) == (302, "/admin/login/")


def test_a_long_log_is_read_page_by_page(root: Client, alice: User, conversation: UUID) -> None:
    sends = [messages.send(user=alice, conversation=conversation, text=f"word{n:03}", cmid=str(n)) for n in range(250)]
    for send in sends:
        send.result()
    path = f"/admin/conversations/conversation/{conversation}/change/"

    newest = page_of(root, path)
    assert ("Events 53 to 252 of 252" in newest, "?before=53" in newest, "Newer" in newest) == (True, True, False)
    assert ("word249" in newest, "word050" in newest, "word049" in newest) == (True, True, False)
    older = page_of(root, path + "?before=53")
    assert ("Events 1 to 52 of 252" in older, "?before=253" in older, "Older" in older) == (True, True, False)
    assert ("word049" in older, "word050" in older) == (True, False)


@pytest.mark.parametrize("before", ["0", "1", "-5", "x", "٣", "9" * 40, ""])
def test_a_strange_place_in_the_log_is_no_error(root: Client, case: Case, before: str) -> None:
    assert root.get(case.page, {"before": before}).status_code == 200


def test_script_in_a_message_stays_text(root: Client, alice: User, conversation: UUID) -> None:
    attack = "<script>alert('Oregano')</script>"
    messages.send(user=alice, conversation=conversation, text=attack, cmid="attack").result()
    page = page_of(root, f"/admin/conversations/conversation/{conversation}/change/")
    assert "Oregano" in page
    assert "<script>alert" not in page


def test_a_damaged_event_is_shown_as_such_and_the_others_in_clear(root: Client, alice: User, case: Case) -> None:
    rows = Event.objects.filter(conversation=case.conversation, type="message:new").order_by("seq")
    first, second = rows[0], rows[1]
    rows.filter(seq=first.seq).update(data={**first.data, "text": second.data["text"]})
    page = page_of(root, case.page)
    assert "(cannot be decrypted)" in page
    assert ANSWER in page


def test_a_conversation_without_its_key_has_a_page(root: Client, alice: User) -> None:
    erased = Conversation.objects.create(owner=alice, title={"$sealed": "x.y"})
    page = page_of(root, f"/admin/conversations/conversation/{erased.id}/change/")
    assert "(cannot be decrypted)" in page


def test_a_conversation_that_is_not_there_leads_back(root: Client) -> None:
    for id_ in ("00000000-0000-0000-0000-000000000000", "nonsense"):
        assert root.get(f"/admin/conversations/conversation/{id_}/change/").status_code == 302
