"""DOCX: Markdown written as one, and templates that are one."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

import docx
from docx.document import Document
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.text.paragraph import Paragraph

from chatproject.lib.errors import Problem
from conversations.batches.workbooks import check_archive
from conversations.reports.blocks import Block, Span, blocks
from conversations.reports.placeholders import PLACEHOLDER, filled, key

Styles = dict[str, str]
DOCUMENT = "word/document.xml"
INDENT = Cm(0.6)
# What XML cannot hold.
CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF))


def written(text: str, title: str) -> bytes:
    """A DOCX file of Markdown."""
    document = docx.Document()
    document.core_properties.title = _clean(title)[:255]
    styles = _styles(document)
    for block in blocks(text):
        _put(document, styles, block)
    return _saved(document)


def text_of(content: bytes) -> str:
    """The text of a template, a paragraph per line. Raises Problem `unsupported`, `too_large`."""
    return "\n".join(paragraph.text for paragraph in _opened(content)[1])


def filled_in(content: bytes, values: Mapping[str, str]) -> bytes:
    """A template with values. A placeholder that has a paragraph to itself becomes what its Markdown says; within a
    line it becomes text in the style of the paragraph's beginning."""
    document, paragraphs = _opened(content)
    body, styles = document.element.body, _styles(document)
    for paragraph in paragraphs:
        alone = PLACEHOLDER.fullmatch(paragraph.text.strip())
        if alone and paragraph._p.getparent() is body:
            _replace(document, styles, paragraph, values.get(key(alone), ""))
        elif PLACEHOLDER.search(paragraph.text):
            _fill(paragraph, values)
    return _saved(document)


def _opened(content: bytes) -> tuple[Document, list[Paragraph]]:
    """A template, and where its text stands. Raises Problem `unsupported`, `too_large`."""
    check_archive(content, DOCUMENT, "This is not a DOCX file.")
    try:
        document = docx.Document(io.BytesIO(content))
        return document, list(_paragraphs(document))
    # A damaged file makes python-docx and lxml raise nearly anything.
    except Exception as error:
        raise Problem("unsupported", "This DOCX file cannot be read; save it once more.") from error


def _paragraphs(document: Document) -> Iterator[Paragraph]:
    """Those of the body, of headers and of footers, in tables, too. By their elements: python-docx lays a table out
    first, a cell as often as it says that it is wide."""
    edges = [edge for section in document.sections for edge in (section.header, section.footer)]
    places: list[Any] = [document._body, *(edge for edge in edges if not edge.is_linked_to_previous)]
    for place in places:
        yield from (Paragraph(element, place) for element in place._element.iter(qn("w:p")))


def _fill(paragraph: Paragraph, values: Mapping[str, str]) -> None:
    """Word cuts a line into runs as it likes: all of the text goes into the first."""
    text = _clean(filled(paragraph.text, values))
    first, *others = paragraph.runs or [paragraph.add_run()]
    for run in others:
        run._element.getparent().remove(run._element)
    first.text = text


def _replace(document: Document, styles: Styles, paragraph: Paragraph, text: str) -> None:
    """Blocks are added at the end, then moved to where the placeholder was."""
    for block in blocks(text):
        element = _put(document, styles, block)
        paragraph._p.addprevious(element)
    paragraph._p.getparent().remove(paragraph._p)


def _put(document: Document, styles: Styles, block: Block) -> Any:
    """Add a block at the end, in a style of the document where it has it; its element."""
    if block.kind == "table":
        return _put_table(document, styles, block)
    paragraph = document.add_paragraph()
    if block.kind == "heading":
        paragraph._p.style = styles.get(f"Heading {block.level}")
    elif block.kind == "item":
        if block.marker == "•":
            paragraph._p.style = styles.get("List Bullet")
        else:
            paragraph.add_run(f"{block.marker} ")
        paragraph.paragraph_format.left_indent = INDENT * (block.level + block.quoted)
    elif block.level or block.quoted:
        paragraph.paragraph_format.left_indent = INDENT * (block.level + block.quoted)
    for span in block.spans:
        _add(paragraph, span)
    return paragraph._p


def _put_table(document: Document, styles: Styles, block: Block) -> Any:
    width = max(map(len, block.rows))
    table = document.add_table(rows=0, cols=width)
    table._tbl.tblStyle_val = styles.get("Table Grid")
    for spans_of_cells in block.rows:
        cells = table.add_row().cells
        for cell, spans in zip(cells, spans_of_cells, strict=False):
            for span in spans:
                _add(cell.paragraphs[0], span)
    return table._tbl


def _styles(document: Document) -> Styles:
    """The ids of a document's styles by name, looked up once: python-docx reads all of them for every paragraph."""
    return {style.name: style.style_id for style in document.styles if style.name}


def _add(paragraph: Paragraph, span: Span) -> None:
    run = paragraph.add_run(_clean(span.text))
    run.bold, run.italic = span.bold or None, span.italic or None
    if span.code:
        run.font.name, run.font.size = "Consolas", Pt(9)


def _clean(text: str) -> str:
    return text.translate(CONTROLS)


def _saved(document: Document) -> bytes:
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()
