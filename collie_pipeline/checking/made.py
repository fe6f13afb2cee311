"""What is wrong with what was made: models and publications."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from collie_pipeline.checking.finding import Finding

if TYPE_CHECKING:
    from torch import Tensor

    from collie_pipeline.storage import Publication


def finite(tensors: "Mapping[str, Tensor]") -> Finding:
    """Find whether all numbers of a model's arrays are finite: a bundle's `tensors`."""
    wrong = {name: int((~each.isfinite()).sum()) for name, each in tensors.items()}
    named = [name for name, count in wrong.items() if count]
    total = sum(each.numel() for each in tensors.values())
    return Finding(
        not named,
        f"{sum(wrong.values())} of {total:,} weights are NaN or infinite, 0 may be"
        + (f", in {', '.join(named)}: lower lr" if named else ""),
        {"not_finite": sum(wrong.values()), "weights": total},
    )


def as_hashed(publication: "Publication") -> Finding:
    """Find whether the files of `publication`, read again, are what its manifest says."""
    files = publication.manifest["sha256"]
    whole = publication.is_whole()
    return Finding(
        whole,
        f"{len(files)} files of {publication.id} {'match' if whole else 'do not all match'} their "
        "hashes" + ("" if whole else ": publish the week again with `collie run`"),
        {"files": len(files)},
    )
