"""Which settings are secrets: they come from the environment alone, and are never repeated."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings, TomlConfigSettingsSource

Place = tuple[str, ...]


class SecretInFileError(ValueError):
    """A file has a secret, which the environment alone may have."""


class TomlWithoutSecrets(TomlConfigSettingsSource):
    """The settings of a TOML file, which is refused if one of them is a secret."""

    def __init__(self, settings: type[BaseSettings], path: Path) -> None:
        super().__init__(settings, path)
        for place in secret_places(settings):
            if _holds(self.toml_data, place):
                raise SecretInFileError(
                    f"{'.'.join(place)} is a secret and is in {path}, must be in the environment "
                    f"alone, as files are shared and kept: set {variable(settings, place)}"
                )


def secret_places(section: type[BaseModel], above: Place = ()) -> Iterator[Place]:
    """Yield the names that lead to each secret setting, such as ("automation", "webhook")."""
    for name, field in section.model_fields.items():
        for kind in _parts(field.annotation):
            if kind is SecretStr:
                yield (*above, name)
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from secret_places(kind, (*above, name))


def is_about_secret(section: type[BaseModel], location: Iterable[int | str]) -> bool:
    """Return whether the setting at `location` is a secret, in one, or has one in it."""
    names = tuple(map(str, location))
    pairs = ((names, place) for place in secret_places(section))
    return any(all(a == b for a, b in zip(*pair, strict=False)) for pair in pairs)


def secret_variables(settings: type[BaseSettings]) -> list[str]:
    """Return the environment variables of secrets, and of the sections that have one."""
    places = {place[:end] for place in secret_places(settings) for end in range(1, len(place) + 1)}
    return sorted((variable(settings, place) for place in places), key=len, reverse=True)


def variable(settings: type[BaseSettings], place: Iterable[str]) -> str:
    """Return the environment variable of the setting at `place`."""
    delimiter = settings.model_config["env_nested_delimiter"] or "_"
    return (settings.model_config["env_prefix"] + delimiter.join(place)).upper()


def _parts(annotation: Any) -> Iterator[Any]:
    """Yield a type and those in it, as SecretStr is in `SecretStr | None`."""
    yield annotation
    for each in get_args(annotation):
        yield from _parts(each)


def _holds(values: object, place: Place) -> bool:
    for name in place:
        if not isinstance(values, Mapping) or name not in values:
            return False
        values = values[name]
    return True
