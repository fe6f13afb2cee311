"""The reference's examples as it prints them, with `collie` replaced by `collie_core`.

Where its text has lost lines of an example, or prints one that cannot run, a comment says what is
put in. What the examples assume to be defined is tiny here; numbers of epochs are theirs.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from collie_core.interactions import ExplicitInteractions, Interactions
from collie_core.model import BasePipeline, ColdStartModel, MatrixFactorizationModel

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_movielens = pytest.mark.skipif(
    not (DATA / "ml-100k").is_dir(), reason=f"needs MovieLens 100K at {DATA}"
)
# Lightning's, of what the examples do on purpose: data of few batches, no TensorBoard, and the
# same trainer for each stage
pytestmark = [
    pytest.mark.filterwarnings("ignore:The number of training batches"),
]
GENRES = np.eye(3)[np.arange(10) % 3]
EVERYBODY = torch.arange(12)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the examples a folder of their own, with MovieLens where there is one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_PATH", str(DATA))
    torch.manual_seed(0)
    return tmp_path


def run(example: str, **given: Any) -> dict[str, Any]:
    """Return the names that `example` leaves behind; `given` are those it takes for granted."""
    names = {"__name__": "example", **given}
    exec(re.sub(r"\bfrom collie\.", "from collie_core.", example), names)  # noqa: S102 - ours
    return names


def pairs(shift: int) -> dict[str, Any]:
    users, items = np.nonzero((np.arange(12)[:, None] + shift - np.arange(10)) % 3 == 0)
    return {"users": users, "items": items, "num_users": 12, "num_items": 10}


@pytest.fixture
def train() -> Interactions:
    return Interactions(**pairs(0), num_negative_samples=3, allow_missing_ids=True, seed=0)


@pytest.fixture
def val() -> Interactions:
    return Interactions(**pairs(1), num_negative_samples=3, allow_missing_ids=True, seed=0)


def scores(model: BasePipeline) -> torch.Tensor:
    return model.score_all(EVERYBODY).detach()


HDF5 = """
import pandas as pd

from collie.interactions import HDF5InteractionsDataLoader
from collie.utils import pandas_df_to_hdf5


# we'll write out a sample DataFrame to HDF5 format for this example
df = pd.DataFrame(data={'user_id': [0, 0, 0, 1, 1, 2],
                               'item_id': [0, 1, 2, 3, 4, 5]})
pandas_df_to_hdf5(df=df, out_path='sample_hdf5.h5')

interactions_loader = HDF5InteractionsDataLoader(
    hdf5_path='sample_hdf5.h5',
    user_col='user_id',
    item_col='item_id',
    num_negative_samples=2,
)
for batch in interactions_loader:
    print(batch)
"""


def test_chapter_one_s_hdf5_file_gives_one_batch(capsys: pytest.CaptureFixture[str]) -> None:
    (users, items), negatives = run(HDF5)["batch"]
    assert (users.tolist(), items.tolist()) == ([0, 0, 0, 1, 1, 2], [0, 1, 2, 3, 4, 5])
    assert negatives.shape == (6, 2)
    assert capsys.readouterr().out.count("tensor([0, 1, 2, 3, 4, 5], dtype=torch.int32)") == 1


SPLITS = """
from collie.cross_validation import random_split, stratified_split
from collie.interactions import Interactions
from collie.movielens import read_movielens_df
from collie.utils import convert_to_implicit, Timer


# EXPERIMENT SETUP
# read in MovieLens 100K data
df = read_movielens_df()

# convert the data to implicit
df_imp = convert_to_implicit(df)

# store data as ``Interactions``
interactions = Interactions(users=df_imp['user_id'],
                            items=df_imp['item_id'],
                            allow_missing_ids=True)

t = Timer()

# EXPERIMENT BEGIN
train, test = random_split(interactions)
t.timecheck(message='Random split timecheck')

train, test = stratified_split(interactions)
t.timecheck(message='Stratified split timecheck')
"""


@needs_movielens
def test_chapter_two_s_splits_print_their_times(capsys: pytest.CaptureFixture[str]) -> None:
    names = run(SPLITS)
    printed = capsys.readouterr().out.splitlines()
    for line, kind in zip(printed, ("Random", "Stratified"), strict=True):
        assert re.fullmatch(rf"{kind} split timecheck \(\d\.\d\d min\)", line)
    assert len(names["train"]) + len(names["test"]) == len(names["interactions"]) == 55_375


# the reference prints the first line of each case three times in place of the two
STANDARD_LOSSES = r"""
import torch

