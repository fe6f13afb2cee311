"""What trainings leave beside models: checkpoints while they last, logs and curves for good."""

from dataclasses import dataclass
from pathlib import Path

from pytorch_lightning.loggers import Logger

from collie_core.checkpoints import Checkpoint
from collie_core.files import replacing
from collie_core.watchers import History
from collie_pipeline.curves import curves
from collie_pipeline.loggers import make_loggers
from collie_pipeline.sections import Trainings
from collie_pipeline.storage.staging import CHECKPOINTS

CURVES = "curves.svg"


@dataclass(frozen=True)
class Keeping:
    """Where the trainings of one asset and week leave what they leave.

    Parameters
    ----------
    root : folder of the project.
    asset : name of the asset, below `models/`: a model, a stage of one, or the champion, which is
        made again by trainings of any name.
    week : the week.
    settings : how often, and which loggers.
    """

    root: Path
    asset: str
    week: str
    settings: Trainings

    def checkpoint(self, name: str, inputs: str) -> Checkpoint:
        """Return the checkpoint of the training of `name`, which `inputs` decide."""
        path = self._folder(CHECKPOINTS, name) / f"{self.week}-{inputs[:16]}.ckpt"
        return Checkpoint(path, inputs, self.settings.checkpoint_seconds)

    def loggers(self, name: str) -> list[Logger]:
        """Return new loggers of the training of `name`."""
        logs = self.root / "logs"
        title = self._folder("logs", name).relative_to(logs).as_posix()
        return make_loggers(self.settings.loggers, logs, title, self.week)

    def draw(self, name: str, history: History) -> Path:
        """Return the path of a picture of `history`, the training of `name`."""
        path = self._folder("logs", name) / self.week / CURVES
        named = {"training loss": history.losses}
        if history.scores:
            named[f"validation {history.metric}"] = history.scores
        with replacing(path) as temporary:
            temporary.write_text(curves(named, history.best_epoch, name))
        return path

    def clear(self) -> None:
        """Remove the asset's checkpoints of the week, of whatever inputs, and what a kill left.

        The folders stay: another week may be at work in them.
        """
        for path in (self.root / CHECKPOINTS / self.asset).rglob(f"*{self.week}-*"):
            path.unlink(missing_ok=True)

    def _folder(self, kind: str, name: str) -> Path:
        above = self.root / kind / self.asset
        return above if name == self.asset else above / name
