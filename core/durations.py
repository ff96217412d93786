"""Lengths of time in words."""

from datetime import timedelta


def in_words(length: timedelta) -> str:
    """A length of time as a person says it: "820 ms", "12 s", "23 min", "3 h 5 min", "3 d 4 h". Negative lengths read as zero."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 0.9995:
        return f"{round(seconds * 1000)} ms" if seconds else "0 s"
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 1:
        return f"{max(int(seconds), 1)} s"
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"
