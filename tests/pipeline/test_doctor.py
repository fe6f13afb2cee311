import os
import sys
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
import torch
from rich.console import Console

from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline import doctor, machine
from collie_pipeline.doctor import examine, findings_table, is_well, newest_plan
from collie_pipeline.machine import Finding

SECRET = "https://hooks.example.com/T0/s3cr3t"  # noqa: S105 - planted
PG_SECRET = "postgresql+psycopg2://collie:pa55w0rd@db/dagster"  # noqa: S105


def found(subject: str) -> Finding:
    return next(each for each in examine() if each.subject == subject)


def shown() -> str:
    console = Console(width=200, record=True, file=StringIO())
    console.print(findings_table(examine()))
    return console.export_text()


def test_a_fresh_folder_is_well() -> None:
    assert is_well(examine())
    assert {each.verdict for each in examine()} <= {"ok", "warn"}


def test_looking_changes_nothing(tmp_path: Path) -> None:
    examine()
    assert list(tmp_path.iterdir()) == []


def test_every_subject_has_its_line() -> None:
    subjects = [each.subject for each in examine()]
    assert subjects == [
        *("Python", "packages", "cores", "memory", *gpus()),
        *("settings file", "settings", "device", "data_path", "root", "disk", "automation"),
        *("exports", "DAGSTER_HOME", "PostgreSQL"),
    ]


def gpus() -> list[str]:
    return [f"GPU {n}" for n in range(torch.cuda.device_count())] or ["GPU"]


def test_versions_are_those_that_run() -> None:
    assert sys.version.split()[0] in found("Python").said
    assert f"torch {version('torch')}" in found("packages").said


def test_a_package_that_is_not_here_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PACKAGES", ("numpy", "no-such-package"))
    finding = found("packages")
    assert (finding.verdict, finding.way_out) == ("wrong", "install no-such-package")


def test_more_threads_than_cores_are_worth_a_warning() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(len(os.sched_getaffinity(0)) + 1)
        assert found("cores").verdict == "warn"
        torch.set_num_threads(1)
        assert found("cores").verdict == "ok"
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("free", "verdict"), [(900_000, "warn"), (1_100_000, "ok")])
def test_little_free_memory_is_worth_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str
) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 16000000 kB\nMemAvailable: {free} kB\n")
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    assert found("memory").verdict == verdict


def test_little_room_on_the_disk_is_worth_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SCARCE", 1 << 60)
    assert found("disk").verdict == "warn"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_device_that_is_not_here_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_DEVICE", "cuda")
    finding = found("device")
    assert finding.verdict == "wrong"
    assert "device = 'auto'" in finding.way_out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_auto_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert found("device").said == "auto, which is cpu"
    assert found("GPU").said == "none that torch can use"


def test_a_wrong_setting_is_one_line_beside_the_others(tmp_path: Path) -> None:
    (tmp_path / "collie.toml").write_text("sorce = 'demo'\n")
    findings = {each.subject: each for each in examine()}
    assert findings["settings"].verdict == "wrong"
    assert "did you mean source?" in findings["settings"].said
    assert {"Python", "memory", "DAGSTER_HOME"} <= findings.keys()
    assert not is_well(list(findings.values()))


def test_the_settings_that_would_be_used_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no collie.toml" in found("settings file").said
    (tmp_path / "collie.toml").write_text("window_weeks = 7\n")
    monkeypatch.setenv("COLLIE_MODELS__NAMES", "popularity,item_knn")
    assert found("settings file").said == str(tmp_path / "collie.toml")
    said = found("settings").said
    assert "window of 7 weeks" in said
    assert "models popularity, item_knn" in said


def test_files_without_data_path_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("data_path").verdict == "ok"
    monkeypatch.setenv("COLLIE_SOURCE", "files")
    finding = found("data_path")
    assert (finding.verdict, "COLLIE_DATA_PATH" in finding.way_out) == ("wrong", True)


def test_a_data_path_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("user_id,item_id\n")
    monkeypatch.setenv("COLLIE_DATA_PATH", str(tmp_path))
    assert found("data_path") == ("data_path", "ok", f"{tmp_path}, 1 files and folders", "")
    for wrong, why in (("nowhere", "No such file"), ("a.csv", "Not a directory")):
        monkeypatch.setenv("COLLIE_DATA_PATH", str(tmp_path / wrong))
        assert found("data_path").verdict == "wrong"
        assert why in found("data_path").said


