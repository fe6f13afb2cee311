"""Training of ours and the original's, by the same calls."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from either import IS_OURS, made_hdf5_loader, made_interactions, made_loader, model
from racing import Enough, Race, Score

Work = Callable[[], object]
# the original's default scheduler asks torch for an argument that is no more
TRAINING: dict[str, Any] = {"lr": 1e-2, "loss": "adaptive", "lr_scheduler_func": None}
QUIET = {"verbosity": 0, "weights_summary": None, "early_stopping_patience": None}
FACTORIZATION = "MatrixFactorizationModel"


def epoch(path: Path, name: str = FACTORIZATION, kind: str = "exact") -> Work:
    """Train one epoch more of a model of 32 dimensions with the reference's maths."""
    made = _made(name, made_loader(made_interactions(path, "train_"), kind))
    return lambda: _epoch(made)


def growing(path: Path) -> Work:
    """Train one epoch of matrix factorization from a file that is opened in it."""
    made_hdf5_loader(path)
    return lambda: _epoch(_made(FACTORIZATION, made_hdf5_loader(path, batch_size=8192)))


def lightning(path: Path, trainer: str) -> Work:
    """Train one epoch more of matrix factorization with the trainer of that name."""
    made = _made(FACTORIZATION, made_loader(made_interactions(path, "train_")))
    if trainer == "CollieMinimalTrainer":
        return lambda: _epoch(made)
    calm = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trained = getattr(model, trainer)(made, max_epochs=0, **dict.fromkeys(calm, False))

    def train() -> None:
        trained.max_epochs += 1
        trained.fit(made)

    return train


def race(path: Path, seconds: str, laps: str) -> Work:
    """Fit matrix factorization, an epoch a lap: ours with the defaults of the pipeline's."""
    run = _race_of_ours if IS_OURS else _race_of_the_original
    return lambda: run(path, Race(path, seconds, laps))


def _race_of_ours(path: Path, timed: Race) -> dict[str, Any]:
    from collie_pipeline.settings import Settings

    options = Settings.model_fields["models"].default.matrix_factorization
    train = made_interactions(path, "train_", num_negative_samples=options.negatives)
    loader = made_loader(train, **options.loading)
    torch.manual_seed(0)
    kind = getattr(model, FACTORIZATION)
    made = kind(train=loader, **options.arguments_of(kind))
    often = {"max_epochs": timed.laps, "after_epoch": lambda *_: timed.lap(_scores(made))}
    timed.start()
    model.CollieMinimalTrainer(made, gpus=False, **often, **QUIET).fit(made)
    return timed.result()


def _race_of_the_original(path: Path, timed: Race) -> dict[str, Any]:
    """Race with the adaptive hinge, Adam at its default rate, and the faster of its samplers."""
    loader = made_loader(made_interactions(path, "train_"), "approximate")
    torch.manual_seed(0)
    options = {"lr": 1e-3, "bias_optimizer": None, "lr_scheduler_func": lambda _: each_epoch}
    made = _made(FACTORIZATION, loader, **options)
    each_epoch = _AfterEpoch(lambda: timed.lap_or_stop(_scores(made)))
    timed.start()
    with suppress(Enough):
        model.CollieMinimalTrainer(made, max_epochs=timed.laps, gpus=False, **QUIET).fit(made)
    return timed.result()


class _AfterEpoch:
    """The schedule of a rate that stays: the original asks for one after every epoch."""

    def __init__(self, step: Callable[[], None]) -> None:
        self.step = step


def _made(name: str, train: Any, **options: Any) -> Any:
    sizes = {
        "NeuralCollaborativeFiltering": {"embedding_dim": 8, "num_layers": 3},
        "NonlinearMatrixFactorizationModel": {"user_embedding_dim": 32, "item_embedding_dim": 32},
    }
    of = sizes.get(name, {"embedding_dim": 32})
    return getattr(model, name)(train=train, **(TRAINING | of | options))


def _epoch(made: Any) -> None:
    model.CollieMinimalTrainer(made, max_epochs=1, gpus=False, logger=None, **QUIET).fit(made)


def _scores(made: Any) -> Score:
    """Return what scores all items for users (B,); the model trains on where it was."""
    every = torch.arange(made.hparams["num_items"])

    def pairs(users: torch.Tensor) -> torch.Tensor:
        return made(users.repeat_interleave(len(every)), every.repeat(len(users)))

    def score(block: np.ndarray) -> np.ndarray:
        users, was_training = torch.from_numpy(block).long(), made.training
        made.eval()
        with torch.no_grad():
            scores = made.score_all(users) if IS_OURS else pairs(users)
        made.train(was_training)
        return scores.reshape(len(users), -1).numpy()

    return score
