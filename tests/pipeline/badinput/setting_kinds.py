"""Kinds of bad settings."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """A `collie.toml` that is refused, and texts in the error, in order."""

    name: str
    toml: str
    error: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """What becomes of it, for the table in the documentation."""
        return f"error: {' … '.join(self.error)}"


SETTINGS = (
    Setting(
        "settings: an unknown key",
        "windw_weeks = 3",
        ("unknown setting windw_weeks", "did you mean window_weeks?"),
    ),
    Setting(
        "settings: an unknown key of a section",
        "[prepare]\nrange = [1, 5]",
        ("unknown setting prepare.range", "did you mean prepare.rating_range?"),
    ),
    Setting(
        "settings: an unknown source", "source = 'csv'", ("unknown source 'csv'", "use one of")
    ),
    Setting(
        "settings: text for a number",
        "window_weeks = 'twelve'",
        ("window_weeks is 'twelve'", "valid integer", "COLLIE_WINDOW_WEEKS"),
    ),
    Setting(
        "settings: a section that is a number", "prepare = 3", ("prepare is 3", "COLLIE_PREPARE")
    ),
    Setting("settings: not TOML", "window_weeks = \n", ("not valid TOML", "line 1")),
    Setting(
        "settings: a window of zero",
        "window_weeks = 0",
        ("window_weeks is 0", "greater than or equal to 1"),
    ),
    Setting(
        "settings: a start in the future",
        "start = 2126-01-04",
        ("start = 2126-01-04 leaves no week", "the source has 2026-01-05 to 2026-01-05"),
    ),
    Setting(
        "settings: an end before the data",
        "end = 2020-01-01",
        ("end = 2020-01-01 leaves no week", "the source has 2026-01-05"),
    ),
    Setting(
        "settings: an end before the start",
        "start = 2026-02-02\nend = 2026-01-05",
        ("end is 2026-01-05", "must not be before start"),
    ),
    Setting(
        "settings: a rating range the wrong way round",
        "prepare.rating_range = [5, 1]",
        ("prepare.rating_range is", "the least and the greatest rating, such as [0.5, 5]"),
    ),
    Setting(
        "settings: a rating range of one number",
        "prepare.rating_range = 5",
        ("prepare.rating_range", "must be the least and the greatest rating"),
    ),
    Setting(
        "settings: a rating range of text",
        "prepare.rating_range = 'one,five'",
        ("prepare.rating_range", "must be the least and the greatest rating"),
    ),
    Setting(
        "settings: a delimiter of two characters",
        "files.delimiter = ';;'",
        ("files.delimiter is ';;'", "at most 1 character"),
    ),
    Setting(
        "settings: an encoding that is none",
        "files.encoding = 'utf-9'",
        ("files.encoding is 'utf-9'", "must be an encoding Python knows"),
    ),
    Setting(
        "settings: a pattern that leaves data_path",
        "files.items = '/etc/*'",
        ("files.items is '/etc/*'", "must be a glob below data_path"),
    ),
)
