"""Contents of files, as small as they can be."""

import zlib

PNG = b"\x89PNG\r\n\x1a\n" + b"".join(
    len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    for kind, data in (
        (b"IHDR", (8).to_bytes(4, "big") + (8).to_bytes(4, "big") + b"\x08\x02\0\0\0"),
        (b"IDAT", zlib.compress(b"".join(b"\0" + b"\x2f\x6f\x63" * 8 for _ in range(8)))),
        (b"IEND", b""),
    )
)
GIF_THAT_IS_A_SCRIPT = b"GIF89a=1;alert(document.domain)//"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9"
WEBP = b"RIFF\x1a\0\0\0WEBPVP8 " + b"\0" * 20
PE = b"MZ" + b"\0" * 58 + (64).to_bytes(4, "little") + b"PE\0\0" + b"\0" * 40
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 60
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
PDF_THAT_IS_A_PAGE = b"%PDF-1.7\n<html><script>alert(1)</script>\n"
