"""How the commands print: plain text that also reads well without a terminal, never markup."""

from __future__ import annotations

import io
import sys

from rich.console import Console
from rich.text import Text


def standard_console() -> Console:
    """Return a console on standard output that prints text as it is, with colours on a terminal only.

    Lines are not wrapped, so that a line of a log is a line of the program. What the locale cannot show is
    shown as a question mark.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=True)


def printable(text: str) -> str:
    """Return `text` without control characters: what users wrote must not steer a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def styled(text: str, style: str = "") -> Text:
    """Return text that users may have written, in one style."""
    return Text(printable(text), style)
