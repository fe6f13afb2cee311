"""Code that a user without rights runs: what its error says."""

import os
import subprocess
import sys
from pathlib import Path

NOBODY = 65534
BECOME = f"""
import os, sys
from pathlib import Path
if os.getuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
"""


def said_to_nobody(code: str, folder: Path) -> str:
    """Return the last line that is printed by `code`, of which the imports are the first line."""
    for above in (folder, *folder.parents):
        if above.stat().st_mode & 0o005 != 0o005 and above.stat().st_uid == os.getuid():
            above.chmod(above.stat().st_mode | 0o005)  # pytest's own folders, for another user
    imports, _, body = code.strip().partition("\n")
    done = subprocess.run(
        [sys.executable, "-c", f"{imports}\n{BECOME}\n{body}", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout + done.stderr).strip().splitlines()[-1]
