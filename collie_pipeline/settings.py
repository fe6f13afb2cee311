"""Everything a user may set, as one typed and frozen object from `collie.toml` and `COLLIE_…`."""

import difflib
import hashlib
import json
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import (
    SettingsError as ParsingError,
)

from collie_pipeline.database_settings import Exports, Sql
from collie_pipeline.model_settings import Models
from collie_pipeline.secret_settings import (
    SecretInFileError,
    TomlWithoutSecrets,
    is_about_secret,
)
from collie_pipeline.sections import (
    Automation,
    Checks,
    Count,
    Demo,
    Evaluation,
    Features,
    Files,
    Prepare,
    Publications,
    Recommend,
    Split,
    Trainings,
)
from collie_pipeline.tuning_settings import Tuning

CONFIG_FILE = "collie.toml"
PREFIX = "COLLIE_"
FOLLOWS_FROM_ANOTHER = "default_factory_not_called"  # the default of root, after a wrong source
POSTGRES = "COLLIE_DAGSTER_PG_URL"
OTHERS_READ = {"COLLIE_CONFIG", POSTGRES}  # ours to name, not fields of Settings


WITHOUT_INFLUENCE = (
    *("root", "data_path", "device", "publications"),
    *("automation", "exports", "training", "tuning"),
)


class SettingsError(ValueError):
    """A setting has a wrong name or a wrong value."""


class Settings(BaseSettings):
    """Everything a user may set: the environment beats `collie.toml`, which beats the defaults."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        validate_default=True,
    )
    # Where things are and on what they run, not what comes out: a source has its own fingerprint.
    without_influence: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(WITHOUT_INFLUENCE, True),
        "sql": {"url", "chunk_rows", "recheck_minutes"},
    }

    source: str = "demo"
    data_path: Path | None = None
    root: Path = Field(default_factory=lambda known: Path("data") / known.get("source", "demo"))
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    window_weeks: Count = 12
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    threads: Annotated[int, Field(ge=1, le=64)] = 1  # of a model, on the CPU: see threads.py
    start: date | None = None
    end: date | None = None
    demo: Demo = Demo()
    files: Files = Files()
    sql: Sql = Sql()
    prepare: Prepare = Prepare()
    features: Features = Features()
    split: Split = Split()
    models: Models = Models()
    training: Trainings = Trainings()
    tuning: Tuning = Tuning()
    evaluation: Evaluation = Evaluation()
    recommend: Recommend = Recommend()
    checks: Checks = Checks()
    publications: Publications = Publications()
    automation: Automation = Automation()
    exports: Exports = Exports()

    @field_validator("source")
    @classmethod
    def _source_is_known(cls, source: str) -> str:
        # Sources are typed by Settings, so their table cannot be imported above.
        from collie_core.tables import lookup
        from collie_pipeline.sources import SOURCES

        lookup("source", SOURCES, source)
        return source

    @field_validator("data_path", "root")
    @classmethod
    def _home_is_meant(cls, path: Path | None) -> Path | None:
        return path.expanduser() if path is not None else None

    @model_validator(mode="after")
    def _end_is_after_start(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"end is {self.end}, must not be before start, {self.start}")
        return self

    @model_validator(mode="after")
    def _models_begin_without_the_test(self) -> Self:
        if self.models.warm_start and self.split.method != "time":
            raise ValueError(
                f"models.warm_start is true and split.method is {self.split.method!r}, must be "
                "'time': the model of an earlier week has learned pairs that would be tested"
            )
        return self

    @model_validator(mode="after")
    def _tuned_models_are_trained(self) -> Self:
        if strangers := [name for name in self.tuning.models if name not in self.models.names]:
            raise ValueError(
                f"tuning.models has {', '.join(strangers)}, which models.names has not: add it to "
                "models.names, or use `collie tune`, which needs no asset"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic passes it by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where values come from, the strongest first."""
        path = Path(os.environ.get("COLLIE_CONFIG") or CONFIG_FILE)
        return init_settings, env_settings, TomlWithoutSecrets(settings_cls, path)

    def influential(self) -> dict[str, Any]:
        """Return every setting that influences a result, as JSON has it; secrets are starred."""
        return self.model_dump(mode="json", exclude=self.without_influence)

    def fingerprint(self) -> str:
        """Return the sha256, in hex, of every setting that influences a result."""
        text = json.dumps(self.influential(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def home_path() -> Path:
    """Return the absolute path of DAGSTER_HOME, which need not be there.

    Without one it is `dagster_home` here, or `dagster_home/postgres` where COLLIE_DAGSTER_PG_URL
    names a database.
    """
    default = "dagster_home/postgres" if os.environ.get(POSTGRES) else "dagster_home"
    return Path(os.environ.get("DAGSTER_HOME") or default).expanduser().resolve()


def load_settings(**overrides: Any) -> Settings:
    """Return the settings of this process; `overrides` beat the environment.

    Raises
    ------
    SettingsError
        If the file, a key or a value is wrong; the message names it and what is right.
    """
    path = os.environ.get("COLLIE_CONFIG")
    if path and not Path(path).is_file():
        raise SettingsError(f"COLLIE_CONFIG is {path!r}, must be a file: unset it or write one")
    _refuse_unknown_variables()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        causes = (each for each in error.errors() if each["type"] != FOLLOWS_FROM_ANOTHER)
        raise SettingsError("\n".join(map(_sentence, causes))) from None
    except ParsingError as error:
        raise SettingsError(f"{error}: set {PREFIX}SECTION__KEY, one key a variable") from None
    except SecretInFileError as error:
        raise SettingsError(str(error)) from None
    except (ValueError, OSError) as error:  # the TOML itself cannot be read
        raise SettingsError(f"{path or CONFIG_FILE} is not valid TOML: {error}") from None


def _refuse_unknown_variables() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for variable in sorted(os.environ):
        name = variable.upper()
        if not name.startswith(PREFIX) or name in OTHERS_READ:
            continue
        if name.split("__")[0] not in known:
            right = known | OTHERS_READ
            raise SettingsError(f"unknown environment variable {variable}{_hint(name, right)}")


def _sentence(error: ErrorDetails) -> str:
    """Say one of pydantic's errors as value, rule and way out."""
    key = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        section = _section(error["loc"][:-1])
        right = [".".join([*map(str, error["loc"][:-1]), name]) for name in section.model_fields]
        return f"unknown setting {key}{_hint(key, right)}"
    rule = error["msg"].removeprefix("Value error, ")
    variable = PREFIX + "__".join(str(part).upper() for part in error["loc"])
    place = f"{key} in {CONFIG_FILE} or {variable}" if key else CONFIG_FILE
    if key and is_about_secret(Settings, error["loc"]):
        return f"{key}: {rule}; set {variable}, whose value is not shown"
    value = f"{key} is {error['input']!r}: " if key and not isinstance(error["input"], dict) else ""
    return f"{value}{rule}; set {place}"


def _section(location: Iterable[int | str]) -> type[BaseModel]:
    section: type[BaseModel] = Settings
    for name in location:
        annotation = section.model_fields[str(name)].annotation
        section = annotation if isinstance(annotation, type) else section
    return section


def _hint(name: str, right: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(right), n=1)
    guess = f": did you mean {close[0]}?" if close else ":"
    return f"{guess} The known ones are {', '.join(sorted(right))}"
