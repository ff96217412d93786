"""How long each status held, as parts of one bar."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from core.analysis.sums import Sums, TimeClass
from core.durations import in_words
from dashboard.wording_analysis import TIME_EXPLANATIONS, TIME_LABELS, share


def uptime_bar(sums: Sums) -> None:
    """The bar and its legend, in words: time without data is a part of its own."""
    whole = sum((sums.time(kind) for kind in TimeClass), timedelta(0))
    held = [(kind, sums.time(kind)) for kind in TimeClass if sums.time(kind)]
    parts = "".join(
        f'<i class="{kind}" style="flex: {length / whole:.6f}" title="{TIME_LABELS[kind]}: {in_words(length)}"></i>'
        for kind, length in held
    )
    legend = "".join(
        f'<li data-testid="time-{kind}" title="{TIME_EXPLANATIONS[kind]}"><i class="{kind}"></i>{TIME_LABELS[kind]} '
        f"<b>{share(length, whole)}</b> <span>{in_words(length)}</span></li>"
        for kind, length in held
    )
    spoken = ", ".join(f"{TIME_LABELS[kind]} {share(length, whole)}" for kind, length in held)
    st.html(f'<div class="uptime" role="img" aria-label="{spoken}">{parts}</div><ul class="uptime-legend">{legend}</ul>')
