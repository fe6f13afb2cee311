"""What is wrong with a file that cannot be read, and what would help."""

import codecs
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from collie_pipeline.sections import Files
from collie_pipeline.sources.csv_files import opened

BLOCK = 1 << 20
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
MEANT: Mapping[str, bytes] = {".gz": GZIP, ".parquet": PARQUET}
BEGINNINGS: Mapping[bytes, str] = {
    GZIP: "it begins as gzip does: call it .csv.gz",
    b"PK\x03\x04": "it begins as a zip archive or a spreadsheet does: unpack it, or save it as CSV",
    PARQUET: "it begins as Parquet does: call it .parquet",
    codecs.BOM_UTF32_LE: "it begins as UTF-32 does: set files.encoding = 'utf-32'",
    codecs.BOM_UTF32_BE: "it begins as UTF-32 does: set files.encoding = 'utf-32'",
    codecs.BOM_UTF16_LE: "it begins as UTF-16 does: set files.encoding = 'utf-16'",
    codecs.BOM_UTF16_BE: "it begins as UTF-16 does: set files.encoding = 'utf-16'",
}
DELIMITERS = (";", "\t", "|", ",")


def beginning(path: Path) -> str | None:
    """Return what `path` is by its first bytes, with the way out, if not what its name says."""
    with path.open("rb") as file:
        first = file.read(4)
    if path.suffix == ".gz" and first.startswith(GZIP):
        with suppress(OSError, EOFError, zlib.error), opened(path) as unpacked:
            return _known(unpacked.read(4), GZIP)
    return _known(first, MEANT.get(path.suffix, b""))


def _known(first: bytes, meant: bytes) -> str | None:
    others = {magic: said for magic, said in BEGINNINGS.items() if magic != meant}
    return next((said for magic, said in others.items() if first.startswith(magic)), None)


def bad_byte(path: Path, encoding: str) -> str:
    """Return which byte of the CSV file at `path` is the first that `encoding` does not have."""
    decoder = codecs.getincrementaldecoder(encoding)()
    before, line = 0, 1
    with opened(path) as stream:
        while True:
            block = stream.read(BLOCK)
            pending = decoder.getstate()[0]
            try:
                line += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                at = before - len(pending) + error.start
                return f"byte 0x{error.object[error.start]:02x} at offset {at:,}, line {line:,}"
            if not block:
                return "no byte of it alone"
            before += len(block)


def column_hint(names: tuple[str, ...], missing: str, files: Files) -> str:
    """Return what to set where a file with the columns `names` has no column `missing`."""
    if any("\0" in name for name in names):
        return (
            "its first line has NUL bytes, as has UTF-16 without its mark: set files.encoding = "
            "'utf-16-le' or 'utf-16-be', or write it again without them"
        )
    if len(names) == 1:
        for delimiter in DELIMITERS:
            if delimiter != files.delimiter and delimiter in names[0]:
                return f"set files.delimiter = {delimiter!r}"
    alike = [name for name in names if _bare(name) == _bare(missing)]
    return f"name them in files.columns{f', such as {alike[0]!r}' if alike else ''}"


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()
