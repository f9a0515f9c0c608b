"""Reports on the page, and the page of who has a link."""

import re
from typing import Any

from django.test import Client

from accounts.models import User
from conversations.models import Report, ReportTemplate, Share
from conversations.reports import making
from tests.api import streamed
from tests.conversations.reports.working import begin, made, talk
from tests.conversations.views.test_exports import logged_in, named


def test_from_the_form_to_the_link(alice: User) -> None:
    page = logged_in(alice)
    place = talk(alice, "Tea <b>", "Green?")
    assert f'value="{place}" selected' in page.get(f"/reports/?conversation={place}").content.decode()
    sent = {"template": "transcript", "format": "md", "conversations": [str(place)], "assistant": "guide", "once": "1"}
    assert len({page.post("/reports/", sent).headers["Location"] for _ in range(2)}) == 1
    report = Report.objects.get(user=alice)
    assert "data-active" in page.get("/reports/list/").content.decode()
    assert "data-active" in page.get(f"/reports/{report.id}/progress/").content.decode()
    making.work(str(report.id))
    shown = page.get(f"/reports/{report.id}/").content.decode()
    assert "Tea &lt;b&gt;" in shown
    assert f"/api/v1/reports/{report.id}/download/" in shown

    linked = page.post(f"/reports/{report.id}/share/", {"expires_in": "3600", "password": "sesame", "max_views": ""})
    link = re.search(r'value="(http://testserver/s/[^"]+)"', linked.content.decode())
    assert link
    assert link[1] not in page.get(f"/reports/{report.id}/").content.decode()
    share = Share.objects.get(report=report)
    stranger = Client()
    address = link[1].removeprefix("http://testserver")
    assert stranger.get(address).status_code == 401
    stranger.post(address, {"password": "sesame"})
    seen = stranger.get(address).content.decode()
    assert "Tea &lt;b&gt;" in seen
    file = re.search(r'href="(/api/v1/shared/[^"]+)"', seen)
    assert file
    answer: Any = stranger.get(file[1].replace("&amp;", "&"))
    assert b"Green?" in streamed(answer.streaming_content)
    share.refresh_from_db()
    assert share.views == 1
    page.post(f"/reports/{report.id}/share/{share.id}/revoke/")
    assert stranger.get(address).status_code == 404
    page.post(f"/reports/{report.id}/remove/")
    assert not Report.objects.filter(user=alice).exists()


def test_what_is_wrong_is_said_and_nothing_lost(alice: User) -> None:
    page = logged_in(alice)
    answer = page.post("/reports/", {"template": "transcript", "format": "md", "title": "Kept"})
    assert answer.status_code == 400
    assert "Name the conversations" in answer.content.decode()
    assert 'value="Kept"' in answer.content.decode()
    assert page.post("/reports/", {"template": "transcript", "format": "exe"}).status_code == 400
    assert page.post("/reports/", {"template": "x", "format": "md", "conversations": ["nonsense"]}).status_code == 400


def test_templates(alice: User) -> None:
    page = logged_in(alice)
    page.post("/reports/templates/", {"key": "own", "name": "Own one", "file": named(b"# {{ title }}", "x.md")})
    assert "Own one" in page.get("/reports/").content.decode()
    bad = page.post("/reports/templates/", {"key": "bad", "file": named(b"{{ x }}", "x.md")})
    assert (bad.status_code, "Line 1:" in bad.content.decode()) == (400, True)
    assert page.post("/reports/templates/", {"key": "bad"}).status_code == 400
    page.post("/reports/templates/own/remove/")
    assert not ReportTemplate.objects.filter(user=alice).exists()


def test_nobody_else_comes_in(alice: User, mallory: User) -> None:
    report = begin(alice, "transcript", talk(alice))
    made(report)
    page = logged_in(mallory)
    for below in ("", "progress/", "share/"):
        assert page.get(f"/reports/{report.id}/{below}").status_code == 404
    for below in ("share/", "remove/"):
        assert page.post(f"/reports/{report.id}/{below}", {}).status_code == 404
    assert str(report.id) not in page.get("/reports/").content.decode()
