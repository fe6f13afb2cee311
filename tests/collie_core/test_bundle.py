import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from collie_core.baselines import Popularity
from collie_core.bundle import Bundle, load_model, model_of, read_bundle, save_bundle
from collie_core.interactions import Interactions
from collie_core.model import MatrixFactorizationModel

IDS = {"user_id": ["a", "ä", "", "\n"], "item_id": ["x", "y z"]}
KINDS = ["bundle", "bundle.pth"]
STEP = 5  # damage is done at every so many bytes; all of them took half a minute and found no more


@pytest.fixture
def model() -> MatrixFactorizationModel:
    data = Interactions(mat=np.eye(4, 6), num_negative_samples=2)
    return MatrixFactorizationModel(train=data, embedding_dim=2)


@pytest.fixture
def popularity() -> Popularity:
    return Popularity.fit(Interactions(mat=np.eye(4, 6), num_negative_samples=2))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    """Flip a bit in the first array, whether the file is the member or has it in front."""
    content = bytearray(path.read_bytes())
    start = content.index(b'"data_offsets"')
    content[content.index(b"}}", start) + 10] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("name", KINDS)
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


def same(ours: Bundle, theirs: Bundle) -> bool:
    plain = [
        (each.class_name, each.config, each.ids, each.tensors.keys()) for each in (ours, theirs)
    ]
    return plain[0] == plain[1] and all(
        tensor.dtype == theirs.tensors[name].dtype and tensor.equal(theirs.tensors[name])
        for name, tensor in ours.tensors.items()
    )


def test_a_cut_anywhere_in_a_file_is_refused(popularity: Popularity, tmp_path: Path) -> None:
    save_bundle(popularity, tmp_path / "a.pth", IDS)
    content = (tmp_path / "a.pth").read_bytes()
    for length in range(0, len(content), STEP):
        (tmp_path / "b.pth").write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"b\.pth"):
            read_bundle(tmp_path / "b.pth")


def test_a_flip_anywhere_in_a_file_is_refused_or_changes_nothing(
    popularity: Popularity, tmp_path: Path
) -> None:
    save_bundle(popularity, tmp_path / "a.pth", IDS)
    whole, content = read_bundle(tmp_path / "a.pth"), (tmp_path / "a.pth").read_bytes()
    refused = set()
    places = range(0, len(content), STEP)
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        (tmp_path / "b.pth").write_bytes(flipped)
        try:
            assert same(read_bundle(tmp_path / "b.pth"), whole)
        except ValueError as error:
            assert "b.pth" in str(error)  # noqa: PT017 - dates in a zip may differ unnoticed
            refused.add(place)
    for name in ("model.safetensors", "ids.safetensors", "config.json"):
        with zipfile.ZipFile(tmp_path / "a.pth") as archive:
            member = archive.read(name)
        begin = content.index(member)
        assert refused.issuperset(set(places) & set(range(begin, begin + len(member))))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({8: 1}, r"model\.safetensors is not stored as it is"),
        ({27: 127}, r"model\.safetensors is not stored as it is"),
        ({9: 8, 46: 255}, "can't decode byte"),
    ],
    ids=["encrypted", "of two gigabytes", "name of no text"],
)
def test_a_directory_that_lies_about_a_member_is_refused(
    popularity: Popularity, changes: dict[int, int], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.pth"
    save_bundle(popularity, path)
    content = bytearray(path.read_bytes())
    for offset, value in changes.items():
        content[content.index(b"PK\1\2") + offset] = value
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"a\.pth is no bundle or was cut \(.*{message}"):
        read_bundle(path)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_members_behind_any_damaged_directory_are_refused_or_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.pth"
    save_bundle(Popularity(2, torch.ones(3)), path)
    whole, content = read_bundle(path), bytearray(path.read_bytes())
    places = st.integers(content.index(b"PK\1\2"), len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=4)):
        content[place] = value
    path.write_bytes(content)
    try:
        assert same(read_bundle(path), whole)
    except ValueError as error:
        assert "damaged.pth" in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", ["model.safetensors", "ids.safetensors"])
