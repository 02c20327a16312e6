"""Hydra's launcher `edgemake`: the points of one launch are built as one graph.

No package: Hydra looks for plugins in the namespace `hydra_plugins`, which many distributions
share. Nothing heavy is loaded here, since Hydra loads every plugin at its start; nor are
annotations put off, since it does so in a way that dataclasses with such annotations do not bear.
"""

import copy
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus, configure_log, setup_globals
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException


@dataclass
class Settings:
    """`hydra.launcher.…` of this launcher."""

    _target_: str = "hydra_plugins.edgemake_launcher.EdgemakeLauncher"
    n_jobs: int = 1
    """How many steps run side by side, as `doit -n`."""


ConfigStore.instance().store(
    group="hydra/launcher", name="edgemake", node=Settings, provider="edgemake"
)


class EdgemakeLauncher(Launcher):
    """Gives all points of a launch to the application at once: equal steps run once."""

    def __init__(self, n_jobs: int) -> None:
        self.n_jobs = n_jobs

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """What Hydra gives a launcher: its loader of configs, the application, the config.

        Raises HydraException for a number of steps that does not make sense.
        """
        if self.n_jobs < 1:
            raise HydraException(
                f"hydra.launcher.n_jobs={self.n_jobs}: so many steps run side by side; give 1 or "
                "more"
            )
        self.hydra_context, self.config = hydra_context, config
        self.task_function: Any = task_function

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Builds the points; a job whose point failed carries the error, the others go on."""
        setup_globals()
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        Path(self.config.hydra.sweep.dir).mkdir(parents=True, exist_ok=True)  # sweepers expect it
        callbacks = self.hydra_context.callbacks
        jobs = [self._job(words, initial_job_idx + i) for i, words in enumerate(job_overrides)]
        for job in jobs:
            if job.hydra_cfg is not None:
                callbacks.on_job_start(config=job.hydra_cfg, task_function=self.task_function)
        points = [list(words) for words in job_overrides]
        values = self.task_function.together(points, self.n_jobs)
        for job, value in zip(jobs, values, strict=True):
            failed = isinstance(value, Exception)
            job.return_value = value
            job.status = JobStatus.FAILED if failed else JobStatus.COMPLETED
            if job.hydra_cfg is not None:
                callbacks.on_job_end(config=job.hydra_cfg, job_return=job)
        return jobs

    def _job(self, overrides: Sequence[str], number: int) -> JobReturn:
        """A job to be. Its config is composed for Hydra's callbacks alone, if there are any: that
        takes longer than planning it. A point that Hydra cannot compose has none; the application
        says why."""
        job = JobReturn(overrides=list(overrides), task_name=self.config.hydra.job.name)
        if self.hydra_context.callbacks.callbacks:
            loader = self.hydra_context.config_loader
            with suppress(HydraException, OmegaConfBaseException):
                config = loader.load_sweep_config(self.config, list(overrides))
                with open_dict(config):
                    config.hydra.job.id = str(number)
                    config.hydra.job.num = number
                job.hydra_cfg, job.cfg = config, copy.deepcopy(config)
                with read_write(job.cfg), open_dict(job.cfg):
                    del job.cfg["hydra"]
        return job
