"""The table of all kinds of bad input as docs/bad-input.md: `python document.py` writes it."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # as pytest has it

from file_kinds import FILES  # noqa: E402
from graph_kinds import ALONE, DATABASES, PUBLISHED, STOPPED  # noqa: E402
from id_kinds import IDS  # noqa: E402
from row_kinds import ROWS  # noqa: E402
from setting_kinds import SETTINGS  # noqa: E402
from value_kinds import RATINGS, TIMES  # noqa: E402

from collie_pipeline.preparation import REASONS  # noqa: E402

DATA = (*STOPPED, *DATABASES, *PUBLISHED, *ALONE)
KINDS = (*IDS, *RATINGS, *TIMES, *ROWS, *FILES, *DATA, *SETTINGS)
PATH = HERE.parents[2] / "docs" / "bad-input.md"
TOP = """# Bad input

What becomes of {count} kinds of bad input. Each is written to real files, read by the real source,
and cleaned or run by the real graph in `tests/pipeline/badinput`, from which this page is made
(`python tests/pipeline/badinput/document.py`).

- **kept**: the row is as good as any. Ids are text: a number and its text are one id, blanks around
  it go, and nothing else about it changes.
- **quarantine**: the row is in `prepared/quarantine` as read, with its number and the reason.
  The other rows of the file are kept. More than `prepare.max_quarantined_share` stop the week.
- **error**, **not published**: nothing of it is published, and what was published before serves on.

"""


def text() -> str:
    """Return the whole page."""
    kinds = ["| kind | what becomes of it |", "| --- | --- |"]
    kinds += [f"| {_cell(each.name)} | {_cell(each.outcome)} |" for each in KINDS]
    reasons = ["", "## Reasons", "", "| reason | when |", "| --- | --- |"]
    reasons += [f"| {name} | {_cell(sentence)} |" for name, sentence in REASONS.items()]
    return TOP.format(count=len(KINDS)) + "\n".join([*kinds, *reasons, ""])


def _cell(content: str) -> str:
    for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("*", "\\*")):
        content = content.replace(sign, escaped)
    return content


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
