from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pytorch_lightning.callbacks import EarlyStopping, TQDMProgressBar
from pytorch_lightning.loggers import CSVLogger

from collie_core.interactions import Interactions, InteractionsDataLoader
from collie_core.model import CollieMinimalTrainer, CollieTrainer, MatrixFactorizationModel
from collie_core.model.old_arguments import GONE, TerminateOnNaN, translated

QUIET: dict[str, Any] = {
    "logger": False,
    "enable_progress_bar": False,
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "accelerator": "cpu",
}


GPUS = {"accelerator": "gpu"}


def model_stub() -> MatrixFactorizationModel:
    return MatrixFactorizationModel(train=Interactions(users=[0], items=[0], num_items=40))


def model_of(tiny: Interactions, **options: Any) -> MatrixFactorizationModel:
    torch.manual_seed(0)
    data = Interactions(mat=tiny.mat, num_negative_samples=3, seed=1)
    return MatrixFactorizationModel(train=data, embedding_dim=4, **{"lr": 0.05, **options})


def loss_after(trainer: Any, model: MatrixFactorizationModel) -> float:
    trainer.fit(model)
    model.eval()
    batch = ((torch.arange(10), torch.arange(10)), torch.arange(30).reshape(10, 3) % 10)
    return model.calculate_loss(batch).detach().item()


def test_both_trainers_reach_the_same_loss_from_the_same_seed(tiny: Interactions) -> None:
    ours, lightnings = model_of(tiny), model_of(tiny)
    minimal = CollieMinimalTrainer(ours, max_epochs=4, verbosity=0, gpus=0)
    lightning = CollieTrainer(lightnings, max_epochs=4, **QUIET)
    assert loss_after(minimal, ours) == pytest.approx(loss_after(lightning, lightnings), rel=1e-5)


@pytest.mark.parametrize("kind", ["minimal", "lightning"])
def test_raising_max_epochs_and_fitting_again_goes_on(tiny: Interactions, kind: str) -> None:
    model = model_of(tiny)
    trainer: Any = (
        CollieMinimalTrainer(model, max_epochs=2, verbosity=0, gpus=0)
        if kind == "minimal"
        else CollieTrainer(model, max_epochs=2, **QUIET)
    )
    trainer.fit(model)
    trainer.fit(model)
    assert model.hparams["num_epochs_completed"] == 2
    trainer.max_epochs += 3
    trainer.fit(model)
    assert model.hparams["num_epochs_completed"] == 5


def test_training_stops_when_nothing_gets_better(tiny: Interactions) -> None:
    model = model_of(tiny, lr=1e-12, bias_lr=1e-12)
    model.train_loader = model.val_loader = None
    losses = iter([3.0, 2.0, 2.5, 2.0, 2.1, 9.0])
    trainer = CollieMinimalTrainer(
        model, max_epochs=20, verbosity=0, gpus=0, early_stopping_patience=3
    )
    trainer._train = lambda *_: next(losses)  # type: ignore[method-assign]
    trainer.fit(model)
    assert trainer.num_epochs_completed == 5


def test_after_epoch_sees_the_losses_and_can_stop(tiny: Interactions) -> None:
    seen: list[tuple[int, float, float | None]] = []

    def stop_after_two(epoch: int, train_loss: float, validation_loss: float | None) -> bool:
        seen.append((epoch, train_loss, validation_loss))
        return epoch == 2

    torch.manual_seed(0)
    model = MatrixFactorizationModel(train=tiny, val=tiny, embedding_dim=4)
    trainer = CollieMinimalTrainer(
        model, max_epochs=9, verbosity=0, gpus=0, after_epoch=stop_after_two
    )
    trainer.fit(model)
    assert [epoch for epoch, _, _ in seen] == [1, 2]
    assert all(validation is not None for _, _, validation in seen)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_is_refused_by_batch(tiny: Interactions, value: float) -> None:
    model = model_of(tiny, loss=lambda scores, _, **__: scores.sum() * value)
    trainer = CollieMinimalTrainer(model, verbosity=0, gpus=0, terminate_on_nan=True)
    with pytest.raises(ValueError, match=r"loss is (nan|inf|-inf) in batch 0: lower the learning"):
        trainer.fit(model)


