"""A user's place in a model is nobody's, and all others' is what it was."""

import pytest
import torch

from collie_core.bundle import Bundle, model_of
from collie_core.interactions import Interactions
from collie_core.model import ARCHITECTURES
from collie_pipeline.erasing import Who
from collie_pipeline.erasing.bundles import without_user


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_no_vector_of_the_user_is_left_in_any_model(name: str) -> None:
    train = Interactions(
        users=[0, 0, 1, 1, 2, 2], items=[0, 1, 2, 3, 0, 4], num_items=5, num_negative_samples=1
    )
    own: dict[str, object] = {}
    if "cold" in name:
        own = {"item_buckets": torch.tensor([0, 1, 0, 1, 1])}
    elif "hybrid" in name:
        own = {"item_metadata": torch.rand(5, 2)}
    if name == "hybrid_pretrained":
        own["trained_model"] = ARCHITECTURES["matrix_factorization"](train=train)
    model = ARCHITECTURES[name](train=train, **own)
    tensors = {key: each.clone() + 1 for key, each in model.tensors().items()}
    bundle = Bundle(type(model).__name__, model.config(), tensors, {"user_id": ["a", "b", "c"]})
    after = without_user(bundle, Who("b"))
    by_user = [key for key in tensors if len(tensors[key]) == 3]
    assert by_user  # no other number in these models is 3
    for key, tensor in after.tensors.items():
        changed = (tensor != tensors[key]).flatten(1).any(1) if tensor.ndim > 1 else None
        if key in by_user:
            assert not tensor[1].any()
            assert torch.equal(tensor[[0, 2]], tensors[key][[0, 2]])
        else:
            assert changed is None or not changed.any()
    assert after.ids["user_id"][1].startswith("erased-")
    assert model_of(after).num_users == 3
