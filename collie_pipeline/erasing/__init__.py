"""Erasing a user from everything that is kept, and proving it by a search."""

from collie_pipeline.erasing.erasure import ERASERS, Erasure, ErasureError, erase_user
from collie_pipeline.erasing.searching import search
from collie_pipeline.erasing.who import Who

__all__ = ["ERASERS", "Erasure", "ErasureError", "Who", "erase_user", "search"]
