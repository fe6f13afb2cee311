"""A real PostgreSQL of the tests' own: on a socket in a folder, with a password, to be killed."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2
import pytest

PASSWORD = "p@ss/w0rd-of-the-tests"  # noqa: S105 - planted, to be searched for
OPTIONS = "-c listen_addresses='' -c fsync=off -c max_connections=40"


class Server:
    """A cluster under `home`, which servers of the same data can be started and killed on."""

    def __init__(self, programs: Path, home: Path, user: str | None) -> None:
        self.programs, self.home, self.user = programs, home, user

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return (
            f"postgresql+psycopg2://collie:{quote(PASSWORD, safe='')}@/{database}?host={self.home}"
        )

    def connect(
        self, database: str = "postgres", user: str = "collie"
    ) -> psycopg2.extensions.connection:
        return psycopg2.connect(host=str(self.home), user=user, password=PASSWORD, dbname=database)

    def run(self, program: str, *arguments: str) -> None:
        log = self.home / "programs.log"
        with log.open("ab") as file:
            subprocess.run(
                [str(self.programs / program), *arguments],
                check=True,
                user=self.user,
                group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
                extra_groups=None if self.user is None else [],
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    def make(self) -> None:
        secret = self.home / "password"
        secret.write_text(PASSWORD)
        own = ["-A", "scram-sha-256", "--pwfile", str(secret), "-U", "collie", "-E", "UTF8"]
        self.run("initdb", "-D", str(self.home / "data"), "--no-sync", "--locale", "C", *own)

    def start(self) -> None:
        options = f"{OPTIONS} -k {self.home}"
        log = str(self.home / "server.log")
        self.run("pg_ctl", "start", "-w", "-D", str(self.home / "data"), "-l", log, "-o", options)

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(self.home / "data"))

    def kill(self) -> None:
        """End the server and every process of it as a power cut would."""
        first = int((self.home / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        processes = [first, *map(int, children)]
        for process in processes:
            os.kill(process, signal.SIGKILL)
        while any(map(is_running, processes)):
            time.sleep(0.01)
        # In a container nobody may be there to bury it, and its number would seem to be in use.
        for left in (self.home / "data" / "postmaster.pid", *self.home.glob(".s.PGSQL.*")):
            left.unlink()


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def programs() -> Path | None:
    """Return where PostgreSQL's programs are, or None: the wheel's, PATH's, or Debian's."""
    wheel = find_spec("pgserver")
    on_path = shutil.which("initdb")
    found = [Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []
    found += [Path(on_path).resolve().parent] if on_path else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((each for each in found if (each / "initdb").exists()), None)


def lent(found: Path, home: Path) -> Path:
    """Copy a wheel's programs to `home`: root's environment may lie where nobody else may enter."""
    wheel = found.parents[1]
    if wheel.name != "pgserver":
        return found
    for name in ("pgserver", "pgserver.libs"):  # beside each other, as the programs look for them
        if (wheel.parent / name).exists():
            shutil.copytree(wheel.parent / name, home / name, symlinks=True)
    return home / "pgserver" / "pginstall" / "bin"


@contextmanager
def running_server() -> Iterator[Server]:
    """Give a server that has started; PostgreSQL refuses to run as root, so root lends `nobody`."""
    found = programs()
    if found is None:
        pytest.skip("there is no PostgreSQL here: install pgserver")
    home = Path(tempfile.mkdtemp(prefix="collie-pg-", dir="/tmp"))
    user = "nobody" if os.geteuid() == 0 else None
    if user is not None:
        found = lent(found, home)
        os.chown(home, pwd.getpwnam(user).pw_uid, -1)
    server = Server(found, home, user)
    try:
        server.make()
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
