"""What a secret looks like when it leaks, and text without it.

A library may print a token as it is, in a URL, in an Authorization header, in JSON, or line by line; so every secret is
looked for in each spelling that has a name, by one compiled pattern whose cost hardly grows with their number.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 6
"""Shorter values are left alone: replacing them would destroy more of a log than they are worth."""

_SECRET_KEY = re.compile(
    r"(token|secret|passw(or)?d|pwd|passphrase|passcode|connection[_-]?string|authori[sz]ation|credentials?|cookie|jwt"
    r"|bearer|signature|dsn|(api|private|access|account|shared|signing|secret|encryption|ssh)[_-]?key)s?([_-]?value)?$",
    re.I,
)
_SCHEME = re.compile(r"(?:Bearer|Basic|Token|Digest|OAuth)\s+(\S.*)", re.I)
_PERCENT = re.compile(r"%[0-9A-F]{2}")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_DEEPEST = 50


def redact(text: str, secrets: frozenset[str]) -> str:
    """`text` without the secrets."""
    return _pattern(secrets).sub("[redacted]", text) if secrets else text


def harmless(text: str) -> str:
    """`text` with control characters spelled out; new lines and tabs stay.

    Escape sequences steer a terminal, a carriage return hides what stands before it, and U+0085 or U+2028 are new lines
    to some programs.
    """
    return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def harmless_json(line: str) -> str:
    """JSON in which those characters are escapes that JSON knows; `json.dumps` leaves U+009B and U+2028 as they are."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", line)


def spellings(value: str) -> Iterator[str]:
    """All ways in which a log could show a secret; each at least SHORTEST_SECRET long."""
    for part in dict.fromkeys((value, *_parts(value))):
        if len(part) >= SHORTEST_SECRET:
            yield from (each for each in _encoded(part) if len(each) >= SHORTEST_SECRET)


def secrets_within(value: object, *, is_secret: bool = False, depth: int = 0) -> Iterator[str]:
    """The secrets in settings of any shape: what stands below a key that hints at one, JSON in texts included."""
    if depth > _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, each in value.items():
            hint = is_secret or bool(_SECRET_KEY.search(str(key)))
            yield from secrets_within(each, is_secret=hint, depth=depth + 1)
    elif isinstance(value, str):
        if is_secret:
            yield value
        yield from secrets_within(_json(value), depth=depth + 1)
    elif isinstance(value, Sequence):
        for each in value:
            yield from secrets_within(each, is_secret=is_secret, depth=depth + 1)
    elif is_secret and isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _json(text: str) -> object:
    """What a text such as the key of a service account holds; None for other texts."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _parts(value: str) -> Iterator[str]:
    """The lines of a key, what follows `Bearer`, the password of `Basic`: what could be shown by itself."""
    yield value.strip()
    lines = value.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if not line.strip().startswith("-----"))
    scheme = _SCHEME.fullmatch(value.strip())
    if scheme:
        yield scheme.group(1)
        try:
            user, _, password = base64.b64decode(scheme.group(1), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return
        yield password or user


def _encoded(value: str) -> Iterator[str]:
    yield value
    raw = value.encode(errors="replace")
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted
        yield _PERCENT.sub(lambda code: code.group().lower(), quoted)
    for ascii_only in (True, False):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
        yield json.dumps(escaped, ensure_ascii=ascii_only)[1:-1]
    yield repr(value)[1:-1]
    yield html.escape(value)
    yield raw.hex()
    yield raw.hex().upper()
    yield from _in_base64(raw)


def _in_base64(raw: bytes) -> Iterator[str]:
    """How the bytes look in the base64 of any text that holds them, `Basic` with any user among them.

    Three bytes are four characters, so there are three ways to begin; characters that share bits with what stands
    before or behind are left out.
    """
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        first, last = -(-8 * before // 6), 8 * (before + len(raw)) // 6
        inner = encoded[first:last].decode()
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))


@lru_cache(maxsize=8)
def _pattern(secrets: frozenset[str]) -> re.Pattern[str]:
    """The longest first, so that a secret which contains another disappears as a whole."""
    return re.compile(_branches(sorted(secrets)))


def _branches(words: Sequence[str]) -> str:
    """A pattern for any of the sorted words in which those that begin alike are one branch."""
    found = []
    for _, alike in groupby(words, key=lambda word: word[0]):
        group = list(alike)
        prefix = os.path.commonprefix(group)  # noqa: RUF071 - of texts, which is what it compares
        rest = [word[len(prefix) :] for word in group if len(word) > len(prefix)]
        optional = "?" if len(rest) < len(group) else ""
        found.append(re.escape(prefix) + (f"(?:{_branches(rest)}){optional}" if rest else ""))
    return "|".join(found)
