"""`coupling-health` and `python -m dashboard`."""

from __future__ import annotations


def main() -> None:
    """The console script."""
    from dashboard.cli import main  # not above: processes that an import of logs starts load this module again

    main()


if __name__ == "__main__":
    main()
