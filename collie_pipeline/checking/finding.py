"""What every check gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Parameters
    ----------
    passed : whether all is well.
    said : the numbers in a sentence, and what to do where it is not.
    numbers : what the UI plots by week.
    warns : whether a fault is worth a warning only.
    """

    passed: bool
    said: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    warns: bool = False
