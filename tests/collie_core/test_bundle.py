from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from collie_core.bundle import load_model, read_bundle, save_bundle
from collie_core.interactions import Interactions
from collie_core.model import MatrixFactorizationModel

IDS = {"user_id": ["a", "ä", "", "\n"], "item_id": ["x", "y z"]}


@pytest.fixture
def model() -> MatrixFactorizationModel:
    data = Interactions(mat=np.eye(4, 6), num_negative_samples=2)
    return MatrixFactorizationModel(train=data, embedding_dim=2)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("name", ["bundle", "bundle.pth"])
def test_ids_of_any_text_come_back(
    model: MatrixFactorizationModel, name: str, tmp_path: Path
) -> None:
    save_bundle(model, tmp_path / name, IDS)
    assert read_bundle(tmp_path / name).ids == IDS


def test_a_bundle_names_the_class_that_loads_it(
    model: MatrixFactorizationModel, tmp_path: Path
) -> None:
    save_bundle(model, tmp_path / "model.pth")
    assert isinstance(load_model(tmp_path / "model.pth"), MatrixFactorizationModel)


@pytest.mark.parametrize("fault", [cut, flip, empty])
def test_damaged_weights_in_a_folder_are_refused(
    model: MatrixFactorizationModel, fault: Callable[[Path], None], tmp_path: Path
) -> None:
    model.save_model(tmp_path / "bundle")
    fault(tmp_path / "bundle" / "model.safetensors")
    with pytest.raises(ValueError, match=r"model\.safetensors .* sha256"):
        MatrixFactorizationModel(load_model_path=tmp_path / "bundle")


@pytest.mark.parametrize("fault", [cut, flip, empty])
def test_a_damaged_file_is_refused(
    model: MatrixFactorizationModel, fault: Callable[[Path], None], tmp_path: Path
) -> None:
    model.save_model(tmp_path / "model.pth")
    fault(tmp_path / "model.pth")
    with pytest.raises(ValueError, match=r"model\.pth"):
        MatrixFactorizationModel(load_model_path=tmp_path / "model.pth")


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no bundle at .*none\.pth"):
        read_bundle(tmp_path / "none.pth")


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no bundle"):
        read_bundle(tmp_path)


def test_a_bundle_of_another_class_is_refused(
    model: MatrixFactorizationModel, tmp_path: Path
) -> None:
    from collie_core.model import ColdStartModel

    model.save_model(tmp_path / "model.pth")
    with pytest.raises(ValueError, match="holds a MatrixFactorizationModel, not a ColdStartModel"):
        ColdStartModel(load_model_path=tmp_path / "model.pth")


@pytest.mark.parametrize("name", ["bundle", "bundle.pth"])
def test_saving_again_replaces_and_leaves_nothing_behind(
    model: MatrixFactorizationModel, name: str, tmp_path: Path
) -> None:
    for _ in range(2):
        save_bundle(model, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_save_that_fails_keeps_the_old_bundle(
    model: MatrixFactorizationModel, tmp_path: Path
) -> None:
    path = tmp_path / "model.pth"
    save_bundle(model, path)
    before = path.read_bytes()
    model.hparams["embedding_dim"] = float("nan")  # JSON has no NaN
    with pytest.raises(ValueError, match="JSON"):
        save_bundle(model, path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["model.pth"]
