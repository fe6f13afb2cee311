from pathlib import Path

import pytest
from pydantic import ValidationError

from collie_pipeline.settings import Settings, SettingsError, load_settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The file of the working directory, which the tests of the pipeline set to tmp_path."""
    return tmp_path / "collie.toml"


def test_without_file_and_environment_the_source_is_demo() -> None:
    assert load_settings().source == "demo"


@pytest.mark.parametrize("source", ["demo", "files", "movielens-100k", "sql"])
def test_root_is_a_folder_of_the_source(source: str) -> None:
    assert load_settings(source=source).root == Path("data") / source


def test_file_beats_the_defaults(config: Path) -> None:
    config.write_text("[split]\nmethod = 'random'\n")
    assert load_settings().split.method == "random"


def test_environment_beats_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text("[split]\nmethod = 'random'\ntest = 0.2\n")
    monkeypatch.setenv("COLLIE_SPLIT__METHOD", "stratified")
    split = load_settings().split
    assert (split.method, split.test) == ("stratified", 0.2)


def test_config_variable_names_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.toml").write_text("seed = 7\n")
    monkeypatch.setenv("COLLIE_CONFIG", str(tmp_path / "other.toml"))
    assert load_settings().seed == 7


def test_config_variable_that_names_no_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError, match=r"nowhere\.toml.*must be a file"):
        load_settings()


def test_empty_variable_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_DATA_PATH", "")
    assert load_settings().data_path is None


def test_model_names_are_parted_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_MODELS__NAMES", "popularity, item_knn")
    assert load_settings().models.names == ("popularity", "item_knn")


def test_column_names_keep_their_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_FILES__COLUMNS__USER_ID", "UserNr")
    assert load_settings().files.columns.user_id == "UserNr"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sorce = 'demo'", r"unknown setting sorce: did you mean source\?.*window_weeks"),
        ("[split]\nmetod = 'time'", r"unknown setting split\.metod: did you mean split\.method\?"),
        (
            "[models.item_knn]\nneighbors = 3",
            r"unknown setting models\.item_knn\.neighbors: did you mean .*neighbours\?",
        ),
    ],
)
def test_unknown_key_is_refused_with_the_right_ones(config: Path, text: str, message: str) -> None:
    config.write_text(text)
    with pytest.raises(SettingsError, match=message):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "guess"),
    [("COLLIE_SORCE", "COLLIE_SOURCE"), ("COLLIE_SPLT__METHOD", "COLLIE_SPLIT")],
)
def test_unknown_variable_is_refused_with_the_right_ones(
    monkeypatch: pytest.MonkeyPatch, variable: str, guess: str
) -> None:
    monkeypatch.setenv(variable, "x")
    with pytest.raises(SettingsError, match=rf"{variable}: did you mean {guess}.*COLLIE_ROOT"):
        load_settings()


def test_unknown_key_in_a_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_SPLIT__METOD", "time")
    with pytest.raises(SettingsError, match=r"split\.metod: did you mean split\.method"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        (
            "SOURCE",
            "dmo",
            r"source is 'dmo'.*use one of \['demo', 'files', 'movielens-100k', 'sql'\]",
        ),
        ("WINDOW_WEEKS", "0", "window_weeks is '0'.*greater than or equal to 1"),
        ("DEVICE", "gpu", "device is 'gpu'.*'auto', 'cpu', 'cuda' or 'mps'"),
        ("SPLIT__METHOD", "tim", r"split\.method is 'tim'.*'stratified'.*COLLIE_SPLIT__METHOD"),
        ("SPLIT__TEST", "0.95", "validation \\+ test is 1.05, must be less than 1"),
        ("PREPARE__MIN_RATING", "nan", r"prepare\.min_rating is 'nan'.*finite"),
        ("DEMO__USERS", "3", r"demo\.users is '3'.*greater than or equal to 50"),
        ("DEMO__RATINGS", "2000000", "ratings is 2000000, must be at most users x items / 4"),
        ("MODELS__NAMES", "easy", "'easy'.*'popularity'"),
        ("FILES__ENCODING", "utf-9", r"files\.encoding is 'utf-9': must be an encoding"),
        ("FILES__INTERACTIONS", "/etc/*", r"'/etc/\*': must be a glob below data_path"),
        ("START", "yesterday", "start is 'yesterday'"),
        ("SPLIT", "time", "split.*COLLIE_SECTION__KEY"),
    ],
)
def test_wrong_value_is_refused_with_key_value_and_rule(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"COLLIE_{variable}", value)
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_wrong_source_is_the_only_complaint_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLIE_SOURCE", "dmo")
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    assert "\n" not in str(refusal.value)


def test_end_before_start_is_refused() -> None:
    said = "end is 2026-01-05, must not be before start, 2026-02-02; set collie.toml"
    with pytest.raises(SettingsError, match=said):
        load_settings(start="2026-02-02", end="2026-01-05")


@pytest.mark.parametrize("method", ["random", "stratified"])
def test_no_model_begins_from_what_it_is_judged_on(method: str) -> None:
    said = f"models.warm_start is true and split.method is '{method}', must be 'time'"
    with pytest.raises(SettingsError, match=said):
        load_settings(models={"warm_start": True}, split={"method": method})


def test_broken_toml_is_refused_with_its_place(config: Path) -> None:
    config.write_text("seed = \n")
    with pytest.raises(SettingsError, match=r"collie\.toml is not valid TOML.*line 1"):
        load_settings()


def test_section_that_is_no_table_is_refused(config: Path) -> None:
    config.write_text("split = 3\n")
    with pytest.raises(SettingsError, match="split is 3"):
        load_settings()


def test_settings_cannot_be_changed() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.seed = 1
    with pytest.raises(ValidationError):
        settings.split.test = 0.5


@pytest.mark.parametrize(
    "changes",
    [
        {"root": "elsewhere"},
        {"data_path": "elsewhere"},
        {"device": "cpu"},
    ],
)
def test_fingerprint_does_not_know_where_and_on_what_it_runs(changes: dict[str, object]) -> None:
    assert load_settings(**changes).fingerprint() == load_settings().fingerprint()


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"source": "files"},
        {"window_weeks": 3},
        {"prepare": {"min_rating": 3}},
        {"models": {"matrix_factorization": {"lr": 0.5}}},
    ],
)
def test_fingerprint_changes_with_what_influences_results(changes: dict[str, object]) -> None:
    assert load_settings(**changes).fingerprint() != load_settings().fingerprint()


def test_fingerprint_is_the_same_however_a_value_is_given(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text("seed = 3\n")
    from_file = load_settings().fingerprint()
    config.unlink()
    monkeypatch.setenv("COLLIE_SEED", "3")
    assert load_settings().fingerprint() == from_file == Settings(seed=3).fingerprint()
