"""Settings that hold passwords: never read from a file, and never repeated in a message."""

from typing import Any

from pydantic_settings import TomlConfigSettingsSource

ONLY_FROM_ENVIRONMENT = (("exports", "postgres_url"), ("sql", "url"))
SECRET_KEYS = {*map(".".join, ONLY_FROM_ENVIRONMENT), "automation.webhook"}


class PasswordInFileError(ValueError):
    """A setting that may hold a password is in the file, where too many can read it."""


class FileWithoutPasswords(TomlConfigSettingsSource):
    """The settings file, which is read and copied by more people than a password is for."""

    def __call__(self) -> dict[str, Any]:
        """Return the file's values, if none of them is a password."""
        values = super().__call__()
        for section, name in ONLY_FROM_ENVIRONMENT:
            if isinstance(values.get(section), dict) and name in values[section]:
                raise PasswordInFileError(
                    f"{section}.{name} is in the settings file, must be in the environment, since "
                    f"it may hold a password: set COLLIE_{section.upper()}__{name.upper()}"
                )
        return values
