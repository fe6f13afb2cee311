"""MovieLens 100K from its ratings to a saved model: python -m collie_core.movielens.run."""

import torch
from pytorch_lightning.callbacks import EarlyStopping

from collie_core.cross_validation import stratified_split
from collie_core.interactions import Interactions
from collie_core.interactions.ids import at_least
from collie_core.metrics import auc, evaluate_in_batches, mapk, mrr
from collie_core.model import CollieTrainer, MatrixFactorizationModel
from collie_core.movielens.folder import cache_folder
from collie_core.movielens.read import read_movielens_df
from collie_core.utils import Timer, convert_to_implicit

SEED = 0  # of the split, the negatives and the weights


def run_movielens_example(epochs: int = 20, gpus: int = 0) -> None:
    """Return nothing: read and split MovieLens 100K, train, print how good it is, and save it.

    The model is saved as the folder `fitted_model` in `$DATA_PATH`, or in ``~/.cache/collie``
    without the variable, where the ratings are looked for and downloaded to as well. Training
    stops early where the loss of validation no longer falls. Items seen in training stay in the
    ranking, as in the reference.

    Parameters
    ----------
    epochs : the most epochs to train for.
    gpus : how many to train on; 0 trains on the CPU.

    Raises
    ------
    ValueError
        If `epochs` is less than 1.
    ConnectionError
        If the ratings are not there and cannot be downloaded.
    """
    at_least("epochs", epochs, 1)
    timer = Timer()
    train, validation, test = _split()
    timer.timecheck("Read and split")
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(SEED)
        model = _train(train, validation, epochs, gpus)
    timer.timecheck("Trained")
    for name, part in (("train", train), ("validation", validation), ("test", test)):
        means = evaluate_in_batches([auc, mrr, mapk], part, model, batch_size=1024, verbose=False)
        print("{:<11} AUC {:.4f}   MRR {:.4f}   MAP@10 {:.4f}".format(name, *means))
    timer.timecheck("Evaluated")
    model.save_model(cache_folder() / "fitted_model")
    timer.time_since_start("Saved; all together")


def _split() -> tuple[Interactions, ...]:
    positives = convert_to_implicit(read_movielens_df())
    interactions = Interactions(
        users=positives["user_id"], items=positives["item_id"], allow_missing_ids=True, seed=SEED
    )
    return stratified_split(interactions, val_p=0.1, test_p=0.1, seed=SEED)


def _train(
    train: Interactions, validation: Interactions, epochs: int, gpus: int
) -> MatrixFactorizationModel:
    model = MatrixFactorizationModel(
        train=train,
        val=validation,
        embedding_dim=10,
        dropout_p=0.05,
        loss="adaptive",
        lr=5e-2,
        optimizer="adam",
        weight_decay=1e-7,
    )
    trainer = CollieTrainer(
        model,
        max_epochs=epochs,
        gpus=gpus,
        logger=False,
        enable_checkpointing=False,
        callbacks=[EarlyStopping(monitor="val_loss_epoch", mode="min")],
    )
    trainer.fit(model)
    return model.eval()


if __name__ == "__main__":
    import typer

    typer.run(run_movielens_example)