def test_losses_reach_a_logger(tiny: Interactions, tmp_path: Any) -> None:
    model = model_of(tiny)
    logger = CSVLogger(str(tmp_path))
    trainer = CollieMinimalTrainer(
        model, max_epochs=2, verbosity=0, gpus=0, logger=logger, log_every_n_steps=1
    )
    trainer.fit(model)
    logged = next(tmp_path.rglob("metrics.csv")).read_text()
    assert "train_loss_epoch" in logged
    assert "train_loss_step" in logged


@pytest.mark.parametrize(
    ("verbosity", "expected"), [(0, ""), (1, "Epoch   1  train_loss"), (True, "Epoch   2")]
)
def test_verbosity_says_how_much_is_printed(
    tiny: Interactions, capsys: pytest.CaptureFixture[str], verbosity: int, expected: str
) -> None:
    model = model_of(tiny)
    CollieMinimalTrainer(model, max_epochs=2, verbosity=verbosity, gpus=0).fit(model)
    said = capsys.readouterr().out
    assert expected in said
    assert bool(said) is bool(verbosity)


def test_a_scheduler_lowers_both_learning_rates(tiny: Interactions) -> None:
    model = model_of(tiny, lr_scheduler_func=lambda o: torch.optim.lr_scheduler.StepLR(o, 1, 0.1))
    configured = model.configure_optimizers()
    optimizer, schedule = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    optimizer.step()
    schedule.step()
    rates = [group["lr"] for inner in optimizer.optimizers for group in inner.param_groups]
    assert rates == pytest.approx([0.005, 0.001])


def test_state_of_an_optimizer_group_comes_back(tiny: Interactions) -> None:
    model = model_of(tiny)
    optimizer = model._make_optimizer()
    model.calculate_loss(next(iter(model.train_dataloader()))).backward()
    optimizer.step()
    restored = model._make_optimizer()
    restored.load_state_dict(optimizer.state_dict())
    step = restored.optimizers[0].state[model.user_embeddings.weight]["step"]  # type: ignore[attr-defined]
    assert step == 1


def test_a_bias_optimizer_steps_only_the_biases(tiny: Interactions) -> None:
    model = model_of(tiny, bias_lr=1e-9)
    before = model.item_biases.weight.detach().clone()
    CollieMinimalTrainer(model, max_epochs=2, verbosity=0, gpus=0).fit(model)
    torch.testing.assert_close(model.item_biases.weight, before, atol=1e-6, rtol=0)
    faster = model_of(tiny, bias_optimizer="infer", bias_lr="infer")
    CollieMinimalTrainer(faster, max_epochs=2, verbosity=0, gpus=0).fit(faster)
    assert (faster.item_biases.weight - before).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"optimizer": "adamm"}, "unknown optimizer 'adamm'.*'adam'"),
        ({"optimizer": "sparse_adam", "weight_decay": 0.1}, "'sparse_adam' has none"),
    ],
)
def test_an_optimizer_that_cannot_be_is_refused(
    tiny: Interactions, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        model_of(tiny, **options).configure_optimizers()


@pytest.mark.parametrize(
    ("old", "today"),
    [
        ({"gpus": 0}, {"accelerator": "cpu"}),
        ({"gpus": True}, {"accelerator": "gpu", "devices": 1}),
        ({"gpus": 2}, {"accelerator": "gpu", "devices": 2}),
        ({"weights_summary": None}, {"enable_model_summary": False}),
        ({"weights_summary": "top"}, {"enable_model_summary": True}),
        ({"progress_bar_refresh_rate": 0}, {"enable_progress_bar": False}),
        ({"gpus": None}, {}),
        ({"gpus": -1}, {"accelerator": "gpu", "devices": -1}),
        ({"gpus": [0, 1], "accelerator": "ddp"}, GPUS | {"devices": [0, 1], "strategy": "ddp"}),
        ({"accelerator": "ddp_cpu"}, {"accelerator": "cpu", "strategy": "ddp_spawn"}),
        ({"accelerator": "mps"}, {"accelerator": "mps"}),
        ({"num_processes": 2}, {"accelerator": "cpu", "devices": 2}),
        ({"num_processes": 1}, {}),
        ({"terminate_on_nan": False}, {}),
        ({"checkpoint_callback": False}, {"enable_checkpointing": False}),
        ({"precision": 16}, {"precision": "16-mixed"}),
        ({"flush_logs_every_n_steps": 5, "precision": 32}, {"precision": "32-true"}),
        ({"weights_save_path": "here"}, {"default_root_dir": "here"}),
        ({"replace_sampler_ddp": False}, {"use_distributed_sampler": False}),
        ({"reload_dataloaders_every_epoch": True}, {"reload_dataloaders_every_n_epochs": 1}),
        ({"track_grad_norm": -1, "auto_lr_find": False, "tpu_cores": None}, {}),
    ],
)
def test_old_arguments_are_translated(old: dict[str, Any], today: dict[str, Any]) -> None:
    assert translated(old) == today


@pytest.mark.parametrize("name", sorted(GONE))
def test_what_has_no_counterpart_is_refused_with_a_way_out(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} is 2, which Lightning has dropped: \w+"):
        translated({name: 2})


def test_every_other_argument_is_lightnings() -> None:
    arguments = {"max_steps": 3, "callbacks": None, "limit_train_batches": 0.5}
    assert translated(arguments) == {**arguments, "callbacks": []}
    with pytest.raises(TypeError, match="max_epoch_number"):
        CollieTrainer(model_stub(), max_epoch_number=3)


def test_training_ends_where_a_parameter_is_lost(tiny: Interactions) -> None:
    model = model_of(tiny)
    with torch.no_grad():
        model.item_embeddings.weight[3, 1] = torch.nan
    trainer = CollieTrainer(model, **QUIET, terminate_on_nan=True)
    assert any(isinstance(each, TerminateOnNaN) for each in trainer.callbacks)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"the loss is not finite after batch 0: lower the learn"):
        trainer.fit(model)


