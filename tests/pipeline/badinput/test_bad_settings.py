"""Every kind of bad setting, from a real collie.toml, over a sound file."""

from pathlib import Path

import pytest
from kind import sound, table
from setting_kinds import SETTINGS, Setting

from collie_pipeline.project import Project
from collie_pipeline.settings import load_settings


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_an_error_names_the_setting_its_value_and_the_rule(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(sound())(tmp_path)
    (tmp_path / "collie.toml").write_text(setting.toml)
    monkeypatch.setenv("COLLIE_DATA_PATH", str(tmp_path))
    if not setting.toml.startswith("source"):
        monkeypatch.setenv("COLLIE_SOURCE", "files")
    with pytest.raises(ValueError, match=r"\S") as refusal:
        _ = Project(load_settings()).span
    place = -1
    for part in setting.error:
        place = str(refusal.value).find(part, place + 1)
        assert place >= 0, f"{part!r} is not in its place in {refusal.value}"
