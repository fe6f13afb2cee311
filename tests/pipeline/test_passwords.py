from pathlib import Path

import pytest

from collie_pipeline.settings import SettingsError, load_settings
from collie_pipeline.showing import settings_lines

SECRET = "postgresql://me:swordfish@host/db"  # noqa: S105 - planted, to be searched for


@pytest.fixture(params=["EXPORTS__POSTGRES_URL", "SQL__URL"])
def variable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(f"COLLIE_{request.param}", SECRET)
    return str(request.param)


def test_a_password_is_shown_as_set(variable: str) -> None:
    lines = settings_lines(load_settings())
    assert f"COLLIE_{variable} = set" in lines
    assert not [line for line in lines if "swordfish" in line]


def test_a_password_is_in_no_repr_and_no_dump(variable: str) -> None:  # noqa: ARG001 - it is set
    settings = load_settings()
    assert "swordfish" not in repr(settings) + settings.model_dump_json()


def test_a_password_does_not_change_the_fingerprint(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_settings().fingerprint()
    monkeypatch.delenv(f"COLLIE_{variable}")
    assert load_settings().fingerprint() == before


@pytest.mark.parametrize(
    ("section", "name"), [("exports", "postgres_url"), ("sql", "url")], ids=["exports", "sql"]
)
def test_a_password_in_the_file_is_refused(tmp_path: Path, section: str, name: str) -> None:
    (tmp_path / "collie.toml").write_text(f"[{section}]\n{name} = '{SECRET}'\n")
    variable = f"COLLIE_{section.upper()}__{name.upper()}"
    with pytest.raises(
        SettingsError, match=rf"{section}\.{name} is a secret and is in .* set {variable}"
    ) as said:
        load_settings()
    assert "swordfish" not in str(said.value)


@pytest.mark.parametrize("variable", ["EXPORTS__POSTGRES_URL", "SQL__URL", "AUTOMATION__WEBHOOK"])
def test_a_password_of_a_wrong_kind_is_not_repeated(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, name = variable.split("__")
    monkeypatch.setenv(f"COLLIE_{section}", f'{{"{name.lower()}": ["{SECRET}"]}}')
    with pytest.raises(SettingsError, match="valid string") as said:
        load_settings()
    assert "swordfish" not in str(said.value)


def test_postgres_without_its_url_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLLIE_EXPORTS__POSTGRES", "true")
    with pytest.raises(SettingsError, match="set COLLIE_EXPORTS__POSTGRES_URL"):
        load_settings()


def test_a_schema_is_a_plain_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_EXPORTS__POSTGRES_SCHEMA", 'x"; drop table y; --')
    with pytest.raises(SettingsError, match=r"exports\.postgres_schema"):
        load_settings()
