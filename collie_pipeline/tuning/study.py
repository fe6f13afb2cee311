"""A study: all candidates of one search, on disk from the moment they are judged."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import distribution_to_json
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from collie_core.files import replacing
from collie_pipeline.code import code_version
from collie_pipeline.inputs import inputs_of
from collie_pipeline.storage.locks import locked
from collie_pipeline.tuning.subject import Subject, Values

EPOCHS, REASON = "epochs", "reason"  # what we note of a candidate; why it was refused
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
STARTUP, WARMUP = 5, 4  # candidates that are never pruned, and epochs that each one has
DIRECTIONS = {"mapk": StudyDirection.MAXIMIZE, "mse": StudyDirection.MINIMIZE}


class _Ours(JournalFileOpenLock):
    """The lock of a journal whose folder is locked already: a killed process leaves none behind."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        pass


@dataclass(frozen=True)
class Study:
    """The candidates of one search, in a folder of their own: see `opened`."""

    subject: Subject
    folder: Path

    @property
    def journal(self) -> Path:
        """The file that Optuna keeps the study in."""
        return self.folder / "journal.log"

    @cached_property
    def optuna_study(self) -> optuna.Study:
        """Optuna's own study, without candidates that a killed process left half trained.

        Raises
        ------
        ValueError
            If the journal cannot be read.
        """
        _mend(self.journal)
        try:
            study = self._loaded()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{self.journal} cannot be read ({error}): remove it to search anew"
            ) from None
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
        return study

    def _loaded(self) -> optuna.Study:
        backend = JournalFileBackend(str(self.journal), lock_obj=_Ours(str(self.journal)))
        return optuna.create_study(
            storage=JournalStorage(backend),
            study_name=self.subject.model,
            direction=DIRECTIONS[self.subject.metric],
            pruner=optuna.pruners.MedianPruner(STARTUP, WARMUP),
            load_if_exists=True,
        )

    def finished(self) -> list[FrozenTrial]:
        """Return the candidates that were judged, pruned or refused, the first first."""
        return self.optuna_study.get_trials(deepcopy=False, states=FINISHED)

    def best(self) -> int:
        """Return the place of the best candidate among the finished ones; of equal ones, the first.

        Raises
        ------
        ValueError
            If none was judged yet.
        """
        sign = -1 if self.subject.metric == "mse" else 1
        values = [
            sign * float(trial.value or 0) if trial.state == TrialState.COMPLETE else -np.inf
            for trial in self.finished()
        ]
        if not np.isfinite(values).any():
            raise ValueError(f"{self.subject.model}: nothing was tried to its end: search longer")
        return int(np.argmax(values))

    def ask(self) -> optuna.Trial:
        """Return the next candidate: the present settings, then what Optuna draws.

        What is drawn depends on the seed and on the finished candidates alone, so that a search
        that was killed goes on as if it had not been.
        """
        number = len(self.finished())
        seeds = np.random.SeedSequence([self.subject.given.settings.seed, number])
        seed = int(seeds.generate_state(1)[0])
        self.optuna_study.sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
        if not number and not self.optuna_study.get_trials(states=(TrialState.WAITING,)):
            self.optuna_study.enqueue_trial(self._present())
        drawn = {name: dimension.distribution() for name, dimension in self.subject.space.items()}
        return self.optuna_study.ask(drawn)

    def _present(self) -> dict[str, Any]:
        own = self.subject.present
        return {name: each.drawn(getattr(own, name)) for name, each in self.subject.space.items()}

    def keep(self, number: int, values: Values) -> None:
        """Keep the values of the candidate `number`, user by user."""
        with replacing(self._values(number)) as temporary, temporary.open("wb") as file:
            np.save(file, values)

    def values(self, number: int) -> Values:
        """Return the values of a candidate: of the first or of the best one."""
        found: Values = np.load(self._values(number))
        return found

    def forget_others(self) -> None:
        """Remove the values of all candidates but the first and the best."""
        kept = {self._values(0), self._values(self.best())}
        for path in set(self.folder.glob("*.npy")) - kept:
            path.unlink()

    def _values(self, number: int) -> Path:
        return self.folder / f"{number}.npy"


@contextmanager
def opened(subject: Subject, root: Path, week: str) -> Iterator[Study]:
    """Give the study of `subject`, new or as far as it came; one process at a time has it.

    It is another study as soon as anything that candidates depend on is another: settings, what is
    tried of them, data, seed, code.

    Parameters
    ----------
    root : folder of the project.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # we say ourselves what happens
    folder = root / "studies" / subject.model / f"{week}-{identity(subject)[:16]}"
    with locked(folder / ".lock"):
        yield Study(subject, folder)


def identity(subject: Subject) -> str:
    """Return a hash of all that decides the candidates of `subject` and what they are worth."""
    inputs = {
        "training": inputs_of(subject.model, subject.given),
        "threads": subject.given.settings.threads,
        "space": {
            name: distribution_to_json(d.distribution()) for name, d in subject.space.items()
        },
        "code": [code_version("collie_pipeline/tuning"), optuna.__version__],
    }
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def _mend(journal: Path) -> None:
    """Cut off a last line that was not written to its end."""
    if journal.exists():
        with journal.open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
