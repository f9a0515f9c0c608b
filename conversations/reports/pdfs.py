"""Markdown as PDF. The glyphs come from one font, which the file carries along (REPORT_FONT)."""

import logging
from functools import cache
from pathlib import Path

from django.conf import settings
from fpdf import FPDF
from fpdf.enums import TextMode, XPos, YPos
from pylopdf_fonts_zh_cn import __file__ as fonts

from conversations.reports.blocks import Block, Span, blocks

# They tell of each glyph and table of a font.
for name in ("fpdf", "fontTools"):
    logging.getLogger(name).setLevel(logging.ERROR)

FONT = "report"
SIZE = 10.5
SIZES = (20, 16, 13.5, 12, 11, 10.5)
LINE = 1.45
INDENT = 6.0
MM_PER_POINT = 25.4 / 72


@cache
def font_file() -> Path:
    """The font of REPORT_FONT; where none is named, Noto Sans SC: Latin, Cyrillic, Chinese and Japanese."""
    return Path(settings.REPORT_FONT) if settings.REPORT_FONT else Path(fonts).with_name("NotoSansSC-Regular.otf")


def written(text: str, title: str) -> bytes:
    """A PDF file of Markdown."""
    page = _Page(title)
    for block in blocks(text):
        page.put(block)
    return bytes(page.output())


class _Page(FPDF):
    def __init__(self, title: str) -> None:
        super().__init__(format="A4")
        self.add_font(FONT, fname=font_file())
        self.set_title(title)
        self.set_margins(20, 18)
        self.set_auto_page_break(True, 18)
        self.add_page()
        self._style()

    def footer(self) -> None:
        self.set_y(-13)
        self._style(size=8)
        self.cell(0, 5, str(self.page_no()), align="C")

    def put(self, block: Block) -> None:
        """Write one block below what is there."""
        getattr(self, f"_{block.kind}")(block)

    def _style(self, size: float = SIZE, *, bold: bool = False) -> None:
        """Bold is the same font with an outline: one file of glyphs is enough."""
        self.set_font(FONT, size=size)
        # fpdf2 says how text is painted where that is special, and never again.
        self._out("0 Tr")
        self.text_mode = TextMode.FILL_STROKE if bold else TextMode.FILL
        self.set_line_width(size * 0.012 if bold else 0.2)

    def _heading(self, block: Block) -> None:
        size = SIZES[block.level - 1]
        self.ln(size * 0.22)
        self._lines([Span(span.text, bold=True) for span in block.spans], size)
        self.ln(1)

    def _text(self, block: Block) -> None:
        self._indented(block)
        self.ln(2)

    def _item(self, block: Block) -> None:
        self._indented(block)
        self.ln(0.8)

    def _indented(self, block: Block) -> None:
        left = self.l_margin
        self.set_left_margin(left + INDENT * (block.level + block.quoted))
        if block.marker:
            self.set_x(self.l_margin - INDENT)
            self._style()
            self.cell(INDENT, SIZE * LINE * MM_PER_POINT, block.marker)
        self.set_x(self.l_margin)
        self._lines(block.spans)
        self.set_left_margin(left)
        self.set_x(left)

    def _lines(self, spans: list[Span], size: float = SIZE) -> None:
        for span in spans:
            self._style(size, bold=span.bold)
            self.write(size * LINE * MM_PER_POINT, span.text)
        self._style()
        self.ln(size * LINE * MM_PER_POINT)

    def _code(self, block: Block) -> None:
        self._style(SIZE - 1.5)
        self.set_fill_color(244, 244, 246)
        height = (SIZE - 1.5) * LINE * MM_PER_POINT
        self.multi_cell(0, height, block.text, fill=True, align="L", padding=2, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_fill_color(255, 255, 255)
        self.ln(2)
        self._style()

    def _rule(self, block: Block) -> None:
        self.ln(2)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())
        self.ln(3)

    def _table(self, block: Block) -> None:
        self._style(SIZE - 1)
        with self.table(first_row_as_headings=False, line_height=(SIZE - 1) * LINE * MM_PER_POINT, padding=1) as table:
            for cells in block.rows:
                row = table.row()
                for spans in cells:
                    row.cell("".join(span.text for span in spans))
        self.ln(2)
        self._style()
