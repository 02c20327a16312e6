"""Machine-wide tokens in real files, between real processes and users."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from edgemake import resources, tokens
from edgemake.errors import UserError
from edgemake.grants import Claim
from edgemake.resources import Machine, Needs, environment_of, here
from edgemake.tokens import Board, Tokens

MACHINE = Machine(2, 2**30, ("0",))
OTHER = 54321
"""A user who has nothing."""


def silent(text: str, others: bool) -> None:
    pass


def hold(folder: str, needs: Needs, user: int, pipe: Connection) -> None:
    """Take tokens, say which, and keep them until told otherwise."""
    if user:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    held = Tokens(MACHINE, folder).taken(
        "other: step", "other", needs, 1, lambda t, _: pipe.send(t)
    )
    with held as claim:
        pipe.send(claim)
        pipe.recv()


@contextlib.contextmanager
def holder(folder: Path, user: int = 0, **needs: int | str) -> Iterator[tuple[int, Connection]]:
    mine, theirs = multiprocessing.Pipe()
    ask = Needs(memory=0, **needs)  # type: ignore[arg-type]
    process = multiprocessing.get_context("fork").Process(
        target=hold, args=(str(folder), ask, user, theirs), daemon=True
    )
    process.start()
    assert process.pid is not None
    try:
        yield process.pid, mine
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.join()


def take(folder: Path, *, seconds: float = 5.0, **needs: int | str) -> Claim:
    """What one gets; TimeoutError for who is still waiting."""

    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    ask = Needs(**{"memory": 0, **needs})  # type: ignore[arg-type]
    try:
        with Tokens(MACHINE, str(folder)).taken("me: step", "me", ask, 1, silent) as claim:
            return claim
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_a_killed_holder_frees_its_tokens(tmp_path: Path) -> None:
    with holder(tmp_path / "t", most=2, gpu="any") as (process, pipe):
        claim = pipe.recv()
        assert (claim.cores, claim.gpus) == (2, ("0",))
        with pytest.raises(TimeoutError):
            take(tmp_path / "t", seconds=0.2)
        os.kill(process, signal.SIGKILL)
        assert take(tmp_path / "t", most=2, gpu="any").cores == 2
    for _ in range(5):
        take(tmp_path / "t")
    assert len(list((tmp_path / "t").glob("claim-*"))) == 2, "files are used again"


def test_waiting_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_TOLD_AFTER", 0.1)
    with holder(tmp_path / "t", gpu="any") as (_, first):
        first.recv()
        with holder(tmp_path / "t", gpu="any") as (_, second):
            assert second.recv() == "waiting for 1 GPU held by other: step"
            first.send("enough")
            assert second.recv().gpus == ("0",)


def test_a_stopped_process_that_waits_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_SILENT", 0.5)
    with holder(tmp_path / "t") as (_, first):
        first.recv()
        with holder(tmp_path / "t", least=2, most=2) as (stopped, _):
            time.sleep(0.3)
            os.kill(stopped, signal.SIGSTOP)
            began = time.monotonic()
            assert take(tmp_path / "t").cores == 1
            assert time.monotonic() - began > 0.2, "as long as it looks, it comes first"


def test_a_patient_step_waits_for_all_cores_and_not_for_ever(tmp_path: Path) -> None:
    with holder(tmp_path / "t") as (_, pipe):
        pipe.recv()
        began = time.monotonic()
        assert take(tmp_path / "t", most=2, patience=0.4).cores == 1  # type: ignore[arg-type]
        assert time.monotonic() - began > 0.4
    assert take(tmp_path / "t", most=2, patience=0.4).cores == 2  # type: ignore[arg-type]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_shares_the_machine() -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    place = folder / "t"
    before = os.umask(0o077)
    try:
        take(place)
        with holder(place, OTHER, most=2) as (_, pipe):
            assert pipe.recv().cores == 2
            with pytest.raises(TimeoutError):
                take(place, seconds=0.2)
            pipe.send("enough")
            assert take(place, most=2).cores == 2
        for file in place.iterdir():
            file.unlink()
        with holder(place, OTHER) as (_, pipe):
            pipe.recv()
            assert {file.stat().st_uid for file in place.iterdir()} == {OTHER}
            assert take(place).cores == 1, "files of others do as well"
        assert {stat.S_IMODE(f.stat().st_mode) for f in place.iterdir()} == {0o666}
        assert stat.S_IMODE(place.stat().st_mode) == 0o1777
    finally:
        os.umask(before)
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["gate", "claim-0000"])
@pytest.mark.parametrize("trick", ["symlink", "hard link", "pipe", "folder"])
def test_tricks_are_refused(tmp_path: Path, name: str, trick: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "t" / name
    path.parent.mkdir()
    make: dict[str, Callable[[], None]] = {
        "symlink": partial(path.symlink_to, victim),
        "hard link": partial(path.hardlink_to, victim),
        "pipe": partial(os.mkfifo, path),
        "folder": path.mkdir,
    }
    make[trick]()
    with pytest.raises(UserError, match=str(path.parent)):
        take(tmp_path / "t")
    assert victim.read_text() == "precious"


def test_a_claim_that_is_taken_away_while_it_is_looked_for_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(tmp_path)
    monkeypatch.setattr(os, "listdir", lambda path: ["claim-0000", "claim-0007", "gate"])
    assert take(tmp_path, most=2).cores == 2


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"who": 1}', "\0" * 5000])
def test_nonsense_in_a_claim_is_no_claim(tmp_path: Path, text: str) -> None:
    take(tmp_path)
    (tmp_path / "claim-0000").write_text(text)
    assert take(tmp_path, most=2).cores == 2
    with holder(tmp_path) as (_, pipe):
        pipe.recv()
        (tmp_path / "claim-0000").write_text(text)
        assert take(tmp_path, most=2).cores == 2


def test_words_of_others_are_made_harmless(tmp_path: Path) -> None:
    with holder(tmp_path) as (_, pipe):
        pipe.recv()
        file = tmp_path / "claim-0000"
        file.write_text(file.read_text().replace("other: step", "\\u001b[2J" + "x" * 500))
        with contextlib.closing(Board(str(tmp_path))) as board, board.alone():
            (claim,) = board.others()
    assert claim.who == ("[2J" + "x" * 500)[:80]


def test_where_tokens_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert tokens.folder(None) in [f"{place}/edgemake-tokens" for place in tokens.PLACES]
    shared, plain = tmp_path / "shared", tmp_path / "plain"
    for place, mode in ((shared, 0o1777), (plain, 0o755)):
        place.mkdir()
        place.chmod(mode)
    monkeypatch.setattr(tokens, "PLACES", (str(tmp_path / "none"), str(plain), str(shared)))
    assert tokens.folder(None) == f"{shared}/edgemake-tokens"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("EDGEMAKE_TOKENS", "here", "EDGEMAKE_TOKENS=here: give the folder's absolute path"),
        ("EDGEMAKE_TOKENS", "/nowhere/at/all", "/nowhere/at/all: No such file or directory"),
        ("EDGEMAKE_TOKENS", sys.executable, "Not a directory"),
        ("EDGEMAKE_CORES", "many", "EDGEMAKE_CORES=many: give a whole number"),
        ("EDGEMAKE_CORES", "0", "EDGEMAKE_CORES=0: give a whole number"),
    ],
)
def test_settings_that_cannot_work(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match=message):
        tokens.check()


def test_without_tokens_everything_is_there() -> None:
    with Tokens(MACHINE, tokens.NONE).taken("s", "b", Needs(most=0, gpu="any"), 1, silent) as held:
        assert (held.cores, held.gpus) == (2, ("0",))


def test_what_a_machine_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(resources, "_CGROUP", tmp_path)
    mine = len(os.sched_getaffinity(0))
    assert here({}).cores == mine
    assert here({"EDGEMAKE_CORES": "64"}).cores == 64
    everything = here({}).memory
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text("1048576\n")
    assert (here({}).cores, here({}).memory) == (1, 2**20)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert (here({}).cores, here({}).memory) == (mine, everything)


@pytest.mark.parametrize(
    ("visible", "gpus"),
    [
        ("0,1", ("0", "1")),
        ("3", ("3",)),
        ("", ()),
        ("-1", ()),
        ("1,-1,2", ("1",)),
        ("GPU-8a,", ("GPU-8a",)),
    ],
)
def test_gpus_that_cuda_may_use(visible: str, gpus: tuple[str, ...]) -> None:
    assert here({"CUDA_VISIBLE_DEVICES": visible}).gpus == gpus


def test_gpus_of_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["null", "nvidia10", "nvidia2", "nvidiactl", "nvidia-uvm", "nvidia0"]
    monkeypatch.setattr(os, "listdir", lambda path: names if path == "/dev" else [])
    assert here({}).gpus == ("0", "2", "10")


@pytest.mark.parametrize(
    ("gpu", "gpus", "held", "ours", "seen"),
    [
        ("", ("0", "1"), (), {}, ""),
        ("any", ("0", "1"), ("1",), {}, "1"),
        ("1", ("3", "5"), ("5",), {}, "3,5"),  # an index counts among all that are visible
        ("any", (), (), {}, None),
        ("any", (), (), {"CUDA_VISIBLE_DEVICES": ""}, ""),  # a user, or a job without a GPU
        ("0", (), (), {"CUDA_VISIBLE_DEVICES": "-1"}, ""),
        ("", (), (), {}, ""),
        ("7", ("0",), (), {}, "0"),  # its own tool says that there is no such GPU
    ],
)
def test_what_a_stage_is_told(
    gpu: str,
    gpus: tuple[str, ...],
    held: tuple[str, ...],
    ours: dict[str, str],
    seen: str | None,
) -> None:
    told = environment_of(Machine(4, 2**30, gpus), Needs(gpu=gpu), 3, held, ours)
    assert told.get("CUDA_VISIBLE_DEVICES") == seen
    assert {told[name] for name in resources.THREADS} == {"3"}


def test_taking_tokens_costs_little(tmp_path: Path) -> None:
    """The limit is for a busy machine; alone it is a tenth of a millisecond."""
    with holder(tmp_path) as (_, pipe):
        pipe.recv()
        costs = []
        for _ in range(50):
            began = time.perf_counter()
            take(tmp_path)
            costs.append(time.perf_counter() - began)
    assert sorted(costs)[25] < 0.002


def test_children_inherit_no_token(tmp_path: Path) -> None:
    """A child that a stage leaves behind would hold it for ever."""
    with Tokens(MACHINE, str(tmp_path)).taken("s", "b", Needs(memory=0), 1, silent):
        command = ["ls", "-l", "/proc/self/fd"]
        told = subprocess.run(command, stdout=subprocess.PIPE, text=True, close_fds=False).stdout
        mine = [os.path.realpath(f"/proc/self/fd/{number}") for number in range(3, 50)]
        assert any(str(tmp_path) in path for path in mine)
    assert "->" in told
    assert str(tmp_path) not in told
