"""The table `[tuning]` of `collie.toml`: whose settings are searched as assets, and how long."""

from typing import Annotated

from pydantic import field_validator
from pydantic_settings import NoDecode

from collie_pipeline.model_settings import ModelName, Models
from collie_pipeline.sections import Count, Positive, Section, split_at_commas


class Tuning(Section):
    """Which models have an asset `tuning/<model>`, and when its search ends.

    That is after `trials`, or once none is begun any more, after `seconds`.
    """

    models: Annotated[tuple[ModelName, ...], NoDecode] = ()
    trials: Count = 30
    seconds: Positive | None = None

    @field_validator("models", mode="before")
    @classmethod
    def _from_commas(cls, names: object) -> object:
        return split_at_commas(names)

    @field_validator("models")
    @classmethod
    def _have_settings(cls, names: tuple[ModelName, ...]) -> tuple[ModelName, ...]:
        if bare := [name for name in names if name not in tunable(Models())]:
            raise ValueError(f"{', '.join(bare)} has no settings to search: leave it out")
        return names


def tunable(models: Models) -> dict[str, Section]:
    """Return the present settings of each model that has some, by its name."""
    return {name: own for name, own in models if isinstance(own, Section)}
