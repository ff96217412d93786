"""What a sync does to each pair, as tables: before and after, what became of it, and the statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from urllib.parse import urlencode

import streamlit as st

from core.errors import CouplingHealthError
from core.state.sync_runs import Run
from core.sync.change import Change, ChangeOutcome, Part, Value
from core.words import one_line
from dashboard.runtime import Runtime
from dashboard.violation_query import ViolationQuery
from dashboard.wording import KIND_LABELS, NONE, number
from dashboard.wording_sync import OUTCOME_ADVICE, outcome_label, step_in_words

_STATEMENTS_OF = 20  # changes
_LOOKS = {
    ChangeOutcome.APPLIED: "healthy",
    ChangeOutcome.CHANGED: "degraded",
    ChangeOutcome.FAILED: "critical",
    ChangeOutcome.UNCLEAR: "critical",
}


def changes_table(changes: Sequence[Change], *, with_outcome: bool) -> None:
    """One line a pair: both levels before and after, and what became of it."""
    heads = ["Pair", "Problem", "Progress", "Licence", "What"] + (["Outcome"] if with_outcome else [])
    rows = [_cells(change, with_outcome=with_outcome) for change in changes]
    body = "".join(
        f'<tr data-user="{escape(str(change.user_id))}" data-specialization="{escape(change.specialization)}" '
        f'data-outcome="{change.outcome}">'
        + "".join(f'<td data-label="{head}">{cell}</td>' for head, cell in zip(heads, cells, strict=True))
        + "</tr>"
        for change, cells in zip(changes, rows, strict=True)
    )
    head = "".join(f"<th>{name}</th>" for name in heads)
    st.html(f'<table class="twosome changes"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')


def reasons_list(reasons: Mapping[str, int], outcome: ChangeOutcome) -> None:
    """Why pairs were not written, and how many for each reason."""
    lines = "".join(
        f"<li><b>{number(count)}</b> {escape(said) or OUTCOME_ADVICE[outcome]}</li>" for said, count in reasons.items()
    )
    st.html(f'<ul class="reasons">{lines}</ul>')


def rows_before_and_after(run: Run, changes: Sequence[Change]) -> None:
    """Every column that the first changes write, with its old and its new value, to be opened."""
    written = [change for change in changes if change.step is not None][:_STATEMENTS_OF]
    if not written:
        return
    with st.expander(f"Rows before and after, {_of(run, written)}", icon=":material/table_rows:", key="rows-before-and-after"):
        lines = "".join(line for change in written for line in _columns(change))
        head = "".join(f"<th>{name}</th>" for name in ("Pair", "Side", "Column", "Before", "After"))
        st.html(f'<table class="twosome changes columns"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>')


def _columns(change: Change) -> Iterator[str]:
    for part, row in (change.after or {}).items():
        old = (change.before or {}).get(part)
        for name, value in (row or {}).items():
            if old is not None and old.get(name) == value:
                continue
            before = "no row" if old is None else _value(old.get(name))
            side = "progress" if part is Part.PROGRESS else "licence" if part is Part.LICENSE else "licence changes"
            cells = _pair(change), side, f"<code>{escape(name)}</code>", before, f"<b>{_value(value)}</b>"
            labelled = zip(("", "", "", "before", "after"), cells, strict=True)
            yield "<tr>" + "".join(f'<td data-label="{label}">{cell}</td>' for label, cell in labelled) + "</tr>"


def _value(value: Value) -> str:
    return NONE if value is None else escape(str(value))


def _of(run: Run, written: Sequence[Change]) -> str:
    return f"of the first {len(written)} changes" if run.planned > len(written) else "of all changes"


def statements(runtime: Runtime, run: Run, changes: Sequence[Change]) -> None:
    """The statements of the first changes, to be opened."""
    written = [change for change in changes if change.step is not None][:_STATEMENTS_OF]
    if not written:
        return
    with st.expander(f"Statements {_of(run, written)}", icon=":material/code:", key="statements"):
        try:
            texts = runtime.sync.statements(written, run.policies, run.id)
        except CouplingHealthError as unreadable:
            st.error(f"They cannot be made right now: {unreadable}", icon=":material/error:")
            return
        pieces = [
            f"-- {one_line(str(change.user_id))} · {one_line(change.specialization)}\nBEGIN;\n" + _block(lines)
            for change, lines in zip(written, texts, strict=True)
        ]
        st.html(
            '<p class="detail quiet">Each pair in a transaction of its own. Both rows are locked and read again first; when one '
            "is not as it was planned any more, nothing is written.</p>"
        )
        st.code("\n\n".join(pieces), language="sql", wrap_lines=True, height=320)


def _block(lines: Sequence[str]) -> str:
    return "".join(f"{text};\n" for text in lines) + "COMMIT;"


def _cells(change: Change, *, with_outcome: bool) -> list[str]:
    progress, license_ = _level(change.progress_level), _level(change.license_level)
    if change.step is not None:
        old = license_ if change.step.of_license else progress
        levels = (old, _level(change.level)) if change.undoes is None else (_level(change.level), old)
        moved = f'{levels[0]} <span class="arrow">→</span> <b>{levels[1]}</b>'
        progress, license_ = (progress, moved) if change.step.of_license else (moved, license_)
    cells = [_pair(change), KIND_LABELS[change.kind], progress, license_, escape(step_in_words(change))]
    if with_outcome:
        reason = f'<br><span class="note">{escape(change.reason)}</span>' if change.reason else ""
        look = _LOOKS.get(change.outcome, "unknown")
        advice, label = escape(OUTCOME_ADVICE[change.outcome]), outcome_label(change.outcome, undoing=change.undoes is not None)
        cells.append(f'<span class="pill {look}" title="{advice}">{label}</span>{reason}')
    return cells


def _level(level: int | None) -> str:
    return NONE if level is None else str(level)


def _pair(change: Change) -> str:
    query = urlencode(ViolationQuery(selected=(str(change.user_id), change.specialization)).to_params())
    text = f"{escape(str(change.user_id))} · {escape(change.specialization)}"
    return f'<a href="/violations?{query}" target="_self">{text}</a>'