from collie.loss import bpr_loss, hinge_loss


# an ideal loss case
positive_score = torch.tensor([3.0])
negative_score = torch.tensor([1.5])

print('BPR Loss:  ', bpr_loss(positive_score, negative_score))
print('Hinge Loss:', hinge_loss(positive_score, negative_score))

print('\n-----\n')

# a less-than-ideal loss case
positive_score = torch.tensor([1.5])
negative_score = torch.tensor([3.0])

print('BPR Loss:  ', bpr_loss(positive_score, negative_score))
print('Hinge Loss:', hinge_loss(positive_score, negative_score))
"""
STANDARD_PRINTED = """
BPR Loss:   tensor(0.2157)
Hinge Loss: tensor(0.)
-----
BPR Loss:   tensor(1.4860)
Hinge Loss: tensor(8.7500)
"""

ADAPTIVE_LOSSES = r"""
import torch

from collie.loss import adaptive_bpr_loss, adaptive_hinge_loss, warp_loss


# an ideal loss case
positive_score = torch.tensor([3.0])
many_negative_scores = torch.tensor([[1.5], [0.5], [1.0]])

print('Adaptive BPR Loss:  ', adaptive_bpr_loss(positive_score, many_negative_scores))
print('Adaptive Hinge Loss:', adaptive_hinge_loss(positive_score, many_negative_scores))
print('WARP Loss:          ', warp_loss(positive_score, many_negative_scores, num_items=3))

print('\n-----\n')

# a less-than-ideal loss case
positive_score = torch.tensor([1.5])
many_negative_scores = torch.tensor([[2.0], [3.0], [2.5]])

print('Adaptive BPR Loss:  ', adaptive_bpr_loss(positive_score, many_negative_scores))
print('Adaptive Hinge Loss:', adaptive_hinge_loss(positive_score, many_negative_scores))
print('WARP Loss:          ', warp_loss(positive_score, many_negative_scores, num_items=3))
print('WARP Loss:          ', warp_loss(positive_score, many_negative_scores, num_items=30))

print('\n-----\n')

# a case where multiple negative items gives us greater opportunity to correct the model
positive_score = torch.tensor([1.5])
many_negative_scores = torch.tensor([[1.0], [4.0], [1.49]])

print('Adaptive BPR Loss:  ', adaptive_bpr_loss(positive_score, many_negative_scores))
print('Adaptive Hinge Loss:', adaptive_hinge_loss(positive_score, many_negative_scores))
print('WARP Loss:          ', warp_loss(positive_score, many_negative_scores, num_items=3))
print('WARP Loss:          ', warp_loss(positive_score, many_negative_scores, num_items=30))
"""
ADAPTIVE_PRINTED = """
Adaptive BPR Loss:   tensor(0.2157)
Adaptive Hinge Loss: tensor(0.)
WARP Loss:           tensor(0.)
-----
Adaptive BPR Loss:   tensor(1.4860)
Adaptive Hinge Loss: tensor(8.7500)
WARP Loss:           tensor(4.3636)
WARP Loss:           tensor(31.1301)
-----
Adaptive BPR Loss:   tensor(1.7782)
Adaptive Hinge Loss: tensor(15.7500)
WARP Loss:           tensor(0.8510)
WARP Loss:           tensor(4.5926)
"""

PARTIAL_CREDIT = r"""
import torch

# we'll just look at ``bpr_loss`` for this, but note that this works with
# all loss functions in Collie
from collie.loss import bpr_loss


# positive item is Star Wars
star_wars_score = torch.tensor([1.0])

# negative items are Star Trek and Legally Blonde
star_trek_score = torch.tensor([3.0])
legally_blonde_score = torch.tensor([3.0])

print('Star Wars vs Star Trek Loss:      ', end='')
print(bpr_loss(positive_scores=star_wars_score, negative_scores=star_trek_score))
print('Star Wars vs Legally Blonde Loss: ', end='')
print(bpr_loss(positive_scores=star_wars_score, negative_scores=legally_blonde_score))

print('\n-----\n')

# now let's apply a partial credit calculation to the loss
metadata_weights = {'genre': 0.25}

