"""Secrets come from the environment alone, and are never repeated anywhere."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from mlflow_server import mlflow_server
from small_project import small_settings

from collie_pipeline.secret_settings import secret_places, secret_variables, variable
from collie_pipeline.settings import POSTGRES, Settings, SettingsError, load_settings

COLLIE = str(Path(sys.executable).with_name("collie"))
PLACES = list(secret_places(Settings))
SMALL = """
window_weeks = 1
demo = {users = 100, items = 80, ratings = 1500, weeks = 1}
prepare.min_user_interactions = 2
split.method = "random"
evaluation.resamples = 100
models.names = ["popularity", "matrix_factorization"]
models.matrix_factorization = {embedding_dim = 2, epochs = 1}
"""
LOGGED = f'{SMALL}training.loggers = ["csv", "mlflow"]\n'

COMMANDS = (
    ("run",),
    ("run",),
    ("doctor",),
    ("settings",),
    ("leaderboard",),
    ("recommend", "nobody"),
    ("similar", "nothing"),
    ("run", "--week", "2020-01-06"),
)


def planted(place: tuple[str, ...]) -> str:
    """Return an address that only the secret at `place` has, fit for any of them."""
    return f"https://user:S3CRET-{'-'.join(place)}@127.0.0.1:9/S3CRET"


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("COLLIE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_the_webhook_is_found_by_its_type() -> None:
    assert ("automation", "webhook") in PLACES
    assert {"COLLIE_AUTOMATION", "COLLIE_AUTOMATION__WEBHOOK"} <= {*secret_variables(Settings)}


def toml(place: tuple[str, ...], value: str) -> str:
    return f"{'.'.join(place)} = {value}\n"


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_a_secret_in_the_file_is_refused(place: tuple[str, ...]) -> None:
    Path("collie.toml").write_text(toml(place, f"'{planted(place)}'"))
    with pytest.raises(SettingsError, match="must be in the environment alone") as refused:
        load_settings()
    assert variable(Settings, place) in str(refused.value)
    assert "S3CRET" not in str(refused.value)


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("place", PLACES, ids=".".join)
@pytest.mark.parametrize("value", ["['{}']", "{{a = '{}'}}"])
def test_a_wrong_value_of_a_secret_is_not_repeated(
    place: tuple[str, ...], value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, name = place[0], place[-1]
    monkeypatch.setenv(f"COLLIE_{section.upper()}", f'{{"{name}": ["{planted(place)}"]}}')
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "S3CRET" not in str(refused.value)
    monkeypatch.delenv(f"COLLIE_{section.upper()}")
    Path("collie.toml").write_text(f"{section} = {value.format(planted(place))}\n")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "S3CRET" not in str(refused.value)


@pytest.mark.usefixtures("clean")
def test_dumps_and_fingerprints_are_without_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without = small_settings(tmp_path)
    for place in PLACES:
        monkeypatch.setenv(variable(Settings, place), planted(place))
    settings = small_settings(tmp_path)
    for said in (
        repr(settings),
        str(settings),
        settings.model_dump_json(),
        f"{settings.model_dump()}",
    ):
        assert "S3CRET" not in said
    assert settings.fingerprint() == without.fingerprint()


def texts(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield what is in each file: of a table its values too, which are compressed in there."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            values = values_of(path) if path.suffix == ".parquet" else b""
            yield path, path.read_bytes() + values


def values_of(path: Path) -> bytes:
    return str(pq.read_table(path, partitioning=None).to_pylist()).encode()


def test_a_secret_in_a_table_would_be_found(tmp_path: Path) -> None:
    parts = ["https://user:S3", "CRET@host"]  # which are where compression finds the whole
    table = pd.DataFrame({"said": [*parts, "".join(parts)]})
    path = tmp_path / "t.parquet"
    table.to_parquet(path, compression="zstd", use_dictionary=False, write_statistics=False)
    assert b"user:S3CRET" not in path.read_bytes()
    assert b"user:S3CRET" in dict(texts(tmp_path))[path]


def mlflow(port: int) -> dict[str, str]:
    """Return what leads to an MLflow server, with a password."""
    address = f"http://user:S3CRET-mlflow@127.0.0.1:{port}"
    return {"MLFLOW_TRACKING_URI": address, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


@pytest.mark.slow
def test_the_password_of_a_server_for_logs_is_kept_and_said_nowhere(tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    (tmp_path / "collie.toml").write_text(LOGGED)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLIE_")}
    home = {"DAGSTER_HOME": str(tmp_path / "dagster_home"), "COLUMNS": "200"}
    said = ""
    with mlflow_server() as (port, asked):
        for server in (mlflow(port), mlflow(9)):  # one that answers, and one that is not there
            done = subprocess.run(
                [COLLIE, "run", "--force"],
                cwd=tmp_path,
                env={**kept, **home, **server},
                capture_output=True,
                text=True,
                check=False,
            )
            said += done.stdout + done.stderr
    password = b64encode(b"user:S3CRET-mlflow").decode()
    assert f"runs/log-batch Basic {password}" in asked
    assert "MLFLOW_TRACKING_URI names failed" in said
    assert "S3CRET" not in said
    found = [path for path, content in texts(tmp_path) if b"S3CRET" in content]
    assert found == []


@pytest.mark.slow
def test_no_secret_is_kept_or_said_anywhere(tmp_path: Path) -> None:
    secrets = {variable(Settings, place): planted(place) for place in PLACES}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COLLIE_")}
    (tmp_path / "collie.toml").write_text(SMALL)
    home = {"DAGSTER_HOME": str(tmp_path / "dagster_home"), "COLUMNS": "200"}
    said: dict[tuple[str, ...], str] = {}
    for number, command in enumerate(COMMANDS):
        done = subprocess.run(
            [COLLIE, *command],
            cwd=tmp_path,
            env={**kept, **home, **secrets},
            capture_output=True,
            text=True,
            check=False,
        )
        said[str(number), *command] = done.stdout + done.stderr
        assert (done.returncode == 0) == (number < 5), said
    broken = {POSTGRES: "postgresql+psycopg2://S3CRET:S3CRET@127.0.0.1:9/S3CRET"}
    for command in (("doctor",), ("settings",)):
        done = subprocess.run(
            [COLLIE, *command],
            cwd=tmp_path,
            env={**kept, **secrets, **broken, "COLLIE_SEED": "x"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        said["wrong", *command] = done.stdout + done.stderr
    assert [key for key, text in said.items() if "S3CRET" in text] == []
    files = dict(texts(tmp_path))
    assert any(path.suffix == ".db" for path in files)  # Dagster's event log was searched too
    assert [path for path, content in files.items() if b"S3CRET" in content] == []
    assert [
        path for path, content in files.items() if content[:2] in (b"\x80\x04", b"\x80\x05")
    ] == []
