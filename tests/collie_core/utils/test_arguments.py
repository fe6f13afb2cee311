from typing import Any

import pytest

from collie_core.utils import get_init_arguments


class Base:
    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments


class Model(Base):  # its arguments are read from the frame
    def __init__(
        self,
        train: str,  # noqa: ARG002
        dim: int = 3,  # noqa: ARG002
        *,
        lr: float = 0.1,  # noqa: ARG002
        **kwargs: Any,
    ) -> None:
        super().__init__(**get_init_arguments(kwargs.get("leave")))


def test_arguments_and_defaults_come_without_self() -> None:
    assert Model("x").arguments == {"train": "x", "dim": 3, "lr": 0.1}


def test_keywords_stand_beside_the_rest() -> None:
    assert Model("x", 4, lr=0.2, other=5).arguments == {
        "train": "x",
        "dim": 4,
        "lr": 0.2,
        "other": 5,
    }


@pytest.mark.parametrize(
    ("leave", "left"), [("dim", {"train", "lr"}), (["dim", "leave", "lr"], {"train"})]
)
def test_names_can_be_left_out(leave: Any, left: set[str]) -> None:
    assert Model("x", leave=leave).arguments.keys() - {"leave"} == left


def test_names_that_are_no_arguments_are_printed_on_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Loud:
        def __init__(self, dim: int) -> None:  # noqa: ARG002
            self.arguments = get_init_arguments(exclude=["width"], verbose=True)

    assert Loud(7).arguments == {"dim": 7}
    assert "width not found" in capsys.readouterr().out
