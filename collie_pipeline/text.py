"""Text from outside, such as titles and ids, made fit to be shown."""

import re

KEPT = "\n\t"  # in text of several lines
BIDI = "\u202a-\u202e\u2066-\u2069"  # turn what follows round, so that it reads as something else
UNSEEN = re.compile(f"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{BIDI}]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def harmless(text: object) -> str:
    """Return `text` with what would command a terminal, and not be seen, replaced.

    Escape sequences colour, clear and retitle a terminal, and some write to it as if typed.
    """
    return UNSEEN.sub(lambda found: found[0] if found[0] in KEPT else REPLACEMENT, str(text))


def one_line(text: object) -> str:
    """Return `text` as `harmless` does, and its lines as one."""
    return harmless(" ".join(str(text).splitlines()).replace("\t", " "))