# categorically encode Sci-Fi as ``0`` and Comedy as ``1`` and
# order values by Star Wars, Star Trek, Legally Blonde
metadata = {'genre': torch.tensor([0, 0, 1])}

print('Star Wars vs Star Trek Partial Credit Loss:      ', end='')
print(bpr_loss(positive_scores=star_wars_score,
               negative_scores=star_trek_score,
               positive_items=torch.tensor([0]),
               negative_items=torch.tensor([1]),
               metadata=metadata,
               metadata_weights=metadata_weights))
print('Star Wars vs Legally Blonde Partial Credit Loss: ', end='')
print(bpr_loss(positive_scores=star_wars_score,
               negative_scores=legally_blonde_score,
               positive_items=torch.tensor([0]),
               negative_items=torch.tensor([2]),
               metadata=metadata,
               metadata_weights=metadata_weights))
"""
CREDIT_PRINTED = """
Star Wars vs Star Trek Loss:      tensor(1.6566)
Star Wars vs Legally Blonde Loss: tensor(1.6566)
-----
Star Wars vs Star Trek Partial Credit Loss:      tensor(1.0287)
Star Wars vs Legally Blonde Partial Credit Loss: tensor(1.6566)
"""


@pytest.mark.parametrize(
    ("example", "printed"),
    [
        (STANDARD_LOSSES, STANDARD_PRINTED),
        (ADAPTIVE_LOSSES, ADAPTIVE_PRINTED),
        (PARTIAL_CREDIT, CREDIT_PRINTED),
    ],
    ids=["standard", "adaptive", "partial credit"],
)
def test_chapter_three_s_losses_print_its_numbers(
    example: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(example)
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert lines == printed.strip().splitlines()


INSTANTIATING = """
from collie.model import CollieTrainer, MatrixFactorizationModel


# assume you have ``interactions`` already defined and ready-to-go

model = MatrixFactorizationModel(interactions)

trainer = CollieTrainer(model)
trainer.fit(model)
model.eval()

# now, ``model`` is ready to be used for inference, evaluation, etc.

model.save_model('model.pkl')
"""


def test_chapter_four_s_first_model_is_saved(train: Interactions, folder: Path) -> None:
    model = run(INSTANTIATING, interactions=train)["model"]
    loaded = MatrixFactorizationModel(load_model_path=folder / "model.pkl")
    assert torch.equal(scores(loaded), scores(model))
    assert model.hparams.num_epochs_completed == 10


CUSTOM = '''
import torch

from collie.model import BasePipeline, CollieTrainer, ScaledEmbedding
from collie.utils import get_init_arguments


class SimpleModel(BasePipeline):
    def __init__(self, train, val, embedding_dim):
        """
        Initialize a simple model that is a subclass of ``BasePipeline``.

        Parameters
        ----------
        train: ``collie.interactions`` object
        val: ``collie.interactions`` object
        embedding_dim: int
            Number of latent factors to use for user and item embeddings

        """
        super().__init__(**get_init_arguments())

    def _setup_model(self, **kwargs):
        """Method for building model internals that rely on the data passed in."""
        self.user_embeddings = ScaledEmbedding(num_embeddings=self.hparams.num_users,
                                               embedding_dim=self.hparams.embedding_dim)
        self.item_embeddings = ScaledEmbedding(num_embeddings=self.hparams.num_items,
                                               embedding_dim=self.hparams.embedding_dim)

    def forward(self, users, items):
        """
        Forward pass through the model.

        Parameters
        ----------
        users: tensor, 1-d
            Array of user indices
        items: tensor, 1-d
            Array of item indices

        Returns
        -------
        preds: tensor, 1-d
            Predicted scores

        """
        return torch.mul(
            self.user_embeddings(users), self.item_embeddings(items)
        ).sum(axis=1)


# assume you have ``train`` and ``val`` already defined and ready-to-go

model = SimpleModel(train, val, embedding_dim=10)

trainer = CollieTrainer(model, max_epochs=10)
trainer.fit(model)
model.eval()

# now, ``model`` is ready to be used for inference, evaluation, etc.

model.save_model('model.pkl')
'''


def test_chapter_four_s_custom_model_trains_and_is_saved(
    train: Interactions, val: Interactions, folder: Path
) -> None:
    names = run(CUSTOM, train=train, val=val)
    model = names["model"]
    user, item = model.user_embeddings.weight, model.item_embeddings.weight
    torch.testing.assert_close(scores(model), (user @ item.T).detach())
    assert model.hparams.num_epochs_completed == 10
    assert (folder / "model.pkl").is_file()


STANDARD = """
from collie.model import CollieTrainer, {name}


