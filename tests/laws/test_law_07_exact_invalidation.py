"""Guarantee 7: one changed leaf re-runs its declared readers and their true dependants only."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
from lab import TEXT, Lab
from omegaconf import OmegaConf

ALL = ["source", "choose", "pack"]
EXPECTED = {
    "seed": [("1", ALL)],
    "count": [("5", ["choose", "pack"])],
    "more": [("[6]", ["choose", "pack"]), ("[8]", [])],
    "limit": [("999", ["pack"])],
    "text": [("same.txt", []), ("other.txt", ALL)],
    "sleep.source": [("0.01", ["source"])],  # equal numbers: nothing after it
    "sleep.choose": [("0.01", ["choose"])],
    "toolchain": [],  # guarantee 13
    "proof": [("after", ["tally"]), ("before", [])],
}


def _leaves(config: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in config.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_the_table_names_every_leaf(built_once: Lab) -> None:
    config = OmegaConf.to_container(OmegaConf.load(built_once.root / "conf/config.yaml"))
    assert isinstance(config, dict)
    assert sorted(_leaves({str(k): v for k, v in config.items()})) == sorted(EXPECTED)


@pytest.mark.parametrize("leaf", EXPECTED)
def test_each_leaf(built: Lab, leaf: str) -> None:
    built.write("same.txt", TEXT)
    built.write("other.txt", "an other text")
    for value, stages in EXPECTED[leaf]:
        assert built.build(f"{leaf}={value}") == stages, value
    assert built.build() == [], "the way back is free"


class Model:
    """What should happen, computed without the engine: a step runs when its params together with
    the content of its inputs were never seen before."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def build(self, config: Mapping[str, Any]) -> list[str]:
        """The stages that this build must execute, sorted."""
        ran: list[str] = []

        def step(stage: str, *facts: Any) -> None:
            key = msgspec.json.encode([stage, *facts])
            if key not in self._seen:
                self._seen.add(key)
                ran.append(stage)

        step("source", config["text"], config["seed"], config["sleep.source"])
        words = f"{config['text']} {config['seed']}"
        line = words.split()
        for count in [config["count"], *config["more"]]:
            step("choose", count, config["sleep.choose"], words)
            numbered = [w for i in range(5) for w in [*line, str(i)]]
            chosen = [numbered[i % len(numbered)] for i in range(count)]
            step("pack", config["limit"], chosen)
        return sorted(ran)


SEED = 7


def test_a_random_walk_through_configs(fresh: Lab) -> None:
    """Each step of the walk changes one or two leaves; the model says what must run."""
    chance, model = random.Random(SEED), Model()
    values: dict[str, list[Any]] = {
        "seed": [0, 1],
        "count": [3, 4],
        "more": [[], [4], [3, 5]],
        "limit": [1000, 500],
        "text": ["un deux", "un deux 0", "trois"],
        "sleep.source": [0.0, 0.01],
        "sleep.choose": [0.0, 0.01],
    }
    config = {leaf: options[0] for leaf, options in values.items()}
    for number in range(10):
        for leaf in chance.sample(sorted(values), 1 + number % 2):
            config[leaf] = chance.choice(values[leaf])
        fresh.write("input.txt", config["text"])
        ask = [f"{leaf}={str(v).replace(' ', '')}" for leaf, v in config.items() if leaf != "text"]
        assert sorted(fresh.build(*ask)) == model.build(config), (SEED, number, config)
    fresh.check_sound()


def test_how_a_step_was_run_is_recorded_and_in_no_key(built: Lab) -> None:
    plain = built.records("pack")[-1]["run"]
    assert plain["network"] is False
    assert plain["cores"] >= 1
    built.edit("dodo.py", "Plan(deliveries, ", "Plan(deliveries, {'EDGEMAKE_DEVICE': 'cpu'}, ")
    assert built.build() == []
    assert built.build("limit=900") == ["pack"]
    (record,) = (r for r in built.records("pack") if r["preimage"]["params"] == {"limit": 900})
    assert record["run"] == {**plain, "EDGEMAKE_DEVICE": "cpu"}
    assert "EDGEMAKE_DEVICE" not in str(record["preimage"])
    built.check_sound()
