"""How an evaluation is shown while it runs, and told when it is done."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

Batch = TypeVar("Batch")


def shown(batches: Iterable[Batch], verbose: bool) -> Iterable[Batch]:
    """Return `batches`, which show how far they are if `verbose`."""
    if not verbose:
        return batches
    from rich.progress import track  # only where there is somebody to look at it

    return track(batches, "evaluate", transient=True)


def report(
    names: Sequence[str], results: Sequence[float], model: Any, logger: Any, verbose: bool
) -> None:
    """Print the results if `verbose`, and give them to `logger` if there is one.

    Its step is the model's `hparams.num_epochs_completed`, or None.
    """
    named = dict(zip(_told_apart(names), results, strict=True))
    if verbose:
        print("  ".join(f"{name} {value:.4f}" for name, value in named.items()))
    if logger is not None:
        hparams = getattr(model, "hparams", None)
        logger.log_metrics(named, step=getattr(hparams, "num_epochs_completed", None))


def _told_apart(names: Sequence[str]) -> list[str]:
    """Return `names`, the second of a kind with _2 behind it: a mapping holds each name once."""
    numbers = [names[:place].count(name) + 1 for place, name in enumerate(names)]
    return [
        name if number == 1 else f"{name}_{number}"
        for name, number in zip(names, numbers, strict=True)
    ]
