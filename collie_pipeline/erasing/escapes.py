"""How files of all kinds write a text: as it stands, or with some characters escaped."""

import re
from collections.abc import Iterator
from html.entities import html5

QUOTES = "\"'"
LAST_OF_ONE_UNIT = 0xFFFF  # JSON writes later characters as two
# An escaped character, or a colour of a terminal, ends in letters and digits that are no text.
AFTER_ESCAPE = r"(?<=\\[bfnrt])|(?<=\\u[0-9A-Fa-f]{4})|(?<=%[0-9A-Fa-f]{2})|(?<=\dm)"


def written(text: str) -> str:
    """Return a pattern of `text` as CSV, HTML, JSON, Markdown, Python and URLs may write it.

    Also of what was escaped twice, as JSON in a text of JSON. All of them write letters and digits
    of ASCII as they are.
    """
    return "".join(map(_written, text))


def _written(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    return rf"\\*(?:{'|'.join(_forms(character))})"


def _forms(character: str) -> Iterator[str]:
    """Yield a pattern of each way to write `character`, no plain letter, but for backslashes."""
    code, itself = ord(character), re.escape(character)
    yield f"{itself}{itself}?" if character in QUOTES else itself
    yield f"(?i:&(?:amp;)*#(?:0*{code}|x0*{code:x});)"
    if names := {name.rstrip(";") for name, meaning in html5.items() if meaning == character}:
        yield f"&(?:amp;)*(?:{'|'.join(sorted(names))});"
    yield rf"(?i:\\[xu]0*{code:x})"
    if code > LAST_OF_ONE_UNIT:
        pair = character.encode("utf-16-be")
        yield rf"(?i:\\u{pair[:2].hex()}\\+u{pair[2:].hex()})"
    yield "(?i:" + "".join(f"%(?:25)*{byte:02x}" for byte in character.encode()) + ")"
