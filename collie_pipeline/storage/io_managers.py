"""Where each asset lies: `<root>/<asset key>/<week>.<suffix>`, replaced in one step and hashed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import h5py
import pandas as pd

from collie_pipeline.storage.checksums import read_table, recorded, recording, verify
from collie_pipeline.storage.columns import ENCODED, column_metadata, without_people
from collie_pipeline.storage.markdown import PREVIEWED, markdown

if TYPE_CHECKING:
    from collie_core.scorer import Bundled

REPEATED = "repeated"  # metadata of an input: columns of text with few different values for rows


class OnDisk(dg.ConfigurableIOManager):
    """Common ground: one file an asset and a week."""

    root: str

    def path(self, key: dg.AssetKey, week: str, suffix: str) -> Path:
        """Return where the asset's file of `week` lies."""
        return Path(self.root, *key.path, week).with_suffix(suffix)

    def paths(self, context: dg.InputContext, suffix: str) -> list[Path]:
        """Return the files of all weeks that `context` asks for, oldest first.

        Raises
        ------
        dagster.Failure
            If the file of a week is missing; the message names the weeks.
        """
        weeks = sorted(context.asset_partition_keys)
        paths = {week: self.path(context.asset_key, week, suffix) for week in weeks}
        if holes := [week for week, path in paths.items() if not path.exists()]:
            name = context.asset_key.to_user_string()
            raise dg.Failure(
                f"{name} has no {', '.join(holes)}, which the window needs: "
                f"materialise these weeks first, or use `collie run`, which does",
                allow_retries=False,
            )
        return list(paths.values())

    def sound(self, context: dg.InputContext, suffix: str) -> Path:
        """Return the file of the one week that `context` asks for, which is as it was written."""
        (path,) = self.paths(context, suffix)
        with blaming_files():
            verify(path)
        return path


@contextmanager
def blaming_files() -> Iterator[None]:
    """Turn what is wrong with a file into a failure that is not tried again."""
    try:
        yield
    except ValueError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def about(path: Path) -> dict[str, Any]:
    """Return what the UI shows of every file."""
    return {
        "path": dg.MetadataValue.path(str(path)),
        "bytes": path.stat().st_size,
        "sha256": recorded(path)[0],
    }


class ParquetIO(OnDisk):
    """Tables as Parquet; several weeks are read as one table, oldest first."""

    def handle_output(self, context: dg.OutputContext, obj: pd.DataFrame) -> None:
        """Write the table, categories as text: a file names none that no row has."""
        obj = obj.astype(dict.fromkeys(obj.select_dtypes("category"), "str"))
        path = self.path(context.asset_key, context.asset_partition_key, ".parquet")
        with recording(path) as temporary:
            obj.to_parquet(temporary, index=False)
        context.add_output_metadata(
            {
                "dagster/row_count": len(obj),
                **column_metadata(context.asset_spec, {str(n): t for n, t in obj.dtypes.items()}),
                **about(path),
                "preview": markdown(without_people(obj)),
            }
        )

    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """Read the table, or those of the window as one, the text of `REPEATED` as categories."""
        repeated = context.definition_metadata.get(REPEATED)
        with blaming_files():
            paths = self.paths(context, ".parquet")
            tables = [read_table(path, read_dictionary=repeated) for path in paths]
        return _stacked(tables) if len(tables) > 1 else tables[0]


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all `tables`; pandas alone would make text of categories that differ."""
    for column in map(str, tables[0].select_dtypes("category")):
        known = [table[column].cat.categories.astype("str") for table in tables]
        union = known[0].append(known[1:]).unique()
        tables = [
            table.assign(**{column: table[column].cat.set_categories(union)}) for table in tables
        ]
    return pd.concat(tables, ignore_index=True)


class Hdf5IO(OnDisk):
    """HDF5 files: written by the function that is the output, read as a path, to be streamed."""

    def handle_output(self, context: dg.OutputContext, obj: Callable[[Path], object]) -> None:
        """Have `obj` write the file."""
        path = self.path(context.asset_key, context.asset_partition_key, ".h5")
        with recording(path) as temporary:
            obj(temporary)
        with h5py.File(path, "r") as file:
            rows = len(file["interactions/user_id"])
            types = {name: column.dtype for name, column in file["interactions"].items()}
            first = {name: column[:PREVIEWED] for name, column in file["interactions"].items()}
        columns = column_metadata(context.asset_spec, types, ENCODED)
        preview = markdown(without_people(pd.DataFrame(first)))
        context.add_output_metadata(
            {"dagster/row_count": rows, **columns, **about(path), "preview": preview}
        )

    def load_input(self, context: dg.InputContext) -> Path:
        """Return the path."""
        return self.sound(context, ".h5")


@dataclass(frozen=True)
class Trained:
    """A trained model and the outside ids by encoded number, e.g. of "user_id" and "item_id"."""

    model: "Bundled"
    ids: Mapping[str, Sequence[str]] = field(default_factory=dict)


class BundleIO(OnDisk):
    """Bundles of models, one file each, so that a single rename replaces one; read as a path."""

    def handle_output(self, context: dg.OutputContext, obj: Trained) -> None:
        """Save the model."""
        from collie_core.bundle import save_bundle  # torch loads in the run

        path = self.path(context.asset_key, context.asset_partition_key, ".bundle")
        with recording(path) as temporary:
            save_bundle(obj.model, temporary, obj.ids)
        arrays = obj.model.tensors()
        shapes = pd.DataFrame(
            [(name, tuple(each.shape), str(each.dtype)) for name, each in arrays.items()],
            columns=["array", "shape", "dtype"],
        )
        metadata: dict[str, Any] = {
            "class": type(obj.model).__name__,
            **about(path),
            "arrays": markdown(shapes, rows=20),
        }
        context.add_output_metadata(metadata)

    def load_input(self, context: dg.InputContext) -> Path:
        """Return the path."""
        return self.sound(context, ".bundle")
