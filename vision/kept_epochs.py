"""What a killed training resumes from: the last whole epoch, set aside by one rename."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FINISHED = "finished"
"""Name of the mark beside a kept epoch after which nothing is left to train."""


@dataclass(frozen=True)
class KeptEpochs:
    """A folder with one kept epoch: last.pt, best.pt and results.csv as they were at its end.

    ultralytics rewrites these files in place, so a kill can leave them torn.
    """

    folder: Path

    def keep(self, trainer: Any) -> None:
        """For ultralytics' callback `on_model_save`: keeps this epoch, drops the one before."""
        if not trainer.best.exists():  # no epoch yet with a finite accuracy
            return
        fresh, final = self.folder / "new", self.folder / f"{trainer.epoch + 1:06d}"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        for file in (trainer.last, trainer.best, trainer.csv):
            shutil.copyfile(file, fresh / file.name)
        if trainer.stop:  # set before the epoch is saved: by the last epoch, or by `patience`
            (fresh / FINISHED).touch()
        fresh.rename(final)
        for older in self.folder.iterdir():
            if older != final:
                shutil.rmtree(older)

    def newest(self) -> Path | None:
        """The folder of the last whole epoch, if there is one."""
        whole = [path for path in self.folder.glob("*") if path.name.isdigit()]
        return max(whole, key=lambda path: path.name, default=None)

    def finished(self, kept: Path) -> bool:
        """Whether the training ended with this epoch."""
        return (kept / FINISHED).exists()
