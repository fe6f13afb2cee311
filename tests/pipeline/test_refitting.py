"""The champion made again in real runs: tried again once, refused for good, and what it needs."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console
from small_project import SMALL, small_settings

from collie_pipeline.definitions import make_definitions
from collie_pipeline.planning import counts_in
from collie_pipeline.project import Project
from collie_pipeline.running import run_week
from collie_pipeline.storage import read_table, recording

pytestmark = pytest.mark.slow  # a whole week
RUN = str(uuid.uuid4())
CHAMPION = dg.AssetKey(["models", "champion"])
STEP, WINNER = "models__champion", "hybrid_pretrained"
TINY = {
    "names": ["popularity", "matrix_factorization", WINNER],
    "matrix_factorization": {"embedding_dim": 4, "epochs": 2, "num_negative_samples": 3},
    WINNER: {"epochs": 2, "num_negative_samples": 3, "combined_layers_dims": [4]},
}
CHANGES = {"window_weeks": 2, "demo": {**SMALL["demo"], "weeks": 3}, "models": TINY}


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the newest week was run, of which a model of two stages is to win."""
    home = tmp_path_factory.mktemp("refitting")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home / "dagster_home"))
        project = Project(small_settings(home / "data", **CHANGES))
        run_week(project, project.span[1], Console(quiet=True))
    path = home / "data" / "evaluation" / "champion" / f"{project.span[1].key}.parquet"
    decision = read_table(path).assign(model=WINNER)
    with recording(path) as temporary:
        decision.to_parquet(temporary, index=False)
    return home


@pytest.fixture
def root(made_once: Path, tmp_path: Path) -> Path:
    """The data of a project of its own for each test."""
    shutil.copytree(made_once / "data", tmp_path / "data")
    return tmp_path / "data"


def refitted(
    root: Path, listener: Callable[..., None] | None = None, **models: object
) -> dg.ExecuteInProcessResult:
    """Return what becomes of the champion; `listener` hears of every event as it happens."""
    project = Project(small_settings(root, **{**CHANGES, "models": {**TINY, **models}}))
    job = make_definitions(project).resolve_job_def("weekly")
    with dg.DagsterInstance.ephemeral() as instance:
        if listener is not None:
            instance.add_event_listener(RUN, listener)
        return job.execute_in_process(
            partition_key=project.span[1].key,
            instance=instance,
            run_id=RUN,
            asset_selection=[CHAMPION],
            raise_on_error=False,
        )


def kinds(result: dg.ExecuteInProcessResult) -> list[str]:
    return [event.event_type_value for event in result.all_events if event.step_key == STEP]


def blocked(root: Path) -> Path:
    """Return a file that lies where the folder of the champion's logs has to be."""
    path = root / "logs" / "champion"
    path.write_text("in the way")
    return path


def test_a_training_that_fails_once_is_tried_again_in_the_same_run(root: Path) -> None:
    logs = blocked(root)

    def clear(entry: dg.EventLogEntry, cursor: object = None) -> None:  # noqa: ARG001
        event = entry.dagster_event
        if event is not None and event.event_type_value == "STEP_UP_FOR_RETRY":
            logs.unlink()

    result = refitted(root, clear)
    assert result.success
    assert kinds(result).count("STEP_UP_FOR_RETRY") == 1
    assert kinds(result)[-1] == "STEP_SUCCESS"


def test_a_training_that_fails_twice_is_given_up(root: Path) -> None:
    blocked(root)
    result = refitted(root)
    assert not result.success
    assert kinds(result).count("STEP_UP_FOR_RETRY") == 1


def test_a_champion_of_which_one_stage_does_not_fit_is_refused_once(root: Path) -> None:
    wide = {**TINY["matrix_factorization"], "batch_size": 10**9, "loss": "warp"}  # type: ignore[dict-item]
    result = refitted(root, matrix_factorization=wide)
    assert not result.success
    assert "STEP_UP_FOR_RETRY" not in kinds(result)
    (failure,) = [each for each in result.all_events if each.event_type_value == "STEP_FAILURE"]
    said = str(failure.step_failure_data.error)
    assert said.startswith("dagster._core.definitions.events.Failure: matrix_factorization with")
    assert "lower the model's batch_size" in said


def test_what_it_needs_is_said_before_it_is_made_and_kept(root: Path) -> None:
    said: list[str] = []

    def hear(entry: dg.EventLogEntry, cursor: object = None) -> None:  # noqa: ARG001
        event = entry.dagster_event
        said.append(entry.user_message if event is None else event.event_type_value)

    result = refitted(root, hear)
    (made,) = result.asset_materializations_for_node(STEP)
    needs = str(made.metadata["needs"].value).splitlines()
    assert [line.split(" needs ")[0] for line in needs] == ["matrix_factorization", WINNER]
    assert all(part in needs[0] for part in ("model", "optimizer", "scores", "interactions"))
    assert all(said.index(line) < said.index("STEP_OUTPUT") for line in needs)
    size = made.metadata["memory_needed_mib"].value
    users = counts_in(
        root / "prepared" / "hdf5" / f"{result.dagster_run.tags['dagster/partition']}.h5"
    )
    assert isinstance(size, float)
    assert 96 * users.num_interactions / (1 << 20) < size < 100
