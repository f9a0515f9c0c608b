"""The documents that a filled template becomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from conversations import markdown
from conversations.models import Report, ReportTemplate
from conversations.reports import pdfs, words
from conversations.reports.placeholders import filled

PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body{{max-width:46rem;margin:2rem auto;padding:0 1rem;font:16px/1.6 system-ui,sans-serif}}
pre{{background:#f4f4f6;padding:.8rem;overflow-x:auto}}
blockquote{{margin:0;padding-left:1rem;border-left:3px solid #ccc}}
table{{border-collapse:collapse}}td,th{{border:1px solid #ccc;padding:.2rem .5rem}}</style></head>
<body>
{body}</body></html>
"""


@dataclass(frozen=True)
class Form:
    """A kind of document: its media type, and what writes Markdown (with a title) as one."""

    media_type: str
    write: Callable[[str, str], bytes]


def _html(text: str, title: str) -> bytes:
    return PAGE.format(title=escape(title), body=markdown.render(text)).encode()


def _markdown(text: str, title: str) -> bytes:
    return text.encode()


FORMS: Mapping[str, Form] = {
    Report.Form.WORD: Form("application/vnd.openxmlformats-officedocument.wordprocessingml.document", words.written),
    Report.Form.PDF: Form("application/pdf", pdfs.written),
    Report.Form.HTML: Form("text/html; charset=utf-8", _html),
    Report.Form.MARKDOWN: Form("text/markdown; charset=utf-8", _markdown),
}


def text_of(kind: str, content: bytes) -> str:
    """Where the placeholders of a template stand. Raises Problem `unsupported`, `too_large`."""
    return words.text_of(content) if kind == ReportTemplate.Kind.WORD else content.decode()


def made(report: Report, source: bytes, values: Mapping[str, str], title: str) -> bytes:
    """The document of a report."""
    if report.kind == ReportTemplate.Kind.WORD:
        return words.filled_in(source, values)
    return FORMS[report.form].write(filled(source.decode(), values), title)
