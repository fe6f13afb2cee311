import pydoc
from dataclasses import fields
from inspect import Parameter, signature
from typing import get_type_hints

import pytest
from torch import Tensor

from collie_core.model import ARCHITECTURES, BasePipeline, MatrixFactorizationModel
from collie_core.model.options import (
    SharedKeywords,
    SharedOptions,
    TrainingKeywords,
    TrainingOptions,
)


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_help_lists_every_option_with_its_default(name: str) -> None:
    model = ARCHITECTURES[name]
    page = pydoc.plain(pydoc.render_doc(model))
    for field in fields(model.options_type):
        parameter = signature(model).parameters[field.name]
        assert parameter.kind in (Parameter.KEYWORD_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        default = model.option_defaults.get(field.name, field.default)
        assert parameter.default == default
        assert f"{field.name}" in page.partition("Parameters")[2]
    assert "options : see" not in page.partition("Methods defined here")[0]


def test_the_text_of_an_option_is_the_one_of_its_home() -> None:
    said = "weight_decay : passed to each optimizer that has it; >= 0."
    assert said in (SharedOptions.__doc__ or "")
    assert all(said in (model.__doc__ or "") for model in ARCHITECTURES.values())


def test_a_subclass_shows_its_own_parameters() -> None:
    class Mine(MatrixFactorizationModel):
        """Mine."""

        def __init__(self, train: object, width: int = 3) -> None:
            super().__init__(train, embedding_dim=width)

    assert list(signature(Mine).parameters) == ["train", "width"]


def test_a_template_of_ones_own_needs_no_options() -> None:
    class Plain(BasePipeline):
        def _setup_model(self, **_: object) -> None: ...

        def forward(self, users: Tensor, items: Tensor) -> Tensor:
            return users + items

    assert "kwargs" in signature(Plain).parameters


def test_keywords_and_options_are_the_same() -> None:
    for keywords, options in ((SharedKeywords, SharedOptions), (TrainingKeywords, TrainingOptions)):
        assert get_type_hints(keywords) == get_type_hints(options)
