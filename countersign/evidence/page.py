"""report.pdf: what is claimed, by whom, since when, how it was checked, what to compare. Same case, same bytes.

The fonts are the Bitstream Vera that reportlab brings; a character they lack is written as its code, never as a box.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from countersign.canonical import checksum, to_hex
from countersign.errors import MissingExtra
from countersign.evidence.case import Case
from countersign.evidence.instructions import LIMITS, command, compare
from countersign.names import escaped, one_line, shorten
from countersign.records import ORIGINS, ZERO
from countersign.times import utc

__all__ = ["draw"]

_SOFT = "#57606a"
_COLOURS = {"verified": "#1a7f37", "not verified": "#b3261e", "could not check": "#8a5a00"}
_STATES = {"pass": ("passed", "#1a7f37"), "fail": ("FAILED", "#b3261e"), "unknown": ("open", "#8a5a00"),
           "warn": ("warning", "#8a5a00"), "note": ("note", _SOFT)}  # fmt: skip
_CODES = "Characters that this page has no shape for are written as codes; report.json has them as they are."
_BANNERS = {
    "verified": "VERIFIED",
    "not verified": "NOT VERIFIED: this is evidence of a check that failed",
    "could not check": "COULD NOT BE CHECKED: this proves nothing yet",
}
_MARGIN, _PADDING, _QR = 42, 6, 96
"""Points; reportlab pads its frames."""
_LABEL, _STEP = 92, (22, 78, 56)


def draw(case: Case) -> bytes:
    """The PDF. Raises MissingExtra without reportlab or segno."""
    try:
        import segno  # noqa: F401
        from reportlab.platypus import SimpleDocTemplate  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra("media", "The report as PDF") from error
    sheet = _Sheet()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=(595.28, 841.89), leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=40, bottomMargin=46,
        title="Evidence of a seal", author="Countersign", subject=case.uri, invariant=1, lang="en",
    )  # fmt: skip
    document.build(
        _story(case, sheet, document.width - 2 * _PADDING), onFirstPage=_foot(case), onLaterPages=_foot(case)
    )
    return buffer.getvalue()


class _Sheet:
    """Paragraphs in the report's fonts; every text from outside passes :meth:`safe`."""

    def __init__(self) -> None:
        from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
        from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
        from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]

        faces = {name: TTFont(name, f"{name}.ttf") for name in ("Vera", "VeraBd")}
        for face in faces.values():
            pdfmetrics.registerFont(face)
        self._covered = faces["Vera"].face.charToGlyph.keys() & faces["VeraBd"].face.charToGlyph.keys()
        self._style: Callable[..., Any] = ParagraphStyle

    def safe(self, text: str) -> str:
        """Text as markup of one line, with what the font lacks written as its code."""
        return escape("".join(c if ord(c) in self._covered else escaped(c) for c in one_line(text)))

    def lacks(self, text: str) -> bool:
        """Whether some of its characters are written as codes."""
        return self.safe(text) != escape(text)

    def text(self, markup: str, size: float = 8.5, *, bold: bool = False, colour: str = "#1b1f24", space: float = 0,
             back: str | None = None) -> Any:  # fmt: skip
        """A paragraph of ``markup``."""
        from reportlab.platypus import Paragraph

        face = "VeraBd" if bold else "Vera"
        style = self._style(
            face, fontName=face, fontSize=size, leading=size * 1.35, textColor=colour, spaceBefore=space,
            splitLongWords=1, backColor=back, borderPadding=7 if back else 0,
        )  # fmt: skip
        return Paragraph(markup, style)

    def heading(self, words: str) -> Any:
        return self.text(words, 10.5, bold=True, space=9)


def _story(case: Case, sheet: _Sheet, width: float) -> list[Any]:
    """First page: what a reader must know; second page: the steps."""
    from reportlab.platypus import PageBreak, Spacer

    outcome = case.report.outcome
    said = "What is claimed" if outcome == "verified" else "What the certificate says"
    return [
        _title(case, sheet, width),
        Spacer(1, 8),
        sheet.text(_BANNERS[outcome], 12, bold=True, colour="#ffffff", back=_COLOURS[outcome]),
        sheet.text(sheet.safe(case.report.summary), space=11),
        sheet.heading(said),
        _grid([[sheet.text(a, colour=_SOFT), sheet.text(b)] for a, b in _claims(case, sheet)], width, (_LABEL,)),
        sheet.heading("The one thing to compare"),
        *_comparison(case, sheet),
        sheet.heading("What this does not prove"),
        *(sheet.text(f"• {sheet.safe(limit)}", 8) for limit in LIMITS),
        sheet.heading("Check it yourself, offline"),
        sheet.text("README.txt says how, with two verifiers that share no code. In the unpacked folder:", 8),
        sheet.text(sheet.safe(command(case)), 7.5, space=2),
        PageBreak(),
        sheet.heading("What was checked"),
        _grid([_step(sheet, step) for step in case.report.steps], width, _STEP),
    ]


