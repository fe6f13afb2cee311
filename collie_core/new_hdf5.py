"""HDF5 files that are being written, where a disk may be full."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import h5py


class _Uncomplaining(FileIO):
    """A file that accepts whatever is written, and keeps the first error for later.

    The HDF5 library cannot close a file that it cannot write: the process may even crash.
    """

    fault: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of `data`, or pass over as much once a write has failed."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while rest and self.fault is None:
                rest = rest[super().write(rest) or 0 :]
        except OSError as error:
            self.fault = error
        self.seek(len(rest), os.SEEK_CUR)
        return size

    def truncate(self, size: int | None = None) -> int:
        """Change the size, unless that or a write has failed."""
        try:
            return super().truncate(size) if self.fault is None else size or 0
        except OSError as error:
            self.fault = error
            return size or 0


@contextmanager
def new_hdf5(path: Path) -> Iterator[h5py.File]:
    """Give a new HDF5 file at `path` to be written.

    Raises
    ------
    OSError
        If it could not be written, when the block ends; the disk is full, for example.
    """
    with _Uncomplaining(path, "w+") as raw:
        try:
            with h5py.File(raw, "w") as file:
                yield file
        except Exception:
            if raw.fault is None:
                raise
        if raw.fault is not None:
            raise raw.fault
