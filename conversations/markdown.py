"""Markdown from people and models, made safe to show: no raw HTML, no remote images, no script."""

from functools import lru_cache
from html import escape

import nh3
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

from conversations import erasures

TAGS = {
    "a", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "td": {"align"}, "th": {"align"}}
TOKEN_CLASSES = {f"tok-{name}" for name in STANDARD_TYPES.values() if name}
_formatter = HtmlFormatter(nowrap=True, classprefix="tok-")


def _highlight(code: str, language: str, _attributes: str) -> str:
    try:
        lexer = get_lexer_by_name(language) if language else None
    except ClassNotFound:
        lexer = None
    body = highlight(code, lexer, _formatter) if lexer else escape(code)
    return f'<pre class="code"><code>{body}</code></pre>'


_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "highlight": _highlight})
_markdown.enable(["table", "strikethrough"]).disable("image")


@lru_cache(maxsize=2048)
def render(text: str) -> str:
    """HTML of `text`. Links open only to http(s) and mailto and carry rel=noopener noreferrer nofollow."""
    return sanitised(_markdown.render(text))


def sanitised(html: str) -> str:
    """What of some HTML can be shown: tags of Markdown, and nothing that acts."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        allowed_classes={"span": TOKEN_CLASSES, "pre": {"code"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


# What was rendered is kept by text, not by conversation.
erasures.FORGETTERS.append(lambda _: render.cache_clear())
