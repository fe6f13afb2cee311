"""What every source of interactions can do."""

from typing import Protocol, runtime_checkable

import pandas as pd

from collie_pipeline.sections import Mode, TimeUnit
from collie_pipeline.weeks import Week

INTERACTION_COLUMNS = ("user_id", "item_id", "rating", "timestamp")
ITEM_COLUMNS = ("item_id", "title", "genres")


@runtime_checkable
class Source(Protocol):
    """Weeks of interactions with the items and users they are about.

    Nothing is read before a method is called, and no method changes what is read.
    """

    @property
    def name(self) -> str:
        """The name in the table of sources."""
        ...

    @property
    def mode(self) -> Mode:
        """`events`, each week its own rows, or `snapshot`, every row in one week."""
        ...

    @property
    def time_unit(self) -> TimeUnit:
        """How numbers and text in `timestamp` are to be read."""
        ...

    @property
    def grows(self) -> bool:
        """Whether weeks may come after those that are there."""
        ...

    def span(self) -> tuple[Week, Week]:
        """Return the first and the last week that have rows."""
        ...

    def interactions(self, week: Week) -> pd.DataFrame:
        """Return the week's rows as read: user_id, item_id, rating, timestamp, source_row.

        `source_row` counts from 1. `rating` and `timestamp` are absent where the source has none.
        """
        ...

    def items(self, week: Week) -> pd.DataFrame:
        """Return item_id, title and genres (`Drama|Comedy`, "" unknown) known by `week`."""
        ...

    def users(self, week: Week) -> pd.DataFrame:
        """Return user_id and whatever else is known of users by `week`."""
        ...

    def fingerprint(self, week: Week) -> str:
        """Return a hash that changes exactly when what is read for `week` may change."""
        ...
