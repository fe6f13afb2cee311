"""Searching a model's settings on validation, with Optuna, which is an extra."""

from importlib.util import find_spec


def refuse_without_optuna() -> None:
    """Raise `ValueError` if Optuna is not installed."""
    if find_spec("optuna") is None:
        raise ValueError(
            "tuning needs Optuna, which is not installed: pip install 'collie-pipeline[tune]'"
        )
