"""What a file is by its first bytes, where its name does not tell."""

from __future__ import annotations

import re

from morphospace.decoding import foreign_kind

__all__ = ["HEAD", "known_kind", "why_no_picture"]

HEAD = 1024
"""The bytes that tell what a file is."""

_PICTURES = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|(?:II[*+]\0|MM\0[*+])|RIFF....WEBP|....ftypavi[fs]"
    rb"|\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51|8BPS\0\x01|qoif|SIMPLE  =|P[1-6]\s+(?:\d|#)"
    rb"|BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0",
    re.DOTALL,
)
_OTHERS = (
    (re.compile(rb"....ftyp(?:hei|hev|mif1|msf1)", re.DOTALL), "a HEIC picture, which cannot be read: save it as JPEG"),
    (re.compile(rb"PK\x03\x04.{26}[^\0]{1,99}\.npy", re.DOTALL), "a file of arrays: name it by itself"),
    (re.compile(rb"PK\x03\x04|\x1f\x8b|BZh|\xfd7zXZ\0"), "an archive: unpack it, or name it by itself"),
    (re.compile(rb"Rar!|7z\xbc\xaf"), "an archive of a kind that is not read: unpack it"),
    (re.compile(rb"\x93NUMPY"), "an array: name it by itself"),
    (re.compile(rb"\0\0[\x08\x09\x0b-\x0e][\x01-\x04]"), "an IDX file: name that of the training images"),
    (re.compile(rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ", re.DOTALL), "a film: save its frames as pictures"),
    (re.compile(rb"<\?xml|<svg|%PDF", re.IGNORECASE), "a drawing or a document, no picture of pixels"),
)


def why_no_picture(head: bytes) -> str:
    r"""Why a file that begins with ``head`` is no picture, in a few words; "" where it is one.

    Example:
        >>> why_no_picture(b"\x89PNG\r\n\x1a\n..."), why_no_picture(b"# Notes")
        ('', 'not a picture by its content')
    """
    if not head:
        return "empty file"
    if _PICTURES.match(head):
        return ""
    return foreign_kind(head) or known_kind(head) or "not a picture by its content"


def known_kind(head: bytes) -> str:
    """What a file that begins with ``head`` is instead of a picture, and what to do; "" where that is unknown."""
    return next((reason for start, reason in _OTHERS if start.match(head)), "")