def test_a_cut_or_flip_anywhere_in_a_folder_s_member_is_refused(
    popularity: Popularity, name: str, tmp_path: Path
) -> None:
    save_bundle(popularity, tmp_path / "bundle", IDS)
    member = tmp_path / "bundle" / name
    content = member.read_bytes()
    for place in range(0, len(content), STEP):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        for damaged in (flipped, content[:place]):
            member.write_bytes(damaged)
            with pytest.raises(ValueError, match=rf"{name} .* sha256"):
                read_bundle(tmp_path / "bundle")


def test_a_cut_anywhere_in_a_folder_s_config_is_refused(
    popularity: Popularity, tmp_path: Path
) -> None:
    save_bundle(popularity, tmp_path / "bundle")
    config = tmp_path / "bundle" / "config.json"
    content = config.read_bytes()
    for length in range(0, len(content), STEP):
        config.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"is no bundle \(config\.json: "):
            read_bundle(tmp_path / "bundle")


@pytest.mark.parametrize("name", ["model.safetensors", "ids.safetensors", "config.json"])
def test_a_missing_member_is_refused(popularity: Popularity, name: str, tmp_path: Path) -> None:
    save_bundle(popularity, tmp_path / "bundle", IDS)
    (tmp_path / "bundle" / name).unlink()
    zipped(tmp_path / "bundle", tmp_path / "bundle.pth")
    for kind in KINDS:
        with pytest.raises(ValueError, match=name):
            read_bundle(tmp_path / kind)


