"""Names of the arguments that ultralytics takes for training; no library is needed to know them."""

from __future__ import annotations

SETTINGS = frozenset(
    (
        *("amp", "batch", "cache", "cfg", "channels_last", "close_mosaic", "cls_remap", "compile"),
        *("cos_lr", "data", "deterministic", "device", "epochs", "exist_ok", "fraction", "freeze"),
        *("imgsz", "mode", "model", "multi_scale", "name", "optimizer", "patience", "pretrained"),
        *("profile", "project", "rect", "resume", "save", "save_period", "seed"),
        *("single_cls", "task", "time", "verbose", "workers"),
    )
)
"""How to train: ultralytics 8.4.190, cfg/default.yaml, "Train settings"."""
TASKS = frozenset(("dropout", "mask_ratio", "overlap_mask"))
"""Of other tasks, without effect on boxes; same file, "Segmentation" and "Classification"."""
VALIDATION = frozenset(
    (
        *("conf", "dnn", "iou", "max_det", "nms", "plots"),
        *("quantize", "save_json", "split", "val"),
    )
)
"""What the validation after an epoch reads; same file, "Val/Test settings"."""
SHARED = frozenset(("agnostic_nms", "classes"))
"""Listed there under "Predict settings", yet validation reads the one and training the other."""
HYPERPARAMETERS = frozenset(
    (
        *("angle", "auto_augment", "bgr", "box", "cls", "cls_pw", "copy_paste"),
        *("copy_paste_mode", "cutmix", "degrees", "dfl", "dgrad", "dis", "distill_model"),
        *("dlam", "dlog", "erasing", "fliplr", "flipud", "hsv_h", "hsv_s", "hsv_v", "kobj"),
        *("lr0", "lrf", "mixup", "momentum", "mosaic", "nbs", "perspective", "pose", "rle"),
        *("scale", "shear", "translate", "warmup_bias_lr", "warmup_epochs", "warmup_momentum"),
        "weight_decay",
    )
)
"""Same file, "Hyperparameters"."""
ARGUMENTS = SETTINGS | TASKS | VALIDATION | SHARED | HYPERPARAMETERS
