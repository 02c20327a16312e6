"""A text stream that may fail: neither `doit … | head` nor a full disk below a log of the output
must fail a build."""

from __future__ import annotations

import os
from typing import TextIO


class Patient:
    """Writes through to a stream; once that fails, writes nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write and flush, so that a log file shows what is going on."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:  # the reader left, or the disk below the log is full
            # What is still buffered would be written, and fail, when the interpreter ends.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def isatty(self) -> bool:
        """Whether a person watches."""
        return self._stream.isatty()