def zipped(folder: Path, path: Path, compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for member in folder.iterdir():
            archive.write(member, member.name)


def test_a_member_too_many_is_refused(popularity: Popularity, tmp_path: Path) -> None:
    save_bundle(popularity, tmp_path / "bundle")
    (tmp_path / "bundle" / "more.bin").touch()
    zipped(tmp_path / "bundle", tmp_path / "bundle.pth")
    for kind in KINDS:
        with pytest.raises(ValueError, match=r"holds \['more\.bin'\], .*: remove them"):
            read_bundle(tmp_path / kind)


def test_hidden_files_in_a_folder_are_none_of_ours(popularity: Popularity, tmp_path: Path) -> None:
    save_bundle(popularity, tmp_path / "bundle")
    (tmp_path / "bundle" / ".DS_Store").touch()
    assert read_bundle(tmp_path / "bundle").class_name == "Popularity"


def test_a_member_that_is_there_twice_is_refused(popularity: Popularity, tmp_path: Path) -> None:
    save_bundle(popularity, tmp_path / "bundle.pth")
    with zipfile.ZipFile(tmp_path / "bundle.pth", "a") as archive:
        member = archive.read("config.json")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("config.json", member)
    with pytest.raises(ValueError, match=r"config\.json is there twice"):
        read_bundle(tmp_path / "bundle.pth")


def test_a_compressed_file_is_refused_as_its_size_could_be_anything(
    popularity: Popularity, tmp_path: Path
) -> None:
    save_bundle(popularity, tmp_path / "bundle")
    zipped(tmp_path / "bundle", tmp_path / "bundle.pth", zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="is not stored as it is"):
        read_bundle(tmp_path / "bundle.pth")


def changed(folder: Path, **values: Any) -> Path:
    """Return `folder` with `values` in the config of the bundle there."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **values}))
    return folder


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sha256": {}}, "is no bundle .*members of a bundle"),
        ({"sha256": []}, "is no bundle"),
        ({"sha256": {"ids.safetensors": ""}}, "is no bundle .*members of a bundle"),
        ({"sha256": {"model.safetensors": "", "../a": ""}}, "is no bundle .*members of a bundle"),
        ({"sha256": {"model.safetensors": None}}, "differs from its sha256"),
        ({"class": 1}, "is no bundle"),
        ({"config": None}, "is no bundle"),
        ({"format": 2}, "has format 2, must be 1: load it with"),
    ],
)
def test_a_config_that_is_none_of_ours_is_refused(
    popularity: Popularity, values: dict[str, Any], message: str, tmp_path: Path
) -> None:
    save_bundle(popularity, tmp_path / "bundle")
    with pytest.raises(ValueError, match=message):
        read_bundle(changed(tmp_path / "bundle", **values))


@pytest.mark.parametrize("text", ["[]", "null", "1", '"a"', "[" * 100_000, "\xff"])
def test_a_config_of_another_kind_is_refused(
    popularity: Popularity, text: str, tmp_path: Path
) -> None:
    save_bundle(popularity, tmp_path / "bundle")
    (tmp_path / "bundle" / "config.json").write_text(text, encoding="latin1")
    with pytest.raises(ValueError, match=r"is no bundle \(config\.json: "):
        read_bundle(tmp_path / "bundle")


@pytest.mark.parametrize(
    "tensors",
    [
        {"user_id.text": torch.zeros(1, dtype=torch.uint8)},
        {"user_id.text": torch.zeros(1), "user_id.ends": torch.ones(1)},
        {"user_id.text": torch.tensor([255], dtype=torch.uint8), "user_id.ends": torch.tensor([1])},
        {"user_id.text": torch.zeros(1, dtype=torch.uint8), "user_id.ends": torch.tensor(1)},
    ],
    ids=["no ends", "fractions", "no text", "no list"],
)
def test_ids_that_are_none_are_refused(
    popularity: Popularity, tensors: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    save_bundle(popularity, tmp_path / "bundle", IDS)
    content = safetensors.torch.save(tensors)
    (tmp_path / "bundle" / "ids.safetensors").write_bytes(content)
    digests = json.loads((tmp_path / "bundle" / "config.json").read_text())["sha256"]
    digests["ids.safetensors"] = hashlib.sha256(content).hexdigest()
    with pytest.raises(ValueError, match=r"ids\.safetensors holds no ids .*: save the model again"):
        read_bundle(changed(tmp_path / "bundle", sha256=digests))


def test_a_class_that_no_bundle_has_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown bundle class 'Path': use one of"):
        model_of(Bundle("Path", {}, {}))


def test_members_are_what_other_tools_read(popularity: Popularity, tmp_path: Path) -> None:
    for kind in KINDS:
        save_bundle(popularity, tmp_path / kind, IDS)
    with zipfile.ZipFile(tmp_path / "bundle.pth") as archive:
        assert archive.testzip() is None
        members = {name: archive.read(name) for name in archive.namelist()}
    assert members == {file.name: file.read_bytes() for file in (tmp_path / "bundle").iterdir()}
    tensors = safetensors.torch.load(members["model.safetensors"])
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {
        name: tensor.tolist() for name, tensor in popularity.tensors().items()
    }


def test_the_same_model_makes_the_same_bytes(popularity: Popularity, tmp_path: Path) -> None:
    for name in ("a.pth", "b.pth"):
        save_bundle(popularity, tmp_path / name, IDS)
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "b.pth").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.pth") as archive:  # not even the clock is in them
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("name", KINDS)
def test_a_folder_that_is_no_bundle_is_not_replaced(
    popularity: Popularity, name: str, tmp_path: Path
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.txt").write_text("mine")
    with pytest.raises(ValueError, match="choose another path"):
        save_bundle(popularity, tmp_path / name)
    assert (tmp_path / name / "thesis.txt").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_is_not_replaced_by_a_folder(popularity: Popularity, tmp_path: Path) -> None:
    (tmp_path / "bundle").write_text("mine")
    with pytest.raises(
        ValueError, match="is there and is not a folder, as there is no suffix: choose"
    ):
        save_bundle(popularity, tmp_path / "bundle")
    assert (tmp_path / "bundle").read_text() == "mine"


def test_an_empty_folder_takes_a_bundle(popularity: Popularity, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    save_bundle(popularity, tmp_path / "bundle")
    assert isinstance(load_model(tmp_path / "bundle"), Popularity)


@pytest.mark.parametrize("name", KINDS)
def test_saving_again_replaces_and_leaves_nothing_behind(
    model: MatrixFactorizationModel, name: str, tmp_path: Path
) -> None:
    for _ in range(2):
        save_bundle(model, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", KINDS)
def test_a_save_that_fails_keeps_the_old_bundle(
    model: MatrixFactorizationModel, name: str, tmp_path: Path
) -> None:
    save_bundle(model, tmp_path / name)
    before = read_bundle(tmp_path / name)
    model.hparams["embedding_dim"] = float("nan")  # JSON has no NaN
    with pytest.raises(ValueError, match="JSON"):
        save_bundle(model, tmp_path / name)
    assert same(read_bundle(tmp_path / name), before)
    assert [each.name for each in tmp_path.iterdir()] == [name]
