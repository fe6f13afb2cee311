"""Run a function in a process that is killed at its n-th system call that changes a file.

`ptrace` by `ctypes`: what C and C++ libraries write is counted like what Python does, and the call
at which the process dies is not carried out. The caller has one thread.
"""

import ctypes
import os
import platform
import signal
import sys
import traceback
from collections.abc import Callable

TRACE_ME, GO_ON, SET_OPTIONS, CALL_INFO = 0, 24, 0x4200, 0x420E
MARK_CALLS, DIE_WITH_US = 1, 1 << 20
ENTRY = 1  # of the kinds of stops
MACHINES = ("x86_64", "aarch64")
NUMBERS = {  # of the calls that change files, by machine
    "write": ((1, 18, 20, 40, 326), (64, 66, 68, 71, 285)),  # also pwrite, writev, sendfile, copy
    "open": ((2, 257), (56,)),
    "flush": ((74, 75), (82, 83)),
    "resize": ((76, 77, 285), (45, 46, 47)),
    "rename": ((82, 264, 316), (38, 276)),
    "mkdir": ((83, 258), (34,)),
    "unlink": ((84, 87, 263), (35,)),
    "link": ((86, 265), (37,)),
    "chmod": ((90, 91, 268), (52, 53)),
    "lock": ((73,), (32,)),
}
CHANGING = {
    machine: {number: kind for kind, by_machine in NUMBERS.items() for number in by_machine[column]}
    for column, machine in enumerate(MACHINES)
}
UNTRACED = (
    "no process may be traced here, and so none is killed at a system call: use Linux on x86_64 or "
    "aarch64, and allow ptrace (docker run --cap-add SYS_PTRACE); SKIP_KILLS=1 has the tests go on "
    "without"
)
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Call(ctypes.Structure):
    """The kernel's `ptrace_syscall_info`, at an entry."""

    _fields_ = (
        ("stop", ctypes.c_uint8),
        ("machine", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    )


def refuse_untraced() -> None:
    """End this process if no other may be traced by it.

    Raises
    ------
    SystemExit
        If so; the message has the way out.
    """
    known = sys.platform == "linux" and platform.machine() in CHANGING
    if not known or traced(lambda: None, None) != ("exit 0", []):
        raise SystemExit(UNTRACED)


def in_child(act: Callable[[], object]) -> str:
    """Return what `act` ended with in a process of its own: "exit 0", "exit 1" or "killed"."""
    pid = os.fork()
    if pid == 0:
        _do(act)
    return _ending(os.waitpid(pid, 0)[1])


def traced(act: Callable[[], object], last: int | None) -> tuple[str, list[str]]:
    """Return what `act` ended with, killed at its change number `last`, and what it changed."""
    pid = os.fork()
    if pid == 0:
        if _ptrace(TRACE_ME) != 0:
            os._exit(77)
        os.kill(os.getpid(), signal.SIGSTOP)
        _do(act)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSTOPPED(status):  # it may not be traced
        return _ending(status), []
    _ptrace(SET_OPTIONS, pid, None, MARK_CALLS | DIE_WITH_US)
    changes: list[str] = []
    passed_on = 0
    while _ptrace(GO_ON, pid, None, passed_on) == 0:
        _, status = os.waitpid(pid, 0)
        if not os.WIFSTOPPED(status):
            return _ending(status), changes
        stopped_by = os.WSTOPSIG(status)
        passed_on = 0 if stopped_by & ~0x80 == signal.SIGTRAP else stopped_by
        if stopped_by == signal.SIGTRAP | 0x80 and (change := _change(pid)):
            changes.append(change)
            if len(changes) == last:
                os.kill(pid, signal.SIGKILL)
    return _ending(os.waitpid(pid, 0)[1]), changes


def _do(act: Callable[[], object]) -> None:
    try:
        act()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _ending(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return "killed" if code == -signal.SIGKILL else f"exit {code}"


def _ptrace(request: int, pid: int = 0, address: int | None = None, data: int = 0) -> int:
    return int(libc.ptrace(request, pid, address, data))


def _change(pid: int) -> str | None:
    """Return what the call, at whose entry `pid` stopped, does to files; None for nothing."""
    call = Call()
    size, place = ctypes.sizeof(call), ctypes.addressof(call)
    if _ptrace(CALL_INFO, pid, size, place) <= 0 or call.stop != ENTRY:
        return None
    kind = CHANGING[platform.machine()].get(call.number)
    if kind == "open":
        flags = call.arguments[1 if call.number == 2 else 2]
        return kind if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else None
    return kind
