"""Checks of what has to go along when a model is saved or put on another device."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn

from collie_core.bundle import read_bundle
from collie_core.model import BasePipeline
from collie_core.testing.subject import EVERY_USER, Subject, Violations, pair_scores, same

# attributes of every model; the tensors among them are data, or registered beside
TEMPLATE = vars(LightningModule()).keys() | {"_hparams", "options", "train_loader", "val_loader"}
AFAR = "cuda" if torch.cuda.is_available() else "meta"


def tensors(subject: Subject) -> Violations:
    """Yield if a tensor is a plain attribute."""
    for place, value in _unregistered(subject.build()):
        if isinstance(value, Tensor):
            yield (
                f"{place} is a tensor that is no parameter and no buffer, so it is neither saved "
                "nor moved with the model: make it an nn.Parameter, or use register_buffer"
            )


def layers(subject: Subject) -> Violations:
    """Yield if a layer is in a plain list or dict."""
    for place, value in _unregistered(subject.build()):
        if isinstance(value, nn.Module):
            yield (
                f"{place} is a {type(value).__name__} that is not registered, so it is neither "
                "trained nor saved with the model: use nn.ModuleList, nn.ModuleDict or add_module"
            )


def _unregistered(model: BasePipeline) -> Iterator[tuple[str, Any]]:
    """Yield name and value of tensors and modules that torch does not know of."""
    known = {id(module) for module in model.modules()} | {id(p) for p in model.parameters()}
    known |= {id(buffer) for buffer in model.buffers()}
    for prefix, module in model.named_modules():
        for name in vars(module).keys() - TEMPLATE:
            for place, value in _parts(f"{prefix}.{name}".lstrip("."), vars(module)[name]):
                if isinstance(value, (Tensor, nn.Module)) and id(value) not in known:
                    yield place, value


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield `value`, or what is in it, with a name for each."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _parts(f"{name}[{key!r}]", each)
    elif isinstance(value, (list, tuple)):
        for number, each in enumerate(value):
            yield from _parts(f"{name}[{number}]", each)
    else:
        yield name, value


def devices(subject: Subject) -> Violations:
    """Yield if scoring on another device, which may be one without values, asks for the CPU."""
    model = subject.build().eval()
    if any(True for _ in _unregistered(model)):
        return  # "tensors" and "layers" have the reason
    model.to(AFAR)
    way_out = "make new tensors with device=self.device"
    try:
        given = {pair_scores(model).device.type, model.score_all(EVERY_USER).device.type}
    except RuntimeError as error:
        if "device" in str(error):  # else it asked for values where there are none, as it may
            yield f"scoring on another device failed ({error}): {way_out}"
        return
    if given != {AFAR}:
        yield f"scores of a model on {AFAR} are on {sorted(given)}, must be where it is: {way_out}"


def bundle(subject: Subject) -> Violations:
    """Yield if the model does not come back from a file, or a folder, as it was saved."""
    model = subject.trained()
    with TemporaryDirectory() as folder:
        for path in (Path(folder) / "model.pth", Path(folder) / "model"):
            model.save_model(path)
            loaded = _loaded(subject, path)
            if loaded.training:
                yield f"{path.name} is loaded in training mode, must be in eval mode: call eval()"
            torch.manual_seed(1)
            before = pair_scores(model)
            torch.manual_seed(1)
            if not same(before, pair_scores(loaded)):
                yield (
                    f"{path.name} is loaded with other scores, must have the same: keep what "
                    "forward needs in hparams, parameters or buffers"
                )
                return


def _loaded(subject: Subject, path: Path) -> BasePipeline:
    if not subject.takes("load_model_path"):
        stored = read_bundle(path)
        return subject.model_class.from_tensors(stored.config, stored.tensors)
    given = {name: subject.arguments.get(name) for name in subject.required()}
    functions = {name: each for name, each in subject.arguments.items() if _is_function(each)}
    return subject.model_class(**(functions | given), load_model_path=path)


def _is_function(value: object) -> bool:
    return callable(value) and not isinstance(value, nn.Module)
