"""reladiff's joindiff over the two views; importable only where the `bench` extra is installed."""

from __future__ import annotations

import reladiff

_KEY = ("user", "specialization")


class Comparer:
    """Both views, connected."""

    def __init__(self, url: str) -> None:
        database = reladiff.connect({"driver": "postgresql", "dsn": url}, thread_count=2)
        self._sides = [reladiff.connect_to_table(database, view, _KEY) for view in ("progress_side", "license_side")]

    def differing_pairs(self) -> int:
        """How many pairs differ. Raises ValueError when it meets duplicates."""
        differences = reladiff.diff_tables(*self._sides, algorithm=reladiff.Algorithm.JOINDIFF, extra_columns=("level",))
        return len({row[: len(_KEY)] for _, row in differences})
