"""Every way in which a build can tell its user 'no', and the words of it."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend; shown as one message, without a traceback."""


class StepFailed(Exception):
    """A step ended without an artifact; the message says why and where its log is."""


class Stopped(KeyboardInterrupt):
    """The build was asked to stop by a signal. `code` is the exit status to leave with."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"stopped by signal {signal_number}")
        self.code = 128 + signal_number


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'; did you mean …?' with the closest of `known`, or the list of all when nothing is close."""
    import difflib  # slow to load, and seldom needed

    choices = sorted(set(known))
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.55)
    if not close:  # a key given without its section: cuont -> quant.calibration.count
        tails = {name.rsplit(".", 1)[-1]: name for name in choices}
        hits = difflib.get_close_matches(word.rsplit(".", 1)[-1], tails, n=1, cutoff=0.7)
        close = [tails[hit] for hit in hits]
    if close:
        return f"; did you mean {close[0]!r}?"
    if 0 < len(choices) <= 20:
        return f"; there are: {', '.join(choices)}"
    return ""
