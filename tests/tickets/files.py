"""Files as people, and those who mean harm, send them."""

import io
import zipfile

from django.core.files.uploadedfile import SimpleUploadedFile

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><script>alert(1)</script>"


def upload(name, content, declared="application/octet-stream"):
    return SimpleUploadedFile(name, content, content_type=declared)


def bomb():
    """A hundred megabytes of nothing in a small archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("nothing", bytes(100 * 1024 * 1024))
    return file.getvalue()


class Unreadable(bytes):
    """A body that must not be looked at."""

    def __len__(self):
        return 1