@pytest.mark.parametrize(
    ("subject", "variable"), [("root", "COLLIE_ROOT"), ("DAGSTER_HOME", "DAGSTER_HOME")]
)
def test_a_folder_that_cannot_be_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subject: str, variable: str
) -> None:
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv(variable, str(tmp_path / "taken" / "below"))
    finding = found(subject)
    assert finding.verdict == "wrong"
    assert variable in finding.way_out
    monkeypatch.setenv(variable, str(tmp_path / "free" / "below"))
    assert found(subject).verdict == "ok"


def test_a_database_needs_the_driver_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("PostgreSQL").verdict == "ok"
    monkeypatch.setenv("COLLIE_DAGSTER_PG_URL", "postgresql://collie:pa55w0rd@db/dagster")
    finding = found("PostgreSQL")
    assert (finding.verdict, "psycopg2" in finding.way_out) == ("wrong", True)


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_DAGSTER_PG_URL", PG_SECRET)
    monkeypatch.setenv("COLLIE_AUTOMATION__WEBHOOK", SECRET)
    said = shown()
    assert "webhook set" in said
    assert "COLLIE_DAGSTER_PG_URL is set" in said
    for part in ("s3cr3t", "hooks.example.com", "pa55w0rd", "db/dagster"):
        assert part not in said


@pytest.mark.parametrize(
    "config",
    [
        f"automation = '{SECRET}'\n",
        f"[automation]\nwebhook = ['{SECRET}']\n",
        f"[automation]\nwebhok = '{SECRET}'\n",
        f"[automation]\nwebhook = '{SECRET}'\nhour = 99\n",
        f"data_path = '{SECRET}'\n",
        f"source = '{PG_SECRET}'\n",
    ],
)
def test_no_secret_is_shown_where_settings_are_wrong(tmp_path: Path, config: str) -> None:
    (tmp_path / "collie.toml").write_text(config)
    said = shown()
    assert "wrong" in said
    assert "s3cr3t" not in said
    assert "pa55w0rd" not in said


def test_there_is_a_plan_where_there_are_data(monkeypatch: pytest.MonkeyPatch) -> None:
    assert newest_plan() is None
    folder = Path("data", "demo", "prepared", "train")
    folder.mkdir(parents=True)
    for week, num_users in (("2026-01-05", 70), ("2026-01-12", 71)):
        rows = pd.DataFrame({"user_id": [0, 1], "item_id": [1, 0]})
        pandas_df_to_hdf5(rows, folder / f"{week}.h5", num_users=num_users, num_items=50)
    plan = newest_plan()
    assert plan is not None
    assert "2 interactions of 71 users with 50 items" in str(plan.title)
    monkeypatch.setenv("COLLIE_SORCE", "demo")
    assert newest_plan() is None


def test_markup_in_a_value_is_shown_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "collie.toml").write_text("root = '[red]x'\n")
    assert "[red]x" in shown()


def test_a_warning_is_no_reason_to_fail() -> None:
    assert is_well([Finding("disk", "warn", "little")])
    assert not is_well([Finding("disk", "warn", "little"), Finding("root", "wrong", "none")])


def test_exports_are_named_and_one_that_cannot_work_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert found("exports").said.startswith("none")
    monkeypatch.setenv("COLLIE_EXPORTS__VECTORS", "true")
    monkeypatch.setenv("COLLIE_EXPORTS__DUCKDB", "collie.duckdb")
    assert found("exports").said == "duckdb, vectors"
    monkeypatch.setenv("COLLIE_EXPORTS__POSTGRES", "true")
    monkeypatch.setenv("COLLIE_EXPORTS__POSTGRES_URL", "mysql://me:pa55w0rd@db/shop")
    assert found("exports").verdict == "wrong"
    assert "pa55w0rd" not in shown()


def test_a_database_of_the_source_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_SOURCE", "sql")
    assert "sql.interactions is not set" in found("source sql").said
    query = "SELECT * FROM events WHERE timestamp >= :start AND timestamp < :end"
    monkeypatch.setenv("COLLIE_SQL__INTERACTIONS", query)
    assert "set COLLIE_SQL__URL" in found("source sql").said
    monkeypatch.setenv("COLLIE_SQL__URL", f"sqlite:///{tmp_path}/pa55w0rd.db")
    assert found("source sql").verdict == "wrong"
    assert "pa55w0rd" not in shown()
