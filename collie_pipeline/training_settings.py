"""What the settings of all neural models share."""

from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from collie_pipeline.sections import Count, Section, Share

if TYPE_CHECKING:
    from torch.optim.lr_scheduler import ExponentialLR

AllItemsLoss = Literal["full_softmax"]  # which draws no negative items
ImplicitLoss = Literal[
    "bpr",
    "adaptive_bpr",
    "hinge",
    "adaptive_hinge",
    "adaptive",
    "softmax",
    "warp",
    AllItemsLoss,
]
ExplicitLoss = Literal["mse", "mae"]  # which learn ratings, and need them
Loss = Literal[ImplicitLoss, ExplicitLoss]
Decay = Annotated[float, Field(gt=0, le=1)]


class Training(Section):
    """What all neural models share; see `collie_core.model.options.TrainingOptions`.

    `epochs` are the most there can be; training stops `patience` epochs after the best. After each,
    the learning rate is multiplied by `lr_decay`: a high one that falls gets sooner as far as a low
    one, and further. With `partial_credit`, a negative item of the positive one's bucket is less of
    a mistake by that share. The losses `mse` and `mae` learn ratings, low ones too, and draw no
    negatives. `full_softmax` scores all items for `batch_users` users at a time, with all that they
    have, in place of `batch_size` interactions: best with no more than some 10,000 items.
    """

    batch_size: Count = 1024
    batch_users: Count = 128
    num_negative_samples: Count = 10
    loss: Loss = "warp"
    partial_credit: Share = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    lr_decay: Decay = 1.0
    epochs: Count = 50
    patience: Count = 15

    @property
    def is_explicit(self) -> bool:
        """Whether the loss is for ratings."""
        return self.loss in get_args(ExplicitLoss)

    @property
    def is_of_all_items(self) -> bool:
        """Whether the loss is over the scores of all items."""
        return self.loss in get_args(AllItemsLoss)

    @property
    def loading(self) -> dict[str, Any]:
        """How batches are made: arguments of `InteractionsDataLoader`."""
        if self.is_of_all_items:
            return {"batch_size": self.batch_users, "by_user": True}
        return {"batch_size": self.batch_size}

    @property
    def negatives(self) -> int:
        """How many negative items are drawn for each positive one, where there are any."""
        return 0 if self.is_of_all_items else self.num_negative_samples

    @model_validator(mode="after")
    def _credits_negatives_only(self) -> Self:
        if self.partial_credit and (self.is_explicit or self.is_of_all_items):
            raise ValueError(
                f"partial_credit is {self.partial_credit}, but loss {self.loss!r} draws no "
                "negative items: leave it out, or set loss to 'warp'"
            )
        return self

    def arguments_of(self, architecture: type) -> dict[str, Any]:
        """Return those that the constructor of `architecture` takes, for one optimizer of all."""
        known = signature(architecture).parameters
        chosen = {name: value for name, value in self.model_dump().items() if name in known}
        chosen["lr_scheduler_func"] = self._schedule
        return chosen | ({"bias_optimizer": None} if "bias_optimizer" in known else {})

    @property
    def _schedule(self) -> "partial[ExponentialLR] | None":
        if self.lr_decay == 1:
            return None
        from torch.optim.lr_scheduler import ExponentialLR  # takes a second to load

        return partial(ExponentialLR, gamma=self.lr_decay)
