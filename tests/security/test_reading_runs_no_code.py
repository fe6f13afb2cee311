"""A pickle that would make a file is fed to everything we read: no file, and a clear error."""

import gzip
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from local_server import served
from pickles import Payload, evil, no_pickle, pickled_by_torch

from collie_core.bundle import load_model, read_bundle
from collie_core.interactions import HDF5Interactions, Interactions
from collie_core.interactions.hdf5_file import read_columns as read_hdf5_columns
from collie_core.interactions.hdf5_file import read_ids
from collie_core.model import CollieTrainer, MatrixFactorizationModel
from collie_core.movielens import (
    read_movielens_df,
    read_movielens_df_item,
    read_movielens_df_user,
    read_movielens_posters_df,
)
from collie_core.movielens.download import unpack
from collie_core.utils import pandas_df_to_hdf5
from collie_pipeline.sections import Columns, Files
from collie_pipeline.settings import load_settings
from collie_pipeline.sources.tables import read_columns
from collie_pipeline.storage.publication import read_publication

MOVIELENS: dict[str, Callable[[], object]] = {
    "u.data": read_movielens_df,
    "u.item": read_movielens_df_item,
    "u.user": read_movielens_df_user,
}
REFUSED = (ValueError, OSError, zipfile.BadZipFile)
ROWS = pd.DataFrame({"user_id": [0, 1], "item_id": [1, 0]})


def test_the_payload_works_and_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="open"), no_pickle():
        pickle.loads(evil(tmp_path / "it_ran")).close()  # noqa: S301 - what nothing else may do
    assert (tmp_path / "it_ran").exists()


def folder_bundle(path: Path, name: str, content: bytes) -> Path:
    """A bundle of a model, of which one member is replaced."""
    model(2).save_model(path)
    (path / name).write_bytes(content)
    return path


def model(embedding_dim: int = 2) -> MatrixFactorizationModel:
    data = Interactions(
        users=np.arange(8) % 4,
        items=np.arange(8),
        num_negative_samples=1,
        check_num_negative_samples_is_valid=False,
    )
    return MatrixFactorizationModel(train=data, embedding_dim=embedding_dim)


def bundle_file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


BUNDLES: dict[str, Callable[[Path, Path], Path]] = {
    "a pickle": lambda at, marker: bundle_file(at / "m.pth", evil(marker)),
    "saved by torch": lambda at, marker: pickled_by_torch(at / "m.pth", marker),
    "weights": lambda at, marker: folder_bundle(at / "m", "model.safetensors", evil(marker)),
    "config": lambda at, marker: folder_bundle(at / "m", "config.json", evil(marker)),
    "another member": lambda at, marker: folder_bundle(at / "m", "data.pkl", evil(marker)),
    "zip": lambda at, marker: archive(
        at / "m.pth", {"config.json": b"{}", "model.safetensors": evil(marker)}
    ),
}


@pytest.mark.parametrize("kind", BUNDLES)
@pytest.mark.parametrize("read", [read_bundle, load_model])
def test_bundle(kind: str, read: Callable[[Path], object], marker: Path, tmp_path: Path) -> None:
    path = BUNDLES[kind](tmp_path, marker)
    with no_pickle(), pytest.raises(ValueError, match=path.name):
        read(path)


def test_model_of_load_model_path(marker: Path, tmp_path: Path) -> None:
    path = pickled_by_torch(tmp_path / "model.pth", marker)
    with no_pickle(), pytest.raises(ValueError, match=r"model\.pth"):
        MatrixFactorizationModel(load_model_path=path)


QUIET: Any = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


