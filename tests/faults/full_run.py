"""`collie run` in a file system that is full before it ends, and again when there is room.

python full_run.py FOLDER SIZE HOME     mounts SIZE at FOLDER; prints a line of JSON a run
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from test_killed_runs import COLLIE, SMALL


def main(folder: Path, size: str, home: str) -> None:
    """Run twice, with DAGSTER_HOME at `home`."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], check=True)
    (folder / "collie.toml").write_text(SMALL)
    for room in (size, "200m"):
        subprocess.run(["mount", "-o", f"remount,size={room}", folder], check=True)
        environment = {**os.environ, "DAGSTER_HOME": home, "COLUMNS": "200"}
        done = subprocess.run(
            [COLLIE, "run"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        print(json.dumps({"code": done.returncode, "out": done.stdout, "err": done.stderr}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
