"""The definitions of some settings as Dagster's server and daemon see them, in this process."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster_graphql.test.utils import execute_dagster_graphql
from test_browser import flat


@contextmanager
def workspace_of(
    settings: dict[str, Any], instance: dg.DagsterInstance
) -> Iterator[WorkspaceProcessContext]:
    """Load the definitions from the environment, as they always are, while the block lasts."""
    origin = LoadableTargetOrigin(module_name="collie_pipeline.definitions")
    target = InProcessWorkspaceLoadTarget(InProcessCodeLocationOrigin(origin))
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # Dagster reads what it has deprecated itself, where it does not load in another process.
        warnings.filterwarnings("ignore", "Property `ScheduleDefinition", DeprecationWarning)
        for name, value in flat(settings).items():
            patch.setenv(name, value)
        with WorkspaceProcessContext(instance, target) as workspace:
            yield workspace


def said(workspace: WorkspaceProcessContext, query: str, **variables: Any) -> Any:
    """Return what the server says to `query`."""
    context = workspace.create_request_context()
    return execute_dagster_graphql(context, query, variables).data