@pytest.mark.parametrize("method", ["fit", "validate", "predict"])
@pytest.mark.parametrize("remote", [False, True])
@pytest.mark.filterwarnings("ignore")  # fsspec's, of a server without ETags
def test_checkpoint(
    method: str, remote: bool, marker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    pickled_by_torch(tmp_path / "last.ckpt", marker)
    own = model()
    trainer = CollieTrainer(own, max_epochs=1, **QUIET)
    arguments = {} if method == "fit" else {"dataloaders": own.train_loader}
    with served(tmp_path) as address:
        path = f"{address if remote else tmp_path}/last.ckpt"
        with no_pickle(), pytest.raises(ValueError, match=r"last\.ckpt"):
            getattr(trainer, method)(own, ckpt_path=path, **arguments)


def test_checkpoint_of_a_class(marker: Path, tmp_path: Path) -> None:
    path = pickled_by_torch(tmp_path / "last.ckpt", marker)
    with no_pickle(), pytest.raises(ValueError, match="only a trainer goes on with"):
        MatrixFactorizationModel.load_from_checkpoint(path)


@pytest.mark.parametrize(
    "read", [read_hdf5_columns, read_ids, lambda path: HDF5Interactions(hdf5_path=path)]
)
def test_hdf5_that_is_a_pickle(
    read: Callable[[Path], object], marker: Path, tmp_path: Path
) -> None:
    path = bundle_file(tmp_path / "rows.h5", evil(marker))
    with no_pickle(), pytest.raises(ValueError, match=r"rows\.h5"):
        read(path)


@pytest.mark.parametrize("attribute", ["user_id_kind", "values_block_0_kind"])
def test_names_of_columns_in_pytables_attributes(
    attribute: str, marker: Path, tmp_path: Path
) -> None:
    path = tmp_path / "rows.h5"
    field = attribute.removesuffix("_kind")
    with h5py.File(path, "w") as file:
        table = file.create_group("interactions").create_dataset(
            "table", data=np.zeros(2, [("index", "i8"), (field, "i8")])
        )
        table.attrs[attribute] = np.void(evil(marker))
        table.attrs["info"] = np.void(evil(marker))
    with no_pickle(), pytest.raises(ValueError, match=r"rows\.h5"):
        read_hdf5_columns(path, ("user_id", "item_id"))


def test_pickles_that_are_not_asked_for(marker: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.h5"
    pandas_df_to_hdf5(ROWS, path)
    with h5py.File(path, "a") as file:
        for node in (file, file["interactions"], file["interactions/user_id"]):
            node.attrs["TITLE"] = np.void(evil(marker))
        file["interactions"].attrs["values_axes"] = np.void(evil(marker))
    with no_pickle():
        assert read_hdf5_columns(path)["user_id"].tolist() == [0, 1]
        assert HDF5Interactions(hdf5_path=path).num_users == 2
        assert read_ids(path) == {}


OURS = Files(columns=Columns(user_id="user_id", item_id="item_id"))


@pytest.mark.parametrize("name", ["r.parquet", "r.csv", "r.csv.gz", "r.npy", "r.pkl", "r.h5"])
def test_interactions_of_files(name: str, marker: Path, tmp_path: Path) -> None:
    content = evil(marker)
    path = bundle_file(tmp_path / name, gzip.compress(content) if name.endswith("gz") else content)
    with no_pickle(), pytest.raises(ValueError, match=name):
        read_columns(path, ["user_id", "item_id"], OURS)


def test_array_of_objects(marker: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "r.npy", np.array([Payload(marker)], dtype=object))
    path = (tmp_path / "r.npy").rename(tmp_path / "r.csv")
    with no_pickle(), pytest.raises(ValueError, match=r"r\.csv"):
        read_columns(path, ["user_id", "item_id"], OURS)


@pytest.fixture
def parquet(marker: Path, tmp_path: Path) -> Path:
    """A table with a pickle wherever its metadata can have one."""
    extension = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": evil(marker),
    }
    fields = [pa.field(name, pa.string(), metadata=extension) for name in ROWS.columns]
    described = {b"pandas": b'{"index_columns": [], "columns": [], "x": "' + b"y" * 9 + b'"}'}
    schema = pa.schema(fields, {**described, b"collie": evil(marker)})
    table = pa.table([pa.array(["a", "b"])] * 2, schema=schema)
    pq.write_table(table, tmp_path / "2026-01-05.parquet")
    return tmp_path / "2026-01-05.parquet"


def test_metadata_of_parquet(parquet: Path) -> None:
    with no_pickle():
        read = read_columns(parquet, ["user_id", "item_id"], OURS)
    assert read["user_id"].tolist() == ["a", "b"]


def test_metadata_of_our_own_tables(parquet: Path) -> None:
    with no_pickle():
        assert pd.read_parquet(parquet)["item_id"].tolist() == ["a", "b"]  # as ParquetIO does


def test_manifest(marker: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(evil(marker))
    with no_pickle(), pytest.raises(ValueError, match="is no publication"):
        read_publication(tmp_path)


def test_settings(marker: Path, tmp_path: Path) -> None:
    (tmp_path / "collie.toml").write_bytes(evil(marker))
    with no_pickle(), pytest.raises(ValueError, match=r"collie\.toml"):
        load_settings()


def test_movielens_files(marker: Path, tmp_path: Path) -> None:
    (tmp_path / "ml-100k").mkdir()
    for name in ("u.data", "u.item", "u.user"):
        (tmp_path / "ml-100k" / name).write_bytes(evil(marker))
    for name, read in MOVIELENS.items():
        with no_pickle(), pytest.raises(ValueError, match=name):
            read()


def test_movielens_archive_and_posters(marker: Path, tmp_path: Path) -> None:
    (tmp_path / "movielens_posters.csv").write_bytes(evil(marker))
    with no_pickle():
        with pytest.raises(ValueError, match="posters"):
            read_movielens_posters_df()
        with pytest.raises(REFUSED):
            unpack(evil(marker), tmp_path / "there")
        unpack(
            archive(tmp_path / "a.zip", {"ml/u.data": evil(marker)}).read_bytes(), tmp_path / "m"
        )
    assert (tmp_path / "m" / "u.data").read_bytes() == evil(marker)
