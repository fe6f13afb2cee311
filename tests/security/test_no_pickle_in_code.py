"""Nothing in our code can run what a file holds: what Python offers for that is not called."""

import ast
from collections.abc import Iterator

import pytest
from source_code import REPOSITORY, called, imported, keyword, sources

MODULES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "jsonpickle", "marshal", "shelve"}
ERRORS_ONLY = {"collie_core/model/checkpoints.py"}  # takes the name of an error from pickle
CALLS = {
    "__import__", "compile", "eval", "exec",
    "joblib.load", "os.popen", "os.system", "pd.eval", "torch.hub.load",
    "torch.jit.load", "yaml.full_load", "yaml.unsafe_load",
}  # fmt: skip
READERS = (".read_hdf", ".read_pickle", ".to_pickle")  # pandas' HDF5 is full of pickles
NEEDS = {  # a call that is safe with this argument alone
    "torch.load": ("weights_only", "True"),
    "yaml.load": ("Loader", "yaml.SafeLoader"),
}
NEVER = ("allow_pickle", "shell")  # arguments that make a call unsafe


def faults(code: str, may_import: bool = False) -> Iterator[str]:
    tree = ast.parse(code)
    if not may_import:
        yield from (
            f"line {line}: import {name}" for name, line in imported(tree) if name in MODULES
        )
    for name, call in called(tree):
        line = f"line {call.lineno}: {name}"
        needed = NEEDS.get(name)
        if name in CALLS or name.endswith(READERS):
            yield line
        elif needed and keyword(call, needed[0]) != needed[1]:
            yield f"{line} without {needed[0]}={needed[1]}"
        elif any(keyword(call, each) not in (None, "False") for each in NEVER):
            yield f"{line} with an unsafe argument"


def test_nothing_in_our_code_runs_what_a_file_holds() -> None:
    found = {}
    for path in sources():
        name = path.relative_to(REPOSITORY).as_posix()
        if wrong := list(faults(path.read_text(), name in ERRORS_ONLY)):
            found[name] = wrong
    assert found == {}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import cloudpickle.cloudpickle as c",
        "def f(): import marshal",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "pd.read_hdf(path)",
        "pandas.read_pickle(path)",
        "yaml.load(text)",
        "joblib.load(path)",
        "eval(text)",
        "subprocess.run(line, shell=True)",
    ],
)
def test_the_search_finds(code: str) -> None:
    assert list(faults(code))


@pytest.mark.parametrize(
    "code",
    [
        "model.eval()",
        "torch.load(path, weights_only=True)",
        "np.load(path)",
        "re.compile(pattern)",
        "import pickletools",
    ],
)
def test_the_search_leaves(code: str) -> None:
    assert not list(faults(code))
