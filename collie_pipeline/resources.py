"""What runs lend to assets."""

from typing import Literal

import dagster as dg


class Device(dg.ConfigurableResource[None]):
    """Where models train."""

    kind: Literal["auto", "cpu", "cuda", "mps"] = "auto"

    def resolve(self) -> str:
        """Return "cuda", "mps" or "cpu"; `auto` takes the first of them that is here.

        Raises
        ------
        dagster.Failure
            If the device that was asked for is not here.
        """
        import torch

        here = {
            "cuda": torch.cuda.is_available(),
            "mps": torch.backends.mps.is_available(),
            "cpu": True,
        }
        kind = next(k for k in here if here[k]) if self.kind == "auto" else self.kind
        if not here[kind]:
            raise dg.Failure(
                f"device {kind!r} was asked for and is not here: set device = 'auto'",
                allow_retries=False,
            )
        return kind
