"""The table of models: a row for each asset below `models/`, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass

from collie_pipeline.model_settings import is_explicit
from collie_pipeline.project import Project


@dataclass(frozen=True)
class Row:
    """One asset: a model that is made at once, or one stage of a model.

    Parameters
    ----------
    name : its key below `models/`.
    description : what the UI says of it.
    trains : whether it has epochs, and so wants a GPU and validation.
    knows_items : whether it is made of what is known of the items.
    after : the stage, or the other model, whose bundle it starts from.
    """

    name: str
    description: str
    trains: bool = True
    knows_items: bool = False
    after: str | None = None

    @property
    def model(self) -> str:
        """The model it belongs to, as settings and leaderboard call it."""
        return self.name.split("/")[0]

    @property
    def code(self) -> tuple[str, ...]:
        """The modules of the library that it is made by; see `code_version`."""
        if self.trains:
            return f"collie_core.model.{self.model}", "collie_core.train"
        return f"collie_core.baselines.{self.model}", "collie_core.interactions"


TABLE = (
    Row("popularity", "Every item by its number of interactions: what any model must beat.", False),
    Row("item_knn", "Items like the items a user has, by the users they share.", False),
    Row("ease", "Every item from all items a user has, in closed form.", False),
    Row("matrix_factorization", "Factors and biases of users and items."),
    Row("mlp_matrix_factorization", "A perceptron over the factors of users and items."),
    Row("nonlinear_matrix_factorization", "Factors that went through dense layers."),
    Row("collaborative_metric_learning", "Users near the items they like."),
    Row("neural_collaborative_filtering", "Factors and a perceptron side by side."),
    Row("deep_fm", "A factorization machine and a perceptron over the same factors."),
    Row(
        "hybrid_pretrained",
        "Layers over features of items and the factors of matrix_factorization.",
        knows_items=True,
        after="matrix_factorization",
    ),
    Row(
        "cold_start/item_buckets",
        "Stage 1: factors of users and of buckets of items.",
        knows_items=True,
    ),
    Row(
        "cold_start/no_buckets",
        "Stage 2: every item on its own, from its bucket's factors on.",
        knows_items=True,
        after="cold_start/item_buckets",
    ),
    Row(
        "hybrid/matrix_factorization",
        "Stage 1: factors and biases of users and items.",
        knows_items=True,
    ),
    Row(
        "hybrid/metadata_only",
        "Stage 2: layers over features of items, and factors that stay.",
        after="hybrid/matrix_factorization",
    ),
    Row("hybrid/all", "Stage 3: factors and layers together.", after="hybrid/metadata_only"),
)


def rows(project: Project) -> list[Row]:
    """Return the rows of the models that the settings name."""
    return [row for row in TABLE if row.model in project.settings.models.names]


def reads_features(row: Row, project: Project) -> bool:
    """Return whether a model knows its items, or has partial credit for like ones."""
    own = getattr(project.settings.models, row.model, None)
    return row.knows_items or bool(getattr(own, "partial_credit", 0))


def made_from(row: Row, project: Project) -> dict[str, str]:
    """Return the assets that a model, or a stage of one, is made from, by what they are to it."""
    data = "prepared/ratings_" if is_explicit(project.settings, row.model) else "prepared/"
    found = {"train": f"{data}train"}
    if row.trains:
        found["validation"] = f"{data}validation"
    if reads_features(row, project):
        found["features"] = "prepared/item_features"
    if row.after:
        found["previous"] = f"models/{row.after}"
    return found


def stages(model: str) -> list[Row]:
    """Return the rows of one model, the first first."""
    return [row for row in TABLE if row.model == model]


def tried_on(model: str, project: Project) -> dict[str, str]:
    """Return the assets that settings of a model are tried on, by what they are to it.

    Its own stages are made anew for each trial. The test is none of them.
    """
    own = stages(model)
    found = made_from(own[0], project)
    for row in own[1:]:
        found |= {name: key for name, key in made_from(row, project).items() if name != "previous"}
    return found | {"validation": found["train"].replace("train", "validation")}


def chain(winner: str, names: Sequence[str]) -> list[str]:
    """Return which of `names` a model is made of, the first first: its stages, and what is before.

    Parameters
    ----------
    winner : the model.
    names : all rows there are.
    """
    table = {row.name: row for row in TABLE if row.name in names}
    last: str | None = [name for name, row in table.items() if row.model == winner][-1]
    stages = []
    while last is not None:
        stages.append(last)
        last = table[last].after
    return stages[::-1]


def final_stages(project: Project) -> dict[str, str]:
    """Return the name of the last stage of each model: the one that is judged."""
    return {row.model: row.name for row in rows(project)}


def argument(name: str) -> str:
    """Return the Python name of the input that is the model `name`."""
    return name.replace("/", "__")