def _title(case: Case, sheet: _Sheet, width: float) -> Any:
    words = [
        sheet.text("Evidence of a seal", 19, bold=True),
        sheet.text(sheet.safe(shorten(one_line(case.certificate.name), 90)), 10, space=6),
        sheet.text("The code holds content, chain and registry; it leads to no server.", 7.5, colour=_SOFT, space=5),
        *([sheet.text(_CODES, 7.5, colour=_SOFT)] if sheet.lacks(case.certificate.name) else []),
    ]
    return _grid([[words, _qr(case.uri)]], width, (width - _QR - 6,), ruled=False)


def _claims(case: Case, sheet: _Sheet) -> list[tuple[str, str]]:
    c, seal = case.certificate, case.seal
    size = f" ({case.file.size:,} bytes)" if case.file else " (the file was not at hand)"
    sealed = f"{utc(seal.time)}, in block {seal.block} of chain {c.contracts.chain_id}" if seal else "not shown"
    rows = [
        ("File", c.name.strip() or "without a name"),
        ("SHA-256", c.work.content.hex() + size),
        ("Sealed", sealed),
        ("Creator", f"{checksum(c.creator)} (a key, not a person)"),
        ("Sealed by", checksum(c.sealer) if c.sealer else "nobody yet"),
        ("Claim", _claimed(case)),
        ("Origin", ORIGINS.get(c.work.origin, c.work.origin) + ", says the creator" * bool(c.work.origin)),
        ("AI model", to_hex(c.work.model) if c.work.model != ZERO else "none named"),
        ("Derives from", _parents(case)),
        ("C2PA", _credentials(case)),
        ("Registry", checksum(c.contracts.registry)),
    ]
    return [(label, sheet.safe(value)) for label, value in rows]


def _claimed(case: Case) -> str:
    claim, block = case.claim, case.block
    if block is None:
        return "not shown"
    if claim is None:
        return f"nobody claimed it as of block {block.number}"
    gone = ", RETRACTED" if claim.retracted else ""
    return f"by {checksum(claim.creator)}, sealed {utc(claim.sealed_at)}{gone}, as of block {block.number}"


def _credentials(case: Case) -> str:
    m = case.manifest
    if m is None:
        return "no Content Credentials"
    return f"Content Credentials: {m.state}" + f", signed by {m.signer or 'nobody named'}" * m.intact


def _parents(case: Case) -> str:
    c = case.certificate
    if c.work.parents == ZERO:
        return "nothing, says the creator"
    if not c.parents:
        return f"works that are not told here (root {to_hex(c.work.parents)})"
    more = f" and {len(c.parents) - 3} more (see the certificate)" if len(c.parents) > 3 else ""
    return ", ".join(map(to_hex, c.parents[:3])) + more


def _comparison(case: Case, sheet: _Sheet) -> list[Any]:
    block, chain = case.block, case.certificate.contracts.chain_id
    if block is None:
        return [sheet.text("The certificate holds no proof: there is no block to compare, and nothing is proven yet.")]
    why = "" if case.local else " If it does, the steps follow by recomputing hashes: no server has to be believed."
    return [
        sheet.text(f"Block {block.number} of chain {chain}, {utc(block.time)}, must have this hash:"),
        sheet.text(to_hex(block.hash), 9, bold=True, space=2),
        sheet.text(sheet.safe(compare(case)) + why, space=2, colour="#b3261e" if case.local else "#1b1f24"),
    ]


def _step(sheet: _Sheet, step: Any) -> list[Any]:
    word, colour = _STATES[step.state]
    return [
        sheet.text(f"{step.number}.", 8),
        sheet.text(sheet.safe(step.name), 8),
        sheet.text(word, 8, bold=step.state == "fail", colour=colour),
        sheet.text(sheet.safe(step.detail), 8),
    ]


def _grid(rows: list[list[Any]], width: float, columns: tuple[float, ...], ruled: bool = True) -> Any:
    """A table; the last column takes what the others leave."""
    from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
    from reportlab.platypus import Table, TableStyle

    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 6),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6), ("BOTTOMPADDING", (0, 0), (-1, -1), 2.2),
    ]  # fmt: skip
    if ruled:
        style.append(("LINEBELOW", (0, 0), (-1, -2), 0.4, HexColor("#d0d7de")))
    return Table(rows, hAlign="LEFT", colWidths=[*columns, width - sum(columns)], style=TableStyle(style))


def _qr(text: str) -> Any:
    """A QR code (ISO/IEC 18004, correction level M) with its quiet zone, as squares."""
    import segno
    from reportlab.graphics.shapes import Drawing, Rect  # type: ignore[import-untyped]
    from reportlab.lib.colors import black, white

    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=4)]
    step = _QR / len(rows)
    drawing = Drawing(_QR, _QR)
    drawing.add(Rect(0, 0, _QR, _QR, fillColor=white, strokeColor=None))
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                square = Rect(x * step, _QR - (y + 1) * step, step, step, fillColor=black, strokeColor=None)
                drawing.add(square)
    return drawing


def _foot(case: Case) -> Callable[[Any, Any], None]:
    def foot(canvas: Any, document: Any) -> None:
        canvas.setFont("Vera", 7)
        canvas.setFillColor(_SOFT)
        outcome = case.report.outcome
        canvas.drawString(
            _MARGIN + _PADDING, 28, f"{outcome} · content {case.certificate.work.content.hex()} · page {document.page}"
        )

    return foot
