"""Options of doit's commands, wherever they stand on the line, and errors that fit on it."""

from __future__ import annotations

import getopt
from typing import Any

from doit.cmd_base import Command
from doit.cmdparse import CmdParseError


class AnyOrder(Command):  # type: ignore[misc]
    """A command whose options may stand behind task names too, as users are used to."""

    def parse_execute(self, in_args: list[str]) -> Any:
        """As doit's, which looks for no option behind the first word."""
        parser = self.cmdparser
        try:
            found, words = getopt.gnu_getopt(in_args, parser.get_short(), parser.get_long())
        except getopt.GetoptError as error:
            raise CmdParseError(
                f"{error}; `doit help {self.get_name()}` tells the options"
            ) from None
        options = [part for name, value in found for part in ((name, value) if value else (name,))]
        return super().parse_execute([*options, *words])
