"""Models that train in stages, one after the other."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch.optim import Optimizer

from collie_core.model.base import BasePipeline
from collie_core.model.loading import AnyInteractions
from collie_core.model.optimizers import OptimizerGroup, make_optimizer
from collie_core.model.options import SharedOptions


class MultiStagePipeline(BasePipeline):
    """Template of a model that trains in stages: each has optimizers for its own parameters.

    Only the optimizers of the present stage step. A bundle keeps the stage that was saved.

    Parameters
    ----------
    train, val : see `BasePipeline`.
    options : see `SharedOptions`.
    optimizer_config_list : in the order of the stages, each with `lr`, `optimizer`, `stage` and
        `parameter_prefix_list`, the beginnings of the names of the parameters that it steps.
    **kwargs : hyperparameters of the subclass (and options), kept in `hparams`.
    """

    options_type: ClassVar[type[SharedOptions]] = SharedOptions

    def __init__(
        self,
        train: AnyInteractions = None,
        val: AnyInteractions = None,
        options: SharedOptions | None = None,
        optimizer_config_list: list[dict[str, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        if not optimizer_config_list:
            raise ValueError(f"optimizer_config_list is {optimizer_config_list}: name one stage")
        stages = list(dict.fromkeys(config["stage"] for config in optimizer_config_list))
        own = {"stage_list": stages, "stage": stages[0], **kwargs}
        self._optimizer_configs = optimizer_config_list
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

    def _make_optimizer(self) -> Optimizer:
        stage = self.hparams["stage"]
        configs = [each for each in self._optimizer_configs if each["stage"] == stage]
        optimizers = [self._stage_optimizer(config) for config in configs]
        return optimizers[0] if len(optimizers) == 1 else OptimizerGroup(optimizers)

    def _stage_optimizer(self, config: Mapping[str, Any]) -> Optimizer:
        prefixes = tuple(config["parameter_prefix_list"])
        parameters = [each for name, each in self.named_parameters() if name.startswith(prefixes)]
        if not parameters:
            raise ValueError(f"no parameter begins with any of {prefixes}: see named_parameters()")
        decay = self.options.weight_decay
        return make_optimizer(config["optimizer"], parameters, config["lr"], decay)
