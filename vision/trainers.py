"""ultralytics' trainers, held to this build: no look-ups, no downloads, no second validation."""

from __future__ import annotations

from typing import Any


def trainer_of(task: str, activation: str, data: dict[str, Any]) -> Any:
    """A class: a trainer of the task that is handed its data and leaves out the final pass.

    `data`: as ultralytics describes a data set: train, val, names, nc, channels; for pose also
    kpt_shape and, if images may be mirrored, flip_idx. `activation`: of model.activation.

    ultralytics' own look-up of the data also fetches a font; its final pass only repeats the
    validation of the best epoch. (A class whose name holds "Trainer" gets its web callbacks.)
    """
    from ultralytics.models.yolo.detect import DetectionTrainer
    from ultralytics.models.yolo.pose import PoseTrainer

    from vision.checkpoint import description

    base = {"detect": DetectionTrainer, "pose": PoseTrainer}[task]

    class Training(base):  # type: ignore[misc, valid-type]
        def get_dataset(self) -> dict[str, Any]:
            return data

        def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
            if isinstance(cfg, str):  # a new network; a resumed one brings its description along
                cfg = description(cfg, activation)
            return super().get_model(cfg, weights, verbose)

        def final_eval(self) -> None:
            return None

    return Training
