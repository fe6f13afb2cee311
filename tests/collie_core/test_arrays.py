import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from torch import Tensor

from collie_core.arrays import CHUNK_BYTES, DTYPES, MAX_HEADER_BYTES, read_arrays, write_arrays

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
    lambda name: name != "__metadata__"
)
shapes = st.lists(st.integers(0, 5), max_size=4)


@st.composite
def named_tensors(draw: st.DrawFn) -> dict[str, Tensor]:
    kinds = draw(st.dictionaries(names, st.tuples(st.sampled_from([*DTYPES.values()]), shapes)))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 99)))
    return {
        name: torch.randint(2 if dtype == torch.bool else 256, shape, generator=generator).to(dtype)
        for name, (dtype, shape) in kinds.items()
    }


def written(tensors: Mapping[str, Tensor]) -> bytes:
    file = io.BytesIO()
    digest = write_arrays(file, tensors)
    assert digest == hashlib.sha256(file.getvalue()).hexdigest()
    return file.getvalue()


def read(content: bytes) -> dict[str, Tensor]:
    tensors, digest = read_arrays(io.BytesIO(content), len(content))
    assert digest == hashlib.sha256(content).hexdigest()
    return tensors


def laid_out(header: object, arrays: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + arrays


def entry(dtype: Any = "F32", shape: Any = (1,), data_offsets: Any = (0, 4)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": data_offsets}


def assert_same(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert (tensor.dtype, tensor.shape) == (theirs[name].dtype, theirs[name].shape)
        assert tensor.flatten().view(torch.uint8).equal(theirs[name].flatten().view(torch.uint8))


@settings(max_examples=50, deadline=None)
@given(named_tensors())
def test_the_bytes_are_those_of_the_safetensors_library(tensors: dict[str, Tensor]) -> None:
    assert written(tensors) == safetensors.torch.save(tensors)


@settings(max_examples=50, deadline=None)
@given(named_tensors())
def test_each_reads_what_the_other_writes(tensors: dict[str, Tensor]) -> None:
    assert_same(safetensors.torch.load(written(tensors)), tensors)
    assert_same(read(safetensors.torch.save(tensors, {"remark": "none"})), tensors)


def test_the_order_of_the_tensors_does_not_matter() -> None:
    tensors = {"b": torch.arange(3.0), "a": torch.arange(2), "c": torch.tensor([True])}
    assert written(tensors) == written(dict(reversed(tensors.items())))


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(12.0).reshape(3, 4).T,
        torch.arange(12)[::3],
        torch.ones(1).expand(2, 3),
        torch.nn.Parameter(torch.tensor([1.0, float("nan"), -0.0])),
    ],
    ids=["transposed", "strided", "expanded", "parameter"],
)
def test_a_view_or_parameter_comes_back_as_plain_values(tensor: Tensor) -> None:
    back = read(written({"a": tensor}))["a"]
    torch.testing.assert_close(back, tensor.detach(), rtol=0, atol=0, equal_nan=True)
    assert back.is_contiguous()
    assert not back.requires_grad


class Addresses(io.BytesIO):
    """A file that notes where in memory each piece lies that goes through it."""

    def __init__(self, content: bytes = b"") -> None:
        super().__init__(content)
        self.pieces: list[tuple[int, int]] = []

    def note(self, piece: Any) -> None:
        seen = np.frombuffer(piece, np.uint8)
        self.pieces.append((seen.ctypes.data, seen.ctypes.data + seen.nbytes))

    def write(self, piece: Any) -> int:
        self.note(piece)
        return super().write(piece)

    def readinto(self, piece: Any) -> int:
        self.note(piece)
        return super().readinto(piece)

    def cover(self, tensor: Tensor) -> bool:
        """Whether the last pieces are the memory of `tensor`, from its first byte to its last."""
        ends = {end for _, end in self.pieces}
        begins = {begin for begin, _ in self.pieces}
        first, last = tensor.data_ptr(), tensor.data_ptr() + tensor.nbytes
        return first in begins and last in ends


def test_arrays_go_between_file_and_memory_in_small_pieces_and_without_a_copy() -> None:
    tensor = torch.rand(3, CHUNK_BYTES)
    out = Addresses()
    write_arrays(out, {"a": tensor})
    back = Addresses(out.getvalue())
    [copy] = read_arrays(back, len(out.getvalue()))[0].values()
    for file, array in ((out, tensor), (back, copy)):
        assert file.cover(array)
        assert max(end - begin for begin, end in file.pieces) <= CHUNK_BYTES
    assert copy.equal(tensor)


class Trickle(io.BytesIO):
    def readinto(self, piece: Any) -> int:
        return super().readinto(memoryview(piece)[:3])


def test_a_file_that_gives_a_few_bytes_at_a_time_is_read_whole() -> None:
    content = written({"a": torch.arange(100)})
    tensors, digest = read_arrays(Trickle(content), len(content))
    assert tensors["a"].equal(torch.arange(100))
    assert digest == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size_follows", [True, False], ids=["file", "file and size apart"])
def test_every_cut_is_refused(size_follows: bool) -> None:
    content = written({"a": torch.arange(3.0), "b": torch.tensor(1, dtype=torch.int8)})
    for length in range(len(content)):
        size = length if size_follows else len(content)
        with pytest.raises(ValueError, match="restore the file"):
            read_arrays(io.BytesIO(content[:length]), size)


def test_bytes_behind_the_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="the arrays have 4 bytes, must be 5"):
        read(written({"a": torch.ones(1)}) + b"\0")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"", "no JSON object"),
        (b"{", "no JSON object"),
        (b"[]", "no JSON object"),
        (b"1", "no JSON object"),
        (b"\xff{}", "no JSON object"),
        (b"[" * 100_000, "no JSON object"),
        (b'{"a":' + b"9" * 5000 + b"}", "no JSON object"),
        (b'{"a": {}, "a": {}}', "there twice"),
        ({"a": []}, "'a' is .*, must be dtype, shape and data_offsets"),
        ({"a": {"dtype": "F32", "shape": [1]}}, "must be dtype, shape and data_offsets"),
        ({"a": {**entry(), "more": 1}}, "must be dtype, shape and data_offsets"),
        ({"a": entry("F128")}, "unknown dtype 'F128': use one of"),
        ({"a": entry(["F32"])}, "unknown dtype"),
        ({"a": entry(shape=1)}, "'a' has 1, must be <= 64 numbers"),
        ({"a": entry(shape=[1] * 65)}, "must be <= 64 numbers"),
        ({"a": entry(shape=[-1])}, "whole numbers from 0"),
        ({"a": entry(shape=[-1, -1])}, "whole numbers from 0"),
        ({"a": entry(shape=[1.0])}, "whole numbers from 0"),
        ({"a": entry(shape=[True])}, "whole numbers from 0"),
        ({"a": entry(shape=[None])}, "whole numbers from 0"),
        ({"a": entry(shape=[2**63])}, "whole numbers from 0"),
        ({"a": entry(shape=[2**62, 2**62])}, "overflows"),
        ({"a": entry(shape=[0, 2**62, 2], data_offsets=[0, 0])}, "overflows"),
        ({"a": entry(shape=[2**61 - 1], data_offsets=[0, 2**63 - 4])}, "the arrays have 9"),
        ({"a": entry(shape=[2])}, r"lies at \[0, 4\], must be two numbers 8 apart"),
        ({"a": entry(data_offsets=[4, 0])}, "must be two numbers 4 apart"),
        ({"a": entry(data_offsets=[0, 4, 8])}, "must be two numbers 4 apart"),
        ({"a": entry(data_offsets=[-4, 0])}, "whole numbers from 0"),
        ({"a": entry(data_offsets=[4, 8])}, "'a' begins at 4, must be 0"),
        ({"a": entry(), "b": entry()}, "'b' begins at 0, must be 4"),
        ({"a": entry(), "b": entry(data_offsets=[2, 6])}, "'b' begins at 2, must be 4"),
        ({"a": entry(shape=[2], data_offsets=[0, 8])}, "the arrays have 8 bytes, must be 4"),
        ({}, "the arrays have 0 bytes, must be 4"),
    ],
)
def test_a_header_that_cannot_be_true_is_refused(header: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(laid_out(header, bytes(4)))


def test_a_length_beyond_the_file_takes_no_memory() -> None:
    with pytest.raises(ValueError, match=r"the header has 2\d* bytes, must be <= 4"):
        read((2**61).to_bytes(8, "little") + bytes(4))


def test_a_header_larger_than_the_bound_is_neither_written_nor_read() -> None:
    with pytest.raises(ValueError, match=r"must be <= 1048576: shorten the names"):
        written({"a" * MAX_HEADER_BYTES: torch.ones(1)})
    with pytest.raises(ValueError, match=r"the header has 1048577 bytes, must be <= 1048576"):
        read(laid_out(b" " * (MAX_HEADER_BYTES + 1)))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"a": torch.ones(1, dtype=torch.complex64)}, "a is torch.complex64: convert it to one of"),
        ({"__metadata__": torch.ones(1)}, "called __metadata__, which no array may be"),
    ],
)
def test_what_the_layout_cannot_hold_is_refused(tensors: dict[str, Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        written(tensors)


WHOLE = written({"a": torch.arange(2.0), "b": torch.tensor([7], dtype=torch.uint8)})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4))
@example([(WHOLE.index(b"F32"), ord("U"))])
@example([(WHOLE.index(b'"b"') + 1, ord("a"))])
def test_what_the_library_refuses_is_refused(changes: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE)
    for place, value in changes:
        content[place] = value
    try:
        theirs = safetensors.torch.load(bytes(content))
    except (SafetensorError, KeyError):
        with pytest.raises(ValueError, match=r"restore the file|unknown dtype"):
            read(bytes(content))
    else:
        try:
            ours = read(bytes(content))
        except ValueError:  # stricter in dtypes alone
            assert any(tensor.dtype not in DTYPES.values() for tensor in theirs.values())
        else:
            assert_same(ours, theirs)
