"""Taking a user out of bundles: the id, the vectors, and what the user has."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from collie_core.bundle import Bundle, model_of, read_bundle, save_bundle
from collie_pipeline.erasing.tables import rewriting
from collie_pipeline.erasing.who import Who

# Not all that is the users' is by user: a layer over their vectors may be as long by chance.
BY_USER = re.compile(r"^user_(embeddings|biases|features)|^(embeddings|biases)\.0\.")
HAVE = "train."  # what each user has, in the baselines that keep it, as a compressed matrix


def erase_from_bundle(path: Path, who: Who) -> int:
    """Return 1 if the bundle at `path` knew the user, and now does not."""
    bundle = read_bundle(path)
    if who.user_id not in bundle.ids.get("user_id", ()):
        return 0
    write_bundle(without_user(bundle, who), path)
    return 1


def write_bundle(bundle: Bundle, path: Path) -> None:
    """Write `bundle` in the place of the one at `path`."""
    with rewriting(path) as temporary:
        save_bundle(model_of(bundle), temporary, bundle.ids)


def without_user(bundle: Bundle, who: Who) -> Bundle:
    """Return `bundle` with nobody in the user's place: zeros for vectors, and no interactions.

    What all users together taught the model, such as the weights of items, stays as it is until
    the model is trained again.
    """
    user_ids = list(bundle.ids["user_id"])
    place = user_ids.index(who.user_id)
    tensors = {
        name: _zeroed(tensor, place) if _is_by_user(name, tensor, len(user_ids)) else tensor
        for name, tensor in bundle.tensors.items()
    }
    user_ids[place] = who.tombstone
    ids = {**bundle.ids, "user_id": user_ids}
    return replace(bundle, tensors=_without_row(tensors, place), ids=ids)


def _is_by_user(name: str, tensor: Tensor, num_users: int) -> bool:
    return BY_USER.search(name) is not None and len(tensor) == num_users


def _zeroed(tensor: Tensor, place: int) -> Tensor:
    zeroed = tensor.clone()
    zeroed[place] = 0
    return zeroed


def _without_row(tensors: Mapping[str, Tensor], place: int) -> dict[str, Tensor]:
    """Return `tensors` with row `place` of what users have empty, where that is among them."""
    if f"{HAVE}indptr" not in tensors:
        return dict(tensors)
    ends = tensors[f"{HAVE}indptr"].clone()
    begin, end = int(ends[place]), int(ends[place + 1])
    ends[place + 1 :] -= end - begin
    parts = {
        f"{HAVE}{name}": torch.cat([kept[:begin], kept[end:]])
        for name in ("data", "indices")
        for kept in (tensors[f"{HAVE}{name}"],)
    }
    return {**tensors, **parts, f"{HAVE}indptr": ends}