model = {name}(train=train)
trainer = CollieTrainer(model)
trainer.fit(model)
model.eval()

# do evaluation as normal with ``model``

model.save_model(filename='model.pth')
new_model = {name}(load_model_path='model.pth')

# do evaluation as normal with ``new_model``
"""


@pytest.mark.parametrize(
    "name",
    [
        "MatrixFactorizationModel",
        "MLPMatrixFactorizationModel",
        "NonlinearMatrixFactorizationModel",
        "CollaborativeMetricLearningModel",
        "NeuralCollaborativeFiltering",
        "DeepFM",
    ],
)
def test_standard_models_train_and_come_back(name: str, train: Interactions) -> None:
    names = run(STANDARD.format(name=name), train=train)
    assert torch.equal(scores(names["new_model"]), scores(names["model"]))
    assert names["new_model"].hparams.num_epochs_completed == 10


# the reference has lost all between the first model's training and the evaluation of the last
PRETRAINED = """
from collie.model import CollieTrainer, HybridPretrainedModel, MatrixFactorizationModel


# instantiate and fit a ``MatrixFactorizationModel`` as expected
mf_model = MatrixFactorizationModel(train=train)
mf_trainer = CollieTrainer(mf_model)
mf_trainer.fit(mf_model)

hybrid_model = HybridPretrainedModel(train=train,
                                     item_metadata=item_metadata,
                                     trained_model=mf_model)
hybrid_trainer = CollieTrainer(hybrid_model)
hybrid_trainer.fit(hybrid_model)
hybrid_model.eval()

hybrid_model.save_model(path='model')
new_hybrid_model = HybridPretrainedModel(load_model_path='model')

# do evaluation as normal with ``new_hybrid_model``
"""


def test_hybrid_pretrained_model_keeps_the_factors_and_comes_back(train: Interactions) -> None:
    names = run(PRETRAINED, train=train, item_metadata=GENRES)
    model, factors = names["hybrid_model"], names["mf_model"].item_embeddings.weight
    assert torch.equal(model._get_item_embeddings(), factors)
    assert torch.equal(scores(names["new_hybrid_model"]), scores(model))


COLD_START = """
from collie.model import ColdStartModel, CollieTrainer


# instantiate and fit a ``ColdStartModel`` as expected
model = ColdStartModel(train=train, item_buckets=item_buckets)
trainer = CollieTrainer(model)
trainer.fit(model)

# train for X more epochs on the next stage, ``no_buckets``
trainer.max_epochs += X
model.advance_stage()
trainer.fit(model)

model.eval()

# do evaluation as normal with ``model``

# get item-item recommendations for a new item by using the bucket ID, Z
similar_items = model.item_bucket_item_similarity(item_bucket_id=Z)

model.save_model(filename='model.pth')
new_model = ColdStartModel(load_model_path='model.pth')

# do evaluation as normal with ``new_model``
"""


def test_cold_start_model_trains_in_both_stages_and_comes_back(train: Interactions) -> None:
    names = run(COLD_START, train=train, item_buckets=torch.arange(10) % 3, X=5, Z=2)
    assert names["model"].hparams.num_epochs_completed == 15
    assert names["new_model"].hparams.stage == "no_buckets"
    assert torch.equal(scores(names["new_model"]), scores(names["model"]))
    assert set(names["similar_items"].index[:3]) == {2, 5, 8}


HYBRID = """
from collie.model import CollieTrainer, HybridModel


# instantiate and fit a ``HybridModel`` as expected
model = HybridModel(train=train, item_metadata=item_metadata)
trainer = CollieTrainer(model)
trainer.fit(model)

# train for X more epochs on the next stage, ``metadata_only``
trainer.max_epochs += X
model.advance_stage()
trainer.fit(model)

# train for Y more epochs on the next stage, ``all``
trainer.max_epochs += Y
model.advance_stage()
trainer.fit(model)

model.eval()

# do evaluation as normal with ``model``

model.save_model(path='model')
new_model = HybridModel(load_model_path='model')

