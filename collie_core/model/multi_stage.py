"""Models that train in stages, one after the other."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch.optim import Optimizer

from collie_core.model.base import BasePipeline
from collie_core.model.loading import AnyInteractions
from collie_core.model.optimizers import OptimizerGroup, make_optimizer
from collie_core.model.options import OptimizerChoice, SharedOptions

OptimizerConfig = Mapping[str, Any]


class MultiStagePipeline(BasePipeline):
    """Template of a model that trains in stages: each has optimizers for its own parameters.

    Only the optimizers of the present stage step. A bundle keeps the stage that was saved.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    options : see `SharedOptions`.
    optimizer_config_list : in the order of the stages, each with `lr`, `optimizer`, `stage` and
        `parameter_prefix_list`, the beginnings of the names of the parameters that it steps. Not
        needed with `load_model_path` where the model is not to be trained.
    **kwargs : hyperparameters of the subclass (and options), kept in `hparams`.

    Raises
    ------
    ValueError
        If there is no stage, or one is described by other keys; and see `BasePipeline`.
    """

    options_type: ClassVar[type[SharedOptions]] = SharedOptions
    _optimizer_configs: Sequence[OptimizerConfig] = ()

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        options: SharedOptions | None = None,
        optimizer_config_list: Sequence[OptimizerConfig] | None = None,
        **kwargs: Any,
    ) -> None:
        path = kwargs.get("load_model_path") if options is None else options.load_model_path
        if path is None and not optimizer_config_list:
            raise ValueError(f"optimizer_config_list is {optimizer_config_list}: name one stage")
        self._optimizer_configs = [checked_config(each) for each in optimizer_config_list or ()]
        stages = list(dict.fromkeys(config["stage"] for config in self._optimizer_configs))
        own = {"stage_list": stages, "stage": stages[0] if stages else None, **kwargs}
        super().__init__(train, val, options, **own)

    def advance_stage(self) -> None:
        """Move on to the next stage.

        Raises
        ------
        ValueError
            If this is the last one.
        """
        stages = self.hparams["stage_list"]
        here = stages.index(self.hparams["stage"])
        if here + 1 == len(stages):
            raise ValueError(f"{stages[here]!r} is the last stage of {stages}: use set_stage")
        self.set_stage(stages[here + 1])

    def set_stage(self, stage: str) -> None:
        """Move to `stage`, forwards or back.

        Raises
        ------
        ValueError
            If the model has no such stage.
        """
        if stage not in (stages := self.hparams["stage_list"]):
            raise ValueError(f"unknown stage {stage!r}: use one of {stages}")
        self.hparams["stage"] = stage

    def _optimizer_choices(self) -> list[OptimizerChoice]:
        return [config["optimizer"] for config in self._optimizer_configs]

    def _make_optimizer(self) -> Optimizer:
        stage = self.hparams["stage"]
        configs = [each for each in self._optimizer_configs if each["stage"] == stage]
        if not configs:
            raise ValueError(f"optimizer_config_list has no stage {stage!r}: pass it to train")
        optimizers = [self._stage_optimizer(config) for config in configs]
        return optimizers[0] if len(optimizers) == 1 else OptimizerGroup(optimizers)

    def _stage_optimizer(self, config: OptimizerConfig) -> Optimizer:
        prefixes = tuple(config["parameter_prefix_list"])
        parameters = [each for name, each in self.named_parameters() if name.startswith(prefixes)]
        if not parameters:
            raise ValueError(f"no parameter begins with any of {prefixes}: see named_parameters()")
        decay = self.options.weight_decay
        return make_optimizer(config["optimizer"], parameters, config["lr"], decay)


def checked_config(config: OptimizerConfig) -> OptimizerConfig:
    """Return `config`, or refuse one whose keys are not those of `MultiStagePipeline`."""
    keys = {"lr", "optimizer", "parameter_prefix_list", "stage"}
    if config.keys() != keys:
        raise ValueError(f"an optimizer config has {sorted(config)}, must have {sorted(keys)}")
    if not config["lr"] > 0:
        raise ValueError(
            f"lr of stage {config['stage']!r} is {config['lr']}, must be > 0: use 1e-3"
        )
    return config
