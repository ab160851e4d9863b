"""`python -m lbcontroller` is the `lbcontroller` command."""

from __future__ import annotations

from lbcontroller.cli import main

if __name__ == "__main__":
    main()
