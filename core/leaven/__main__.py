"""``python -m leaven``: the command line."""

from __future__ import annotations

from leaven.cli.main import main

if __name__ == "__main__":
    main()
