"""The tie of a step's process to that of its run."""

import ctypes
import os
import signal
import sys
from multiprocessing import parent_process

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have this process killed when the process that started it is, if it is the step of a run.

    Else a training would go on to its end beside the one that is started in its place. Only Linux
    offers it, and in process, as from the command, there is no such parent.
    """
    parent = parent_process()
    if parent is None or sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if not parent.is_alive():  # it went before the line above
        os.kill(os.getpid(), signal.SIGKILL)
