"""What our code never does: SQL made of values, pickled assets, paths made of ids."""

import ast
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from small_project import small_settings
from source_code import REPOSITORY, called, sources

from collie_pipeline.definitions import make_definitions
from collie_pipeline.model_settings import ModelName
from collie_pipeline.project import Project
from collie_pipeline.settings import SettingsError, load_settings
from collie_pipeline.weeks import Week

RUNS_SQL = {
    "execute",
    "executemany",
    "executescript",
    "exec_driver_sql",
    "read_sql",
    "read_sql_query",
    "text",
}
COMPOSED = ("sql.SQL", "SQL")  # psycopg2's, which quotes names


def is_made_of_values(node: ast.expr) -> bool:
    """Return whether a text is an f-string with values, formatted, or added to."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod | ast.Add)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("format", "format_map", "join", "replace")
        and not ast.unparse(node.func.value).startswith(COMPOSED)
    )


def unsafe_sql(code: str) -> Iterator[int]:
    """Yield the lines of `code` that run SQL which has values in it."""
    tree = ast.parse(code)
    made = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for name, call in called(tree):
        if name.split(".")[-1] in RUNS_SQL and call.args:
            query = call.args[0]
            if isinstance(query, ast.Name):
                query = made.get(query.id, query)
            if is_made_of_values(query):
                yield call.lineno


def test_sql_has_bound_parameters_only() -> None:
    found = {
        path.relative_to(REPOSITORY).as_posix(): lines
        for path in sources()
        if (lines := list(unsafe_sql(path.read_text())))
    }
    assert found == {}


@pytest.mark.parametrize(
    "code",
    [
        "c.execute(f'select {x}')",
        "c.execute('select %s' % x)",
        "c.execute('select ' + x)",
        "text('select {}'.format(x))",
        "pd.read_sql(f'select {x}', c)",
        "q = f'select {x}'\nc.execute(q)",
    ],
)
def test_the_search_for_sql_finds(code: str) -> None:
    assert list(unsafe_sql(code))


@pytest.mark.parametrize(
    "code",
    [
        "c.execute('select %s', (x,))",
        "c.execute(text('select :x'), {'x': x})",
        "c.execute(sql.SQL('select {}').format(sql.Identifier(x)))",
        "c.execute(settings.sql.interactions, bounds)",
    ],
)
def test_the_search_for_sql_leaves(code: str) -> None:
    assert not list(unsafe_sql(code))


def test_no_asset_is_pickled(tmp_path: Path) -> None:
    """Dagster's default IO manager would pickle: each asset names one of ours, which is there."""
    names = list(ModelName.__args__)
    definitions = make_definitions(Project(small_settings(tmp_path, models={"names": names})))
    ours = {"parquet", "hdf5", "bundle", "page"}
    for spec in definitions.resolve_all_asset_specs():
        asset = definitions.resolve_assets_def(spec.key)
        output = asset.op.output_dict[asset.get_output_name_for_asset_key(spec.key)]
        assert output.io_manager_key in ours, spec.key
    resources = definitions.resources or {}
    assert all(not isinstance(resources[name], dg.FilesystemIOManager) for name in ours)
    assert "io_manager" not in resources


@pytest.mark.parametrize("pattern", ["../*", "a/../../*", "/etc/*", "..", ""])
def test_files_outside_of_data_path_are_refused(pattern: str) -> None:
    with pytest.raises(SettingsError, match="must be a glob below data_path"):
        load_settings(files={"interactions": pattern})


@pytest.mark.parametrize("source", ["../demo", "/etc", "demo/../.."])
def test_a_source_names_no_folder(source: str) -> None:
    with pytest.raises(SettingsError, match="demo"):
        load_settings(source=source)


@pytest.mark.parametrize("week", ["../../etc", "2026-01-05/../x", "/etc", "2026-01-05\n", ""])
def test_a_week_names_no_folder(week: str) -> None:
    with pytest.raises(ValueError, match="week"):
        Week.parse(week)