# do evaluation as normal with ``new_model``
"""


def test_hybrid_model_trains_in_three_stages_and_comes_back(train: Interactions) -> None:
    names = run(HYBRID, train=train, item_metadata=GENRES, X=2, Y=3)
    assert names["model"].hparams.num_epochs_completed == 15
    assert names["new_model"].hparams.stage == "all"
    assert torch.equal(scores(names["new_model"]), scores(names["model"]))


MINIMAL = """
from collie.model import CollieMinimalTrainer, MatrixFactorizationModel


# notice how similar the usage is to the standard ``CollieTrainer``
model = MatrixFactorizationModel(train=train)
trainer = CollieMinimalTrainer(model)
trainer.fit(model)
"""


def test_minimal_trainer_is_used_like_the_other(train: Interactions) -> None:
    epochs = run(MINIMAL, train=train)["model"].hparams.num_epochs_completed
    assert 4 <= epochs <= 10  # it stops after three epochs that are no better


# the import of ``SomeMultiStageModel``, which is the reader's, is left out
MULTI_STAGE = """
from collie.model import CollieTrainer


model = SomeMultiStageModel(train=train)
trainer = CollieTrainer(model)

# fit stage 1
trainer.fit(model)

# fit stage 2
trainer.max_epochs += 10
model.advance_stage()
trainer.fit(model)

# fit stage 3
trainer.max_epochs += 10
model.advance_stage()
trainer.fit(model)

# ... and so on, until...
model.eval()
"""


class ThreeStages(ColdStartModel):
    """The cold start model with its last stage twice."""

    def __init__(self, train: Interactions) -> None:
        super().__init__(train, item_buckets=np.arange(10) % 3)
        last = {**self._optimizer_configs[-1], "stage": "once more"}
        self._optimizer_configs = [*self._optimizer_configs, last]
        self.hparams.stage_list = [*self.hparams.stage_list, "once more"]


def test_multi_stage_models_go_from_stage_to_stage(train: Interactions) -> None:
    model = run(MULTI_STAGE, train=train, SomeMultiStageModel=ThreeStages)["model"]
    assert (model.hparams.stage, model.hparams.num_epochs_completed) == ("once more", 30)


IMPLICIT_EVALUATION = """
from collie.metrics import auc, evaluate_in_batches, mapk, mrr


map_10_score, mrr_score, auc_score = evaluate_in_batches(
    metric_list=[mapk, mrr, auc],
    test_interactions=test,
    model=model,
)

print(map_10_score, mrr_score, auc_score)
"""


def test_implicit_evaluation_prints_each_metric(
    train: Interactions, capsys: pytest.CaptureFixture[str]
) -> None:
    model = MatrixFactorizationModel(train=train).eval()
    names = run(IMPLICIT_EVALUATION, test=train, model=model)
    printed = [float(each) for each in capsys.readouterr().out.split()[-3:]]
    assert printed == [names["map_10_score"], names["mrr_score"], names["auc_score"]]
    assert all(0 <= each <= 1 for each in printed)


# the reference imports ``explicit_evaluate_in_batches``, and then calls the other
EXPLICIT_EVALUATION = """
import torchmetrics

from collie.metrics import explicit_evaluate_in_batches


mse_score, mae_score = explicit_evaluate_in_batches(
    metric_list=[torchmetrics.MeanSquaredError(), torchmetrics.MeanAbsoluteError()],
    test_interactions=test,
    model=model,
)

print(mse_score, mae_score)
"""


def test_explicit_evaluation_measures_the_errors(capsys: pytest.CaptureFixture[str]) -> None:
    ratings = ExplicitInteractions(
        **pairs(0), ratings=np.arange(40) % 5 + 1.0, allow_missing_ids=True
    )
    model = MatrixFactorizationModel(train=ratings, loss="mse").eval()
    names = run(EXPLICIT_EVALUATION, test=ratings, model=model)
    users, items = (torch.tensor(side) for side in (ratings.mat.row, ratings.mat.col))
    errors = model(users, items).detach() - torch.tensor(ratings.mat.data)
    assert names["mse_score"] == pytest.approx(errors.square().mean().item(), rel=1e-5)
    assert names["mae_score"] == pytest.approx(errors.abs().mean().item(), rel=1e-5)
    assert f"{names['mse_score']} {names['mae_score']}" in capsys.readouterr().out


# ``display`` and ``HTML`` are IPython's, and ``df_to_html``'s import is missing
HTML_TABLE = """
import pandas as pd

