import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for searched and commanded

from commanded import MODEL, SMALL, collie


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which nothing but `collie tune` was run; what it said is in said.txt."""
    home = tmp_path_factory.mktemp("tune_home")
    (home / "collie.toml").write_text(SMALL)
    code, said, errors = collie(home, "tune", MODEL, "--trials", "3")
    assert (code, errors) == (0, ""), errors
    (home / "said.txt").write_text(said)
    return home
