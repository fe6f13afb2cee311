"""Arrays in the layout of safetensors files, written and read in place: memory holds them once.

A file is the length of its header (8 bytes, little-endian), the header (JSON: dtype, shape, first
and last byte of each array) and the arrays, one after the other. It holds numbers and no code.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from itertools import chain
from typing import IO, Any

import torch
from torch import Tensor

from collie_core.tables import lookup

DTYPES: Mapping[str, torch.dtype] = {  # in the order of their arrays in a file
    "U64": torch.uint64,
    "I64": torch.int64,
    "F64": torch.float64,
    "F32": torch.float32,
    "U32": torch.uint32,
    "I32": torch.int32,
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "U16": torch.uint16,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
CODES = {dtype: code for code, dtype in DTYPES.items()}
REMARKS = "__metadata__"  # the one entry of a header that is no array
LENGTH_BYTES, MAX_HEADER_BYTES = 8, 1 << 20
CHUNK_BYTES = 1 << 18  # stays in the processor's cache between the file and the hash
MAX_DIMENSIONS, MAX_BYTES = 64, 2**63 - 1


@dataclass(frozen=True)
class Slot:
    """Where an array lies among the data, in bytes, and what it is."""

    name: str
    dtype: torch.dtype
    shape: list[int]
    begin: int
    end: int


def write_arrays(file: IO[bytes], tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256, in hexadecimal, of what is written to `file`: all of `tensors`.

    The same tensors give the same bytes, whatever their order.

    Raises
    ------
    ValueError
        If a tensor's dtype or name cannot be written, or the names are too many.
    """
    ordered = dict(sorted(tensors.items(), key=_rank))
    digest = hashlib.sha256()
    for memory in chain([memoryview(_header(ordered))], map(_memory, ordered.values())):
        for start in range(0, len(memory), CHUNK_BYTES):
            chunk = memory[start : start + CHUNK_BYTES]
            file.write(chunk)
            digest.update(chunk)
    return digest.hexdigest()


def read_arrays(file: BufferedIOBase, size: int) -> tuple[dict[str, Tensor], str]:
    """Return the tensors in `file`, which has `size` bytes, and the SHA-256 of all of it.

    The header is not trusted: no more memory is taken than `size` pays for.

    Raises
    ------
    ValueError
        If the file is cut or not of this layout.
    """
    source = _Hashed(file)
    header = source.read_header(size)
    tensors = {}
    for slot in _slots(header, size - LENGTH_BYTES - len(header)):
        tensors[slot.name] = torch.empty(slot.shape, dtype=slot.dtype, device="cpu")
        source.fill(_memory(tensors[slot.name]))
    return tensors, source.digest.hexdigest()


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, file: BufferedIOBase) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def fill(self, memory: memoryview) -> None:
        """Fill `memory` with what comes next in the file."""
        done = 0
        while done < len(memory):
            chunk = memory[done : done + CHUNK_BYTES]
            count = self.file.readinto(chunk)
            if not count:
                raise _malformed(f"the file ends {len(memory) - done} bytes early")
            self.digest.update(chunk[:count])
            done += count

    def read_header(self, size: int) -> bytes:
        """Return the header of the file, which has `size` bytes."""
        length = bytearray(LENGTH_BYTES)
        self.fill(memoryview(length))
        count, most = int.from_bytes(length, "little"), min(MAX_HEADER_BYTES, size - LENGTH_BYTES)
        if count > most:
            raise _malformed(f"the header has {count} bytes, must be <= {most}")
        header = bytearray(count)
        self.fill(memoryview(header))
        return bytes(header)


def _rank(item: tuple[str, Tensor]) -> tuple[int, str]:
    """Return the key that puts a named tensor where its array belongs in the file."""
    name, tensor = item
    if name == REMARKS:
        raise ValueError(f"a tensor is called {name}, which no array may be: rename it")
    if tensor.dtype not in CODES:
        raise ValueError(f"{name} is {tensor.dtype}: convert it to one of {[*map(str, CODES)]}")
    return list(CODES).index(tensor.dtype), name


def _memory(tensor: Tensor) -> memoryview:
    """Return the bytes of `tensor`: its own memory, but for one that is elsewhere or strided."""
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().data


def _header(tensors: Mapping[str, Tensor]) -> bytes:
    """Return what comes before the arrays of `tensors`, its own length included."""
    end, entries = 0, {}
    for name, tensor in tensors.items():
        offsets, shape = [end, end := end + tensor.nbytes], list(tensor.shape)
        entries[name] = {"dtype": CODES[tensor.dtype], "shape": shape, "data_offsets": offsets}
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH_BYTES)
    if len(text) > MAX_HEADER_BYTES:
        most = MAX_HEADER_BYTES
        raise ValueError(f"the header has {len(text)} bytes, must be <= {most}: shorten the names")
    return len(text).to_bytes(LENGTH_BYTES, "little") + text


def _slots(header: bytes, data_bytes: int) -> list[Slot]:
    """Return the arrays that `header` lists, as they lie; together they fill `data_bytes`."""
    try:
        entries = json.loads(header.decode(), object_pairs_hook=_unique).items()
    except (AttributeError, ValueError, RecursionError) as error:
        raise _malformed(f"the header is no JSON object ({error})") from None
    slots = [_slot(name, entry) for name, entry in entries if name != REMARKS]
    slots.sort(key=lambda slot: (slot.begin, slot.end))
    end = 0
    for slot in slots:
        if slot.begin != end:
            raise _malformed(f"{slot.name!r} begins at {slot.begin}, must be {end}")
        end = slot.end
    if end != data_bytes:
        raise _malformed(f"the arrays have {end} bytes, must be {data_bytes}")
    return slots


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a name is there twice")
    return entries


def _slot(name: str, entry: Any) -> Slot:
    """Return what a header's `entry` says, where it agrees with itself."""
    if not isinstance(entry, dict) or sorted(entry) != ["data_offsets", "dtype", "shape"]:
        raise _malformed(f"{name!r} is {entry!r:.99}, must be dtype, shape and data_offsets")
    dtype = lookup("dtype", DTYPES, str(entry["dtype"]))
    shape, offsets = _counts(name, entry["shape"]), _counts(name, entry["data_offsets"])
    # torch multiplies lengths beside a 0 too, and 0 bytes would not show that they overflow
    if math.prod(max(length, 1) for length in shape) * dtype.itemsize > MAX_BYTES:
        raise _malformed(f"{name!r} has shape {shape}, which overflows")
    size = math.prod(shape) * dtype.itemsize
    if len(offsets) != 2 or offsets[1] - offsets[0] != size:
        raise _malformed(f"{name!r} lies at {offsets}, must be two numbers {size} apart")
    return Slot(name, dtype, shape, *offsets)


def _counts(name: str, values: Any) -> list[int]:
    """Return `values`, a list of whole numbers that fit."""
    if not isinstance(values, list) or len(values) > MAX_DIMENSIONS:
        raise _malformed(f"{name!r} has {values!r:.99}, must be <= {MAX_DIMENSIONS} numbers")
    if not all(type(value) is int and 0 <= value <= MAX_BYTES for value in values):
        raise _malformed(f"{name!r} has {values}, must be whole numbers from 0 to {MAX_BYTES}")
    return values


def _malformed(claim: str) -> ValueError:
    return ValueError(f"{claim}: restore the file")
