"""Small files of the kinds that can be attached to an inquiry, each whole by its structure."""

PNG = (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0CRC."
       b"\0\0\0\1IDATxCRC.\0\0\0\0IENDCRC.")
JPEG = (b"\xff\xd8\xff\xe0\0\4ab\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11\0"
        b"\xff\xda\0\4abpicture\xff\xd9")
PDF = b"%PDF-1.7\n1 0 obj\nendobj\nstartxref\n9\n%%EOF\n"
OF_TYPE = {"image/png": PNG, "image/jpeg": JPEG, "application/pdf": PDF}


def png_of(size):
    """A PNG file of that many bytes."""
    room = size - len(PNG) + 1
    at = PNG.index(b"IDAT") - 4
    return PNG[:at] + room.to_bytes(4, "big") + b"IDAT" + room * b"x" + PNG[at + 9:]