def test_without_validation_data_nothing_is_validated(tiny: Interactions) -> None:
    trainer = CollieTrainer(model_of(tiny), **QUIET)
    assert trainer.num_sanity_val_steps == 0
    assert trainer.disable_validation
    trainer.fit(model_of(tiny))
    assert "val_loss_epoch" not in trainer.callback_metrics


def test_a_checkpoint_goes_on_where_it_was(tiny: Interactions, tmp_path: Any) -> None:
    whole, half = model_of(tiny), model_of(tiny)
    CollieTrainer(whole, max_epochs=4, **QUIET).fit(whole)
    checkpointing = {**QUIET, "enable_checkpointing": True, "default_root_dir": tmp_path}
    CollieTrainer(half, max_epochs=2, **checkpointing).fit(half)
    checkpoint = next(tmp_path.rglob("*.ckpt"))
    again = model_of(tiny)
    trainer = CollieTrainer(
        again,
        max_epochs=4,
        resume_from_checkpoint=checkpoint,
        **checkpointing,
    )
    trainer.fit(again)
    assert again.hparams["num_epochs_completed"] == 4
    torch.testing.assert_close(again.item_embeddings.weight, whole.item_embeddings.weight)


@pytest.mark.parametrize("trainer", ["lightning", "minimal"])
def test_hyperparameters_reach_a_logger(tiny: Interactions, tmp_path: Any, trainer: str) -> None:
    model, logger = model_of(tiny), CSVLogger(str(tmp_path))
    made: Any = (
        CollieTrainer(model, max_epochs=1, **{**QUIET, "logger": logger, "log_every_n_steps": 1})
        if trainer == "lightning"
        else CollieMinimalTrainer(model, max_epochs=1, verbosity=0, gpus=0, logger=logger)
    )
    made.fit(model)
    logged = next(tmp_path.rglob("hparams.yaml")).read_text()
    assert "embedding_dim: 4" in logged
    assert "lr: 0.05" in logged


def test_early_stopping_is_lightnings_too(tiny: Interactions) -> None:
    model = model_of(tiny, lr=1e-12, bias_lr=1e-12)
    stop = EarlyStopping("train_loss_epoch", patience=1, min_delta=1.0)
    trainer = CollieTrainer(model, max_epochs=50, callbacks=stop, **QUIET)
    trainer.fit(model)
    assert trainer.early_stopping_callback is stop
    assert model.hparams["num_epochs_completed"] == 2


