"""Arguments of Lightning's `Trainer` in the days of Collie 1.1.2, in the words of today's."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import TQDMProgressBar

Today = dict[str, Any]
STRATEGIES = ("dp", "ddp", "ddp2", "ddp_cpu", "ddp_spawn", "deepspeed", "horovod", "fsdp")
PRECISIONS: Mapping[Any, str] = {
    16: "16-mixed",
    "16": "16-mixed",
    "bf16": "bf16-mixed",
    32: "32-true",
    64: "64-true",
}


class TerminateOnNaN(Callback):
    """Stops training at the first batch after which the loss or a parameter is not finite."""

    def on_train_batch_end(
        self,
        trainer: Trainer,  # noqa: ARG002 - Lightning's signature
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        """Raise a ValueError that names the batch and what is not finite."""
        loss = outputs["loss"] if isinstance(outputs, Mapping) else outputs
        values = {"the loss": loss, **dict(pl_module.named_parameters())}
        for name, value in values.items():
            if not torch.isfinite(value).all():
                raise ValueError(
                    f"{name} is not finite after batch {batch_idx}: lower the learning rate"
                )


def _gpus(gpus: Any) -> Today:
    if gpus is None:
        return {}  # today's default takes what there is
    if not gpus or gpus == "0":
        return {"accelerator": "cpu"}
    return {"accelerator": "gpu", "devices": 1 if gpus is True else gpus}


def _accelerator(accelerator: Any) -> Today:
    if accelerator == "ddp_cpu":
        return {"accelerator": "cpu", "strategy": "ddp_spawn"}
    name = "strategy" if accelerator in STRATEGIES else "accelerator"
    return {} if accelerator is None else {name: accelerator}


def _checkpoints(wanted: Any) -> Today:
    return {"callbacks": [wanted]} if isinstance(wanted, Callback) else _switch(wanted)


def _switch(wanted: Any) -> Today:
    return {"enable_checkpointing": bool(wanted)}


def _progress_bar(refresh_rate: int | None) -> Today:
    if refresh_rate == 0:
        return {"enable_progress_bar": False}
    return {"callbacks": [TQDMProgressBar(refresh_rate=refresh_rate)]} if refresh_rate else {}


def _cores(tpu_cores: Any) -> Today:
    return {"accelerator": "tpu", "devices": tpu_cores} if tpu_cores else {}


def _processes(count: int) -> Today:
    return {"accelerator": "cpu", "devices": count} if count > 1 else {}


OLD_ARGUMENTS: Mapping[str, Callable[[Any], Today]] = {
    "accelerator": _accelerator,
    "checkpoint_callback": _checkpoints,
    "distributed_backend": _accelerator,
    "flush_logs_every_n_steps": lambda _: {},  # loggers flush by themselves today
    "gpus": _gpus,
    "num_processes": _processes,
    "precision": lambda precision: {"precision": PRECISIONS.get(precision, precision)},
    "process_position": lambda _: {},  # of the progress bar among others: tqdm finds it
    "progress_bar_refresh_rate": _progress_bar,
    "reload_dataloaders_every_epoch": lambda on: {"reload_dataloaders_every_n_epochs": int(on)},
    "replace_sampler_ddp": lambda on: {"use_distributed_sampler": on},
    "terminate_on_nan": lambda on: {"callbacks": [TerminateOnNaN()]} if on else {},
    "tpu_cores": _cores,
    "weights_save_path": lambda path: {} if path is None else {"default_root_dir": path},
    "weights_summary": lambda summary: {"enable_model_summary": summary is not None},
}
# what Lightning can no longer do by an argument, and what does it today
GONE: Mapping[str, str] = {
    "amp_backend": "torch's own mixed precision is all there is, leave it out",
    "amp_level": "torch's own mixed precision has no levels, leave it out",
    "auto_lr_find": "use pytorch_lightning.tuner.Tuner(trainer).lr_find(model)",
    "auto_scale_batch_size": "choose batch_size in the data loader",
    "auto_select_gpus": "use pytorch_lightning.accelerators.find_usable_cuda_devices",
    "ipus": "install lightning-graphcore",
    "log_gpu_memory": "use the callback DeviceStatsMonitor",
    "move_metrics_to_cpu": "leave it out",
    "multiple_trainloader_mode": "use CombinedLoader",
    "prepare_data_per_node": "set it in the data module",
    "stochastic_weight_avg": "use the callback StochasticWeightAveraging",
    "track_grad_norm": "log it in the model's on_before_optimizer_step",
    "truncated_bptt_steps": "split the batch in the model",
}
UNSET = (None, False, 0, -1, "", "native", "max_size_cycle")


def translated(arguments: Mapping[str, Any]) -> Today:
    """Return `arguments` in the words of today's Lightning; callbacks join those that are given.

    Raises
    ------
    ValueError
        If one has no counterpart today, and is set.
    """
    known = OLD_ARGUMENTS.keys() | GONE.keys()
    today = {name: value for name, value in arguments.items() if name not in known}
    if "callbacks" in today:
        today["callbacks"] = _as_list(today["callbacks"])
    for name, value in arguments.items():
        if name in GONE and value not in UNSET:
            raise ValueError(f"{name} is {value!r}, which Lightning has dropped: {GONE[name]}")
        for key, new in OLD_ARGUMENTS.get(name, _nothing)(value).items():
            today[key] = [*today.get(key, []), *new] if key == "callbacks" else new
    return today


def _nothing(_: Any) -> Today:
    return {}


def _as_list(callbacks: Any) -> list[Callback]:
    if callbacks is None:
        return []
    return list(callbacks) if isinstance(callbacks, (list, tuple)) else [callbacks]
