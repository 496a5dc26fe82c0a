"""Pictures as PNG and PDF, made from the SVG by vl-convert, which brings its fonts along: no machine loses the text."""

from __future__ import annotations

import math
import numbers
import struct
import zlib
from typing import Any

from viz._sheet import Sheet

__all__ = ["write_pdf", "write_png"]

SCALE = 2.0  # pixels of a PNG for a pixel of the picture: sharp on a screen of today, and on a slide
MOST_PIXELS = 64_000_000  # 256 MB while it is drawn
_POINTS = 0.75  # of a PDF, to a pixel: a browser prints at this size too


def write_png(sheet: Sheet, theme: str, scale: float | None = None) -> bytes:
    """The page as PNG, `scale` pixels for each of its own: 2, or as many as keep a huge page under 64 megapixels.

    Raises ValueError for a scale that is not positive or asks for more than that, ImportError without vl-convert.
    """
    largest = math.sqrt(MOST_PIXELS / (sheet.width * sheet.height))
    if scale is None:
        scale = min(SCALE, largest)
    elif isinstance(scale, bool) or not isinstance(scale, numbers.Real) or not 0 < scale <= largest:
        raise ValueError(
            f"scale must lie between 0 and {math.floor(largest * 100) / 100:g}, where this picture of "
            f"{sheet.width}×{sheet.height} has {MOST_PIXELS // 1_000_000} megapixels, and not be {scale!r:.60}. "
            "A .pdf is sharp at any size."
        )
    return _packed(_converter("png").svg_to_png(sheet.svg(theme), scale=float(scale)))


def write_pdf(sheet: Sheet, theme: str) -> bytes:
    """The page as PDF of one page of its own size, its text as text. Raises ImportError without vl-convert."""
    pixels = f' width="{sheet.width}" height="{sheet.height}" viewBox='
    points = f' width="{sheet.width * _POINTS:g}" height="{sheet.height * _POINTS:g}" viewBox='
    found: bytes = _converter("pdf").svg_to_pdf(sheet.svg(theme).replace(pixels, points, 1))
    return found


def _packed(png: bytes) -> bytes:
    """The same PNG compressed as usual: vl-convert is quick about it, and its files are twice the size."""
    unpack, pack = zlib.decompressobj(), zlib.compressobj()
    parts, pixels, at = [png[:8]], b"", 8
    while at < len(png):
        (size,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        if kind == b"IDAT":
            data = memoryview(png)[at + 8 : at + 8 + size]
            pixels += b"".join(pack.compress(unpack.decompress(data[i : i + 65536])) for i in range(0, size, 65536))
        else:
            if kind == b"IEND":
                body = b"IDAT" + pixels + pack.flush()
                parts.append(struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)))
            parts.append(png[at : at + 12 + size])
        at += 12 + size
    return b"".join(parts)


def _converter(ending: str) -> Any:
    try:
        import vl_convert
    except ImportError as error:
        raise ImportError(
            f"a picture is saved as .{ending} by the package vl-convert-python, which is not installed: run "
            "`pip install 'micrograd-nn[png]'`; or save it as .svg, which needs nothing."
        ) from error
    return vl_convert
