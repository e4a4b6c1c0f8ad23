"""The files that the demo's mails carry: small, real, and made here, so that the repository holds no binaries."""

from __future__ import annotations

import binascii
import struct
import zlib
from collections.abc import Callable
from math import hypot

Colour = tuple[int, int, int]

PAPER, INK, PINE, LICHEN, AMBER = (250, 249, 245), (40, 52, 51), (31, 77, 69), (168, 186, 140), (214, 146, 52)

STATEMENT = """Päivä;Saaja;Summa
21.11.;K-Market Kallio;-23,40
22.11. klo 12.04;Korpi Oy, tilaus 10417;-189,00
22.11. klo 12.05;Korpi Oy, tilaus 10417;-189,00
23.11.;HSL;-64,70
"""


def make(name: str) -> tuple[str, bytes]:
    """(content type, bytes) of one of the demo's files."""
    return {
        "packing-slip.pdf": lambda: pdf("Korpi Oy", ["Packing slip 10482", "1 x Halla 3L jacket, Lichen, size M"]),
        "return-label.pdf": lambda: pdf("Return R-2291", ["Korpi Oy, Returns", "Varastokuja 3, 01530 Vantaa"]),
        "quote-2291.pdf": lambda: pdf("Quote 2291", ["14 x Suvanto boots, 15 % off", "Payment within 14 days"]),
        "tiliote.csv": lambda: ("text/csv", b"\xef\xbb\xbf" + STATEMENT.encode()),
        "label-on-the-bag.png": lambda: png(320, 200, label),
        "broken-pole.png": lambda: png(480, 240, broken_pole),
        "keitin.png": lambda: png(320, 240, stove),
        "korpi-logo.png": lambda: png(192, 64, logo),
    }[name]()


def pdf(title: str, lines: list[str]) -> tuple[str, bytes]:
    """One page of plain words (ASCII), as small as a PDF can be."""
    shown = "".join(f"0 -22 Td ({_escaped(line)}) Tj " for line in lines)
    page = f"BT /F1 20 Tf 60 760 Td ({_escaped(title)}) Tj /F1 12 Tf {shown}ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return "application/pdf", bytes(out)


def png(width: int, height: int, paint: Callable[[float, float], Colour]) -> tuple[str, bytes]:
    """A picture of which `paint` says every colour; x and y run from 0 to 1."""
    rows = b"".join(
        b"\0" + bytes(part for x in range(width) for part in paint(x / width, y / height)) for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return "image/png", b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", binascii.crc32(kind + body))
        for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    )


def label(x: float, y: float) -> Colour:
    """A bag's label with a big S."""
    if not (0.1 < x < 0.9 and 0.1 < y < 0.9):
        return LICHEN
    bars = any(abs(y - at) < 0.04 for at in (0.26, 0.5, 0.74)) and 0.38 < x < 0.62
    sides = (0.38 < x < 0.43 and 0.26 < y < 0.5) or (0.57 < x < 0.62 and 0.5 < y < 0.74)
    return INK if bars or sides else PAPER


def broken_pole(x: float, y: float) -> Colour:
    """A pole in two pieces on grass."""
    left = x < 0.47 and abs(y - 0.55 + (x - 0.47) * 0.25) < 0.035
    right = x > 0.53 and abs(y - 0.50 - (x - 0.53) * 0.45) < 0.035
    if left or right:
        return AMBER
    return (96, 128, 84) if (int(x * 97) * 7 + int(y * 53) * 13) % 5 else (112, 146, 96)


def stove(x: float, y: float) -> Colour:
    ring = hypot((x - 0.5) * 4 / 3, y - 0.45)
    if 0.22 < ring < 0.30 or ring < 0.06:
        return INK
    return AMBER if y > 0.78 and 0.3 < x < 0.7 else PAPER


def logo(x: float, y: float) -> Colour:
    """A spruce on white."""
    inside = abs(x - 0.16) < (y - 0.1) * 0.16 and 0.1 < y < 0.85
    return PINE if inside or (0.36 < x < 0.94 and 0.46 < y < 0.58) else (255, 255, 255)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
