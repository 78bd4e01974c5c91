"""Text out of octets: the charset that a part declares, and what to think where it is wrong or missing.

Knows which charsets mail systems write and how to tell them apart. Does not know what the text says.
Addresses and codes are ASCII in all of them, so that a wrong guess costs a phrase, never a recipient.
"""

import re

from .mime import Part

__all__ = ["decode_text", "decode_words"]

MAX_GUESS = 4096  #: octets that a guess looks at
MAX_ENCODED = 2000  #: characters of a header value with encoded words

#: Declared names, in lower case, that Python spells otherwise or that mean more than they say.
_CODECS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "x-gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "cp932": "cp932",
    "euc-jp": "euc_jp",
    "x-euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "utf-7": "utf_7",
    "utf-16": "utf_16",
    "utf-8": "utf_8",
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"cp{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"iso-8859-{part}": f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    "iso-8859-1": "cp1252",  # as every mail reader does it
}

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_-]+)", re.IGNORECASE)
_ESCAPE = re.compile(rb"\x1b[$(]")  # ISO-2022, whatever is declared
_RUN = re.compile(rb"[\x80-\xff]{3,}")  # western text has one accent between plain letters
_KANA = re.compile(r"[ぁ-んァ-ヶ]")
_CYRILLIC = re.compile(r"[а-я]")
_WORD = re.compile(r"=\?([A-Za-z0-9_-]{1,40})(?:\*[A-Za-z-]*)?\?([BQ])\?([^?\s]*)\?=", re.IGNORECASE)
_BETWEEN = re.compile(r"(?<=\?=)\s+(?==\?)")


def decode_text(raw: bytes, content_type: str = "") -> str:
    """*raw* as text; never raises, whatever *content_type* declares."""
    if _ESCAPE.search(raw):
        return _iso_2022(raw)
    if raw.isascii() and b"+" not in raw:
        return raw.decode("ascii")
    declared = _CHARSET.search(content_type)
    codec = _CODECS.get(declared.group(1).lower(), "") if declared else ""
    if codec not in ("utf_7", "utf_16"):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            codec = codec if codec not in ("", "utf_8", "cp1252") else _guess(raw[:MAX_GUESS])
    # UTF-7 and UTF-16 can spell half a surrogate pair, which nobody could store.
    return raw.decode(codec, "replace").encode("utf-8", "replace").decode("utf-8")


def _iso_2022(raw: bytes) -> str:
    try:
        return raw.decode("iso2022_jp_2", "replace")
    except RuntimeError:  # Python's codec breaks at ESC . J ESC N: a shift to a set that can be no G2
        return raw.decode("ascii", "replace")


def _guess(raw: bytes) -> str:
    """The codec of 8-bit text that declares none, or a western one."""
    if not _RUN.search(raw):
        return "cp1252"
    if max(_cyrillic(raw, codec) for codec in ("koi8_r", "cp1251")) > 0.6:
        return max(("koi8_r", "cp1251"), key=lambda codec: _cyrillic(raw, codec))
    for codec in ("cp932", "euc_jp"):
        if len(_KANA.findall(raw.decode(codec, "ignore"))) * 4 > _high(raw) // 2:
            return codec
    return "gb18030" if _is_gb(raw) else "big5hkscs"


def _high(raw: bytes) -> int:
    return sum(octet > 0x7F for octet in raw) or 1


def _cyrillic(raw: bytes, codec: str) -> float:
    """How much of what is not ASCII would be small letters: capitals are few in any text."""
    return len(_CYRILLIC.findall(raw.decode(codec, "ignore"))) / _high(raw)


def _is_gb(raw: bytes) -> bool:
    """GB 2312 writes both octets of a character with the high bit set, Big5 only the first."""
    return all(len(run) % 2 == 0 for run in re.findall(rb"[\x80-\xff]+", raw[: len(raw) // 2 * 2])[:-1])


def decode_words(value: str) -> str:
    """A header value with its encoded words (RFC 2047) undone; what is illegible stays as it is."""
    if "=?" not in value:
        return value
    return _WORD.sub(_decoded, _BETWEEN.sub("", value[:MAX_ENCODED]))


def _decoded(found: re.Match[str]) -> str:
    charset, encoding, text = found.groups()
    transfer = "base64" if encoding in "Bb" else "quoted-printable"
    body = text.replace("_", " ").encode("utf-8", "replace")
    content = Part((("content-transfer-encoding", transfer),), body).content
    return decode_text(content, f"charset={charset}")
