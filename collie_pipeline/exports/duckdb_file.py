"""The target `duckdb`: one file, written aside and renamed over the last one."""

from pathlib import Path

from collie_core.files import replacing
from collie_pipeline.exports.tables import LISTS, TABLES, batches, row_counts
from collie_pipeline.exports.target import Held, Rows
from collie_pipeline.storage import Publication


class DuckDBFile:
    """A DuckDB file; who has the last one open keeps reading it, whoever opens it gets the next.

    Raises
    ------
    ValueError
        If the package is not installed.
    """

    name: str = "duckdb"

    def __init__(self, path: Path) -> None:
        try:
            import duckdb  # noqa: F401 - whether it is here is asked for before hours of training
        except ModuleNotFoundError:
            raise ValueError(
                "exports.duckdb is set, and the package duckdb is not installed: install "
                "collie-pipeline[duckdb]"
            ) from None
        self.path = path

    def put(self, publication: Publication) -> Rows:
        """See `Target`; one export at a time is written, so what another left is of a dead one."""
        import duckdb

        for left in self.path.parent.glob(f".{self.path.name}.*.tmp*"):  # the file, or its log
            left.unlink()
        with replacing(self.path) as aside:
            aside.unlink()  # DuckDB refuses an empty file, and makes its own
            try:
                _write(aside, publication)
            except duckdb.Error as error:
                raise ValueError(f"{self.path} cannot be written ({error}): see its disk") from None
            finally:
                _log_of(aside).unlink(missing_ok=True)
            # What a consumer wrote to the last file and DuckDB has not yet merged is not ours: it
            # would be applied to the next file.
            _log_of(self.path).unlink(missing_ok=True)
        return row_counts(publication)

    def held(self) -> Held:
        """See `Target`."""
        import duckdb

        if not self.path.is_file():
            raise ValueError(f"{self.path} is not there: use `collie export`")
        try:
            with duckdb.connect(str(self.path), read_only=True) as connection:
                rows = {name: len(connection.table(name)) for name in LISTS}
                [(found,)] = connection.table("publication").select("id").fetchall()
        except (duckdb.Error, ValueError) as error:
            raise ValueError(f"{self.path} is not what was exported ({error})") from None
        return Held(str(found), rows)

    def rows_of(self, user_id: str) -> Rows:
        """See `Target`."""
        import duckdb

        if not self.path.exists():
            return {}
        try:
            with duckdb.connect(str(self.path), read_only=True) as connection:
                query = "SELECT count(*) FROM users WHERE user_id = ?"
                [(count,)] = connection.execute(query, [user_id]).fetchall()
        except (duckdb.Error, ValueError) as error:
            raise ValueError(f"{self.path} cannot be searched ({error})") from None
        return {"users": count} if count else {}

    def forget(self, user_id: str) -> None:
        """See `Target`: the whole file goes."""
        if self.rows_of(user_id):
            self.path.unlink()


def _write(path: Path, publication: Publication) -> None:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        for name, schema in TABLES.items():
            connection.from_arrow(schema.empty_table()).create(name)
            connection.from_arrow(batches(publication, name)).insert_into(name)
        connection.execute("CHECKPOINT")


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.wal")
