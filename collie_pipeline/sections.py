"""The tables of `collie.toml`, each a frozen object that refuses a stranger."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_settings import NoDecode

Mode = Literal["events", "snapshot"]
TimeUnit = Literal["s", "ms", "us", "iso"]
LoggerName = Literal["csv", "tensorboard", "mlflow"]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]


def split_at_commas(names: object) -> object:
    """Return the names in a text; what is no text, as `collie.toml` has it, stays."""
    return [name.strip() for name in names.split(",")] if isinstance(names, str) else names


class Section(BaseModel):
    """A table of `collie.toml`: frozen, and a stranger in it is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Demo(Section):
    """The size of the generated set; `ratings` counts its first twelve weeks."""

    users: Annotated[int, Field(ge=50, le=20_000)] = 1_200
    items: Annotated[int, Field(ge=50, le=10_000)] = 900
    ratings: Annotated[int, Field(ge=500, le=2_000_000)] = 80_000
    weeks: Annotated[int, Field(ge=1, le=52)] = 12
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _fits_memory_and_pairs(self) -> Self:
        pairs = self.users * self.items
        if pairs > 20_000_000:
            raise ValueError(f"users x items is {pairs}, must be at most 20000000: lower one")
        if self.ratings * 4 > pairs:
            raise ValueError(f"ratings is {self.ratings}, must be at most users x items / 4")
        return self


class Columns(Section):
    """The source's own names of our columns; an unset optional one is used where it is there."""

    user_id: str = "user_id"
    item_id: str = "item_id"
    rating: str | None = None
    timestamp: str | None = None
    title: str | None = None
    genres: str | None = None


class Files(Section):
    """Which files of `data_path` hold what, and how they are written."""

    interactions: str = "interactions*"
    items: str | None = None
    users: str | None = None
    columns: Columns = Columns()
    time_unit: TimeUnit = "s"
    mode: Mode = "events"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"
    genre_separator: Annotated[str, Field(min_length=1)] = "|"

    @field_validator("interactions", "items", "users")
    @classmethod
    def _stays_below_data_path(cls, pattern: str | None) -> str | None:
        path = Path(pattern or "")
        if pattern is not None and (not pattern or path.is_absolute() or ".." in path.parts):
            raise ValueError("must be a glob below data_path, such as 'ratings-*.csv.gz'")
        return pattern

    @field_validator("encoding")
    @classmethod
    def _is_known_to_python(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError:
            raise ValueError("must be an encoding Python knows, such as 'utf-8'") from None
        return encoding


class Prepare(Section):
    """What counts as a positive, what ratings there may be, and how much may be refused.

    A row without a rating is a positive where no row of the source has one; where others have one,
    or `min_rating` is set, only if `unrated_are_positives` says so.
    """

    min_rating: float = 4.0
    unrated_are_positives: bool = False
    rating_range: Annotated[tuple[float, float] | None, NoDecode] = None
    min_user_interactions: Count = 5
    min_item_interactions: Count = 1
    max_quarantined_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    allow_empty_weeks: bool = False

    @field_validator("rating_range", mode="wrap")
    @classmethod
    def _is_a_range(
        cls, edges: object, checked: ValidatorFunctionWrapHandler
    ) -> tuple[float, float] | None:
        try:
            found: tuple[float, float] | None = checked(split_at_commas(edges))
        except ValidationError:  # its sentences are about the parts of a tuple
            found = (0, 0)
        if found is not None and not found[0] < found[1]:
            raise ValueError("must be the least and the greatest rating, such as [0.5, 5]")
        return found


class Features(Section):
    """What is known of items: columns of `raw/items`, `genres`, or the `decade` in the title.

    `bucket` is the one by which new items are grouped, and alike items earn partial credit.
    """

    columns: Annotated[tuple[str, ...], NoDecode, Field(min_length=1)] = ("genres", "decade")
    bucket: str = "genres"

    @field_validator("columns", mode="before")
    @classmethod
    def _from_commas(cls, columns: object) -> object:
        return split_at_commas(columns)


class Split(Section):
    """How the window is parted; weeks count for `time`, shares for the others."""

    method: Literal["time", "stratified", "random"] = "time"
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.1
    test: Annotated[float, Field(gt=0, lt=1)] = 0.1
    validation_weeks: Count = 1
    test_weeks: Count = 1

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation + test is {self.validation + self.test:g}, must be less than 1"
            )
        return self


class Trainings(Section):
    """How trainings are watched and kept; nothing here changes what comes out of them.

    A training that was killed goes on from its last checkpoint; `checkpoint_seconds` lie between
    two of them at least, and more where writing takes long.
    """

    loggers: Annotated[tuple[LoggerName, ...], NoDecode] = ("csv",)
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 30.0

    @field_validator("loggers", mode="before")
    @classmethod
    def _from_commas(cls, loggers: object) -> object:
        return split_at_commas(loggers)


class Evaluation(Section):
    """How models are compared; `margin` is the share of MAP@K a challenger may lose."""

    k: Count = 10
    resamples: Annotated[int, Field(ge=100)] = 2_000
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    margin: Share = 0.1


class Recommend(Section):
    """The lengths of the published lists."""

    k: Annotated[int, Field(ge=1, le=10_000)] = 10
    similar_k: Annotated[int, Field(ge=1, le=10_000)] = 10


class Checks(Section):
    """What is worth a warning or stops a week, beside what is always wrong."""

    max_volume_change: Annotated[float, Field(gt=1)] = 3.0
    max_churn: Share | None = None
    min_coverage: Share = 0.0


class Publications(Section):
    """How long publications are kept: one goes when `keep` are newer and `keep_days` are over."""

    keep: Count = 8
    keep_days: Annotated[float, Field(ge=0)] = 30


class Automation(Section):
    """What runs by itself: nothing, unless it is asked for."""

    schedule: bool = False
    hour: Annotated[int, Field(ge=0, le=23)] = 6
    watch_files: bool = False
    late_after_hours: Annotated[int, Field(ge=1, le=168)] = 24
    webhook: SecretStr | None = None

    @property
    def publishes(self) -> bool:
        """Whether weeks are published without being asked for, and so can be late."""
        return self.schedule or self.watch_files

    @property
    def late_hours(self) -> int:
        """Hours after the end of a week at which its publication is late."""
        return self.hour + self.late_after_hours
