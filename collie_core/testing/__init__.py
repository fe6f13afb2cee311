"""What every model has to hold, as a check of your own: a kit for subclasses of `BasePipeline`."""

from collie_core.testing.conformance import CHECKS, NonconformanceError, check_model
from collie_core.testing.subject import NUM_ITEMS, NUM_USERS, small_interactions, small_ratings

__all__ = [
    "CHECKS",
    "NUM_ITEMS",
    "NUM_USERS",
    "NonconformanceError",
    "check_model",
    "small_interactions",
    "small_ratings",
]
