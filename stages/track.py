"""Tells MLflow of a deliverable: its config, its figures, its report.

No step: whom to tell, and with whose credentials, is no part of what is built. docs/metrics.md
says what is logged under which name.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import time
from typing import Any

from edgemake.errors import UserError

NEEDED = ("mlflow", "sqlalchemy", "alembic")
"""mlflow-skinny, and what it needs to keep runs in an SQLite file."""
DATABASE, ARTIFACTS = "mlflow.db", "artifacts"
"""What lies in a tracking folder. MLflow 3.17 refuses its older kind of folder, so a folder is an
SQLite file here, with the artifacts beside it."""
REMOTE = re.compile(r"databricks$|[A-Za-z][A-Za-z0-9+.-]*:")
"""Begins what is no folder: a URI with a scheme, or MLflow's word for Databricks."""
SEEN = "edgemake.deliverable"
"""Tag of what was logged: no deliverable is logged twice."""
LONGEST_KEY, LONGEST_VALUE, BATCH = 250, 6000, 100
"""MLflow's limits: characters of a name and of a param's value, params of one request."""
FOREIGN = re.compile(r"[^\w\-. :/]")
"""What MLflow takes in no name."""
FILES = ("report.html", "metrics.json", "diagnosis.json", "model.json")
"""What is uploaded of a deliverable, as far as it is there."""
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
"""Set unless the environment says otherwise: no reports to MLflow's makers, no word on every table
it makes, and a server that is down is told of within seconds, not after minutes."""


@dataclass(frozen=True)
class Place:
    """Where runs are kept."""

    uri: str
    artifacts: str | None
    """Where a new experiment keeps its files; None: where the server says."""
    folder: Path | None
    """The folder that must be there first; None: it is not ours."""


def check(uri: str) -> None:
    """Raises UserError when MLflow cannot be used. Loads nothing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UserError(
            f"track.mlflow={uri}: {', '.join(missing)} cannot be imported; install what MLflow "
            "needs, pip install -e '.[mlflow]', or leave track.mlflow out"
        )


def place(uri: str) -> Place:
    """A folder is taken relative to the working directory, a URI as it is."""
    if REMOTE.match(uri) and not uri.startswith("file:"):
        return Place(uri, None, None)
    folder = Path(re.sub("^file:(//)?", "", uri)).expanduser().absolute()
    return Place(f"sqlite:///{folder / DATABASE}", (folder / ARTIFACTS).as_uri(), folder)


def log(uri: str, experiment: str, folder: Path) -> str | None:
    """Logs the deliverable in `folder` as a run; its id, or None when it is logged already.

    Raises UserError when MLflow cannot be reached or refuses; nothing of the deliverable changes.
    """
    check(uri)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    where = place(uri)
    try:
        if where.folder is not None:
            where.folder.mkdir(parents=True, exist_ok=True)
        return _log(where, experiment, folder)
    except Exception as fault:  # of a database, a server, a network: MLflow raises them all
        reason = str(fault).strip().splitlines() or [type(fault).__name__]
        raise UserError(
            f"track.mlflow={uri}: {folder.name} could not be logged ({reason[0]}). The deliverable "
            "itself is complete; mend this and run the same command, or leave track.mlflow out"
        ) from fault


def _log(where: Place, experiment: str, folder: Path) -> str | None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=where.uri)
    group = _experiment(client, experiment, where)
    digest = _digest(folder)
    if client.search_runs([group], f"tags.`{SEEN}` = '{digest}'", max_results=1):
        return None
    run: str = client.create_run(group, run_name=folder.name).info.run_id
    try:
        _fill(client, run, folder)
        client.set_tag(run, SEEN, digest)  # last: a run that was cut short is logged again
    except BaseException:
        client.set_terminated(run, "FAILED")
        raise
    client.set_terminated(run)
    return run


def _experiment(client: Any, name: str, where: Place) -> str:
    """Its id; it is made unless it is there."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(name, artifact_location=where.artifacts))


def _fill(client: Any, run: str, folder: Path) -> None:
    """Params, metrics and files."""
    from mlflow.entities import Metric, Param, RunTag

    config = _read(folder / "provenance.json").get("config", {})
    params = [Param(name, value) for name, value in leaves(config)]
    now = int(1000 * time())
    metrics = [Metric(name, value, now, 0) for name, value in figures(folder)]
    tags = [RunTag(f"edgemake.{key}", value) for key, value in _about(folder)]
    client.log_batch(run, metrics=metrics, tags=tags)
    for start in range(0, len(params), BATCH):
        client.log_batch(run, params=params[start : start + BATCH])
    for name in FILES:
        if (folder / name).exists():
            client.log_artifact(run, str(folder / name))


def leaves(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """(dotted name, value) of every leaf of a config, cut to MLflow's limits; lists are JSON."""
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{above}{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield _name(f"{above}{key}"), text[:LONGEST_VALUE]


def figures(folder: Path) -> Iterator[tuple[str, float]]:
    """(name, value) of what was measured: metrics.json's tables and model.json's figures.

    Figures of classes stay in the file, what is not known is left out.
    """
    measured = _read(folder / "metrics.json")
    for name in ("comparable", "board"):
        table = measured.get(name) or {}
        yield from _numbers(table.get("tiers"), f"{name}.")
        yield from _numbers(table.get("drop"), f"{name}.drop.")
    yield from _numbers(measured.get("agreement"), "agreement.")
    yield from _numbers(_read(folder / "model.json").get("figures"), "figures.")


def _numbers(values: Any, above: str) -> Iterator[tuple[str, float]]:
    """Every number in nested mappings, with its dotted name."""
    for key, value in (values or {}).items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{key}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield _name(f"{above}{key}"), float(value)


def _about(folder: Path) -> Iterator[tuple[str, str]]:
    """Tags by which runs are found."""
    model = _read(folder / "model.json")
    yield "target", str(model.get("target", {}).get("name", ""))
    yield "task", str(model.get("task", ""))
    yield "package", _package(folder)


def _package(folder: Path) -> str:
    """Digest of the package that the folder is a copy of."""
    steps = _read(folder / "provenance.json").get("steps", {}).values()
    return next((str(step["digest"]) for step in steps if step["stage"] == "package"), "")


def _digest(folder: Path) -> str:
    """Of the package and what was measured of it: other metrics of the same files are news."""
    path = folder / "metrics.json"
    measured = path.read_bytes() if path.exists() else b""
    return hashlib.sha256(_package(folder).encode() + b"\0" + measured).hexdigest()[:32]


def _read(path: Path) -> dict[str, Any]:
    """A JSON file; empty when it is not there."""
    if not path.exists():
        return {}
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def _name(text: str) -> str:
    return FOREIGN.sub("_", text)[:LONGEST_KEY]