from collie.utils import df_to_html


df = pd.DataFrame({
    'item': ['Beefy Fritos® Burrito'],
    'price': ['1.00'],
    'image_url': ['https://www.tacobell.com/images/22480_beefy_fritos_burrito_269x269.jpg'],
})
display(
    HTML(
        df_to_html(
            df,
            image_cols='image_url',
            html_tags={'item': 'strong', 'price': 'em'},
            image_width=200,
        )
    )
)
"""


def test_html_table_has_image_and_tags(capsys: pytest.CaptureFixture[str]) -> None:
    run(HTML_TABLE, display=print, HTML=str)
    table = capsys.readouterr().out
    assert "<strong>Beefy Fritos® Burrito</strong>" in table
    assert "<em>1.00</em>" in table
    assert re.search(r'<img src="https://www\.tacobell.*\.jpg"[^>]* width="?200', table)


IMPLICIT_START = """
from collie.cross_validation import stratified_split
from collie.interactions import Interactions
from collie.metrics import auc, evaluate_in_batches, mapk, mrr
from collie.model import MatrixFactorizationModel, CollieTrainer
from collie.movielens import read_movielens_df
from collie.utils import convert_to_implicit


# read in explicit MovieLens 100K data
df = read_movielens_df()

# convert the data to implicit
df_imp = convert_to_implicit(df)

# store data as ``Interactions``
interactions = Interactions(users=df_imp['user_id'],
                            items=df_imp['item_id'],
                            allow_missing_ids=True)

# perform a data split
train, val = stratified_split(interactions)

# train an implicit ``MatrixFactorization`` model
model = MatrixFactorizationModel(train=train,
                                 val=val,
                                 embedding_dim=10,
                                 lr=1e-1,
                                 loss='adaptive',
                                 optimizer='adam')
trainer = CollieTrainer(model, max_epochs=10)
trainer.fit(model)
model.eval()

# evaluate the model
auc_score, mrr_score, mapk_score = evaluate_in_batches(metric_list=[auc, mrr, mapk],
                                                       test_interactions=val,
                                                       model=model)

print(f'AUC:          {auc_score}')
print(f'MRR:          {mrr_score}')
print(f'MAP@10:       {mapk_score}')
"""


@pytest.mark.slow
@needs_movielens
def test_quick_start_ranks_what_users_like(capsys: pytest.CaptureFixture[str]) -> None:
    names = run(IMPLICIT_START)
    assert "MAP@10:" in capsys.readouterr().out
    assert names["auc_score"] > 0.85  # at random 0.5
    assert names["mapk_score"] > 0.02  # at random 0.003


EXPLICIT_START = """
from collie.cross_validation import stratified_split
from collie.interactions import ExplicitInteractions
from collie.metrics import explicit_evaluate_in_batches
from collie.model import MatrixFactorizationModel, CollieTrainer
from collie.movielens import read_movielens_df

from torchmetrics import MeanAbsoluteError, MeanSquaredError


# read in explicit MovieLens 100K data
df = read_movielens_df()

# store data as ``Interactions``
interactions = ExplicitInteractions(users=df['user_id'],
                                    items=df['item_id'],
                                    ratings=df['rating'])

# perform a data split
train, val = stratified_split(interactions)

# train an implicit ``MatrixFactorization`` model
model = MatrixFactorizationModel(train=train,
                                 val=val,
                                 embedding_dim=10,
                                 lr=1e-2,
                                 loss='mse',
                                 optimizer='adam')
trainer = CollieTrainer(model, max_epochs=10)
trainer.fit(model)
model.eval()

# evaluate the model
mae_score, mse_score = explicit_evaluate_in_batches(metric_list=[MeanAbsoluteError(),
                                                                 MeanSquaredError()],
                                                    test_interactions=val,
                                                    model=model)

print(f'MAE: {mae_score}')
print(f'MSE: {mse_score}')
"""


@pytest.mark.slow
@needs_movielens
def test_quick_start_predicts_ratings(capsys: pytest.CaptureFixture[str]) -> None:
    names = run(EXPLICIT_START)
    assert "MSE:" in capsys.readouterr().out
    ratings = names["val"].mat.data
    assert names["mse_score"] < 0.9 * ratings.var()
    assert names["mae_score"] < np.abs(ratings - ratings.mean()).mean()
