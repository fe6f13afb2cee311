"""Publishing in several processes at once, while somebody reads."""

import subprocess
import sys
from pathlib import Path

from collie_pipeline.storage import current, publications

WRITER = """
import logging, sys
from pathlib import Path
import pandas as pd
from collie_pipeline.storage import prune, publish
logging.disable()
root, first = Path(sys.argv[1]), int(sys.argv[2])
for number in range(6):
    value = first + number % 4
    table = pd.DataFrame({"user_id": [str(value)] * 50})
    about = {"week": f"2026-01-{5 + 7 * (number % 3):02}", "value": value}
    publish(root, {"users": table, "items": table}, root / "model.bundle", about)
    prune(root, 2, 1)
"""


def test_readers_see_one_whole_set_while_two_publish(tmp_path: Path) -> None:
    (tmp_path / "model.bundle").write_bytes(b"weights")
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, first]) for first in ("0", "2")]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        if (serving := current(tmp_path)) is not None:
            users, items = (serving.read(name) for name in ("users", "items"))
            assert users.equals(items)
            assert set(users["user_id"]) == {str(serving.manifest["value"])}
            seen += 1
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen > 3
    left = [each.path.name for each in publications(tmp_path)]
    assert all("+" not in name for name in left)
    hidden = [path.name for path in (tmp_path / "publications").glob(".*")]
    assert hidden == [".lock"]
