"""Every file that a writer leaves, flipped or cut at random: named, or still what it was."""

import random
import shutil
from pathlib import Path

import dagster as dg
import pytest
from writers import WRITERS

SEEDS = 60
# Who made it, and when; what served before, which readers do not ask; and what is copied from.
UNREAD = {"run.json", "history.json", "model.bundle"}
UNUSED = (".sha256", ".ckpt")  # have bytes that mean nothing: a name, the date in an archive
OTHERS = {"duckdb", "prune", "rollback"}  # with checksums of its own; with files of publications


def damaged(content: bytes, seed: int) -> bytes:
    """Return `content` cut, or with a bit flipped."""
    chosen, flipped = random.Random(seed), bytearray(content)  # noqa: S311
    place = chosen.randrange(len(content))
    if seed % 3 == 0:
        return content[:place]
    flipped[place] ^= 1 << chosen.randrange(8)
    return bytes(flipped)


def files_of(root: Path) -> list[Path]:
    paths = (path for path in sorted(root.rglob("*")) if path.is_file())
    return [path for path in paths if path.name[0] != "." and path.name not in UNREAD]


@pytest.mark.parametrize("name", sorted(WRITERS.keys() - OTHERS))
def test_a_damaged_file_is_named_and_never_used(name: str, tmp_path: Path) -> None:
    writer, template = WRITERS[name], tmp_path / "template"
    writer.write(template, 1)
    whole, root, found = writer.found(template), tmp_path / "root", 0
    for path in files_of(template):
        own = root / path.relative_to(template)
        for seed in range(SEEDS):
            shutil.copytree(template, root)
            own.write_bytes(damaged(path.read_bytes(), seed))
            try:
                assert writer.found(root) == whole
                assert own.suffix in UNUSED, f"nobody saw that {own} changed"
            except (ValueError, dg.Failure) as error:
                found += 1
                said = str(error) or str(getattr(error, "description", ""))
                target = own.name.removesuffix(".sha256")
                assert target in said or str(own.parent) in said, (own, said)
            shutil.rmtree(root)
    assert found >= SEEDS / 2