def test_lightning_logs_the_mean_loss_of_an_epoch_and_those_of_some_steps(
    tiny: Interactions, tmp_path: Path
) -> None:
    losses = []

    class Noting(MatrixFactorizationModel):
        def calculate_loss(self, batch: Any) -> torch.Tensor:
            loss = super().calculate_loss(batch)
            losses.append((loss.item(), len(batch[-1])))
            return loss

    loader = InteractionsDataLoader(tiny, batch_size=7, shuffle=True, num_workers=0)
    model = Noting(train=loader, embedding_dim=4)
    logger = CSVLogger(str(tmp_path))
    trainer = CollieTrainer(model, max_epochs=1, logger=logger, log_every_n_steps=2)
    trainer.fit(model)
    logged = pd.read_csv(next(tmp_path.rglob("metrics.csv")))
    each, sizes = zip(*losses, strict=True)
    mean = np.average(each, weights=sizes)
    assert logged["train_loss_epoch"].dropna().tolist() == pytest.approx([mean])
    assert logged["train_loss_step"].dropna().tolist() == pytest.approx(list(each[1::2]))
    assert trainer.callback_metrics["train_loss"].item() == pytest.approx(mean)


def test_half_precision_passes_through(tiny: Interactions) -> None:
    model = model_of(tiny)
    CollieTrainer(model, max_epochs=1, precision="bf16", **QUIET).fit(model)
    assert model.hparams["num_epochs_completed"] == 1


@pytest.mark.parametrize("form", ["one", "dict", "list", "lists", "tuple"])
def test_every_form_of_optimizers_trains(tiny: Interactions, form: str) -> None:
    class Mine(MatrixFactorizationModel):
        def configure_optimizers(self) -> Any:
            first = torch.optim.SGD(self.user_embeddings.parameters(), lr=0.1)
            second = torch.optim.SGD(self.item_embeddings.parameters(), lr=0.1)
            schedule = torch.optim.lr_scheduler.StepLR(first, 1, 0.5)
            return {
                "one": first,
                "dict": {"optimizer": first, "lr_scheduler": {"scheduler": schedule}},
                "list": [first, second],
                "lists": ([first, second], [schedule]),
                "tuple": (first, second),
            }[form]

    torch.manual_seed(0)
    model = Mine(train=tiny, embedding_dim=4)
    before = [model.user_embeddings.weight.clone(), model.item_embeddings.weight.clone()]
    CollieMinimalTrainer(model, max_epochs=1, verbosity=0, gpus=0).fit(model)
    assert not torch.equal(model.user_embeddings.weight, before[0])
    changed = not torch.equal(model.item_embeddings.weight, before[1])
    assert changed is (form in ("list", "lists", "tuple"))


@pytest.mark.parametrize("returned", ["optimizer", [], {}, None, ([], [])])
def test_what_is_no_optimizer_is_refused(tiny: Interactions, returned: Any) -> None:
    model = model_of(tiny)
    model.configure_optimizers = lambda: returned  # type: ignore[method-assign]
    trainer = CollieMinimalTrainer(model, max_epochs=1, verbosity=0, gpus=0)
    with pytest.raises(ValueError, match=r"configure_optimizers returned .* must be an optimizer"):
        trainer.fit(model)


def test_stopping_early_is_said(tiny: Interactions, capsys: pytest.CaptureFixture[str]) -> None:
    model = model_of(tiny, loss=lambda scores, _, **__: 0 * scores.sum() + 1)
    CollieMinimalTrainer(model, early_stopping_patience=2, gpus=0).fit(model)
    assert "Epoch     3: Early stopping activated." in capsys.readouterr().out


def test_a_progress_bar_joins_the_callbacks_that_are_there() -> None:
    mine = object()
    callbacks = translated({"callbacks": [mine], "progress_bar_refresh_rate": 7})["callbacks"]
    assert callbacks[0] is mine
    assert isinstance(callbacks[1], TQDMProgressBar)


def test_a_gpu_that_is_not_here_is_refused(
    tiny: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="there is no GPU here: use gpus=0"):
        CollieMinimalTrainer(model_of(tiny), gpus=1)
