"""Alerts: what fires, whom it was told, what is silenced, and the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from html import escape

import streamlit as st

from core.alerts.book import AlertFigures
from core.alerts.channels import Tried
from core.alerts.desk import RuleState
from core.alerts.phases import Phase
from core.alerts.wording import described, title
from core.durations import in_words
from core.health_monitor import HealthSummary
from core.state.drills import Drill
from core.state.incidents import Incident
from core.state.outbox import Letter, LetterState
from core.state.silences import Silence
from dashboard.components.incidents import from_message, going_on
from dashboard.components.maintenance_card import maintenance_card
from dashboard.components.refusals import Place, asking, guarded, say_refusal
from dashboard.components.tiles import Tile, tiles
from dashboard.runtime import Runtime
from dashboard.viewer import Viewer
from dashboard.wording import NONE, counted, moment, number, timed
from dashboard.wording_alerts import LETTER_LABELS, PHASE_LOOKS, SEVERITY_LABELS, incident_address, worst_values
from dashboard.wording_maintenance import when_in_words

_ALL = "all rules"
_LENGTHS = {
    "1 hour": timedelta(hours=1),
    "4 hours": timedelta(hours=4),
    "1 day": timedelta(days=1),
    "1 week": timedelta(days=7),
}
_TRIED = "tried-channel"
_SHOWN_INCIDENTS = 12
_BLIND = "The rules cannot be evaluated: what stands here is old, and nobody is told of anything new."
_SHOWN_LETTERS = 12


def view(runtime: Runtime, viewer: Viewer, summary: HealthSummary) -> None:
    """The answer, what goes on, then what was, and how it is set up."""
    book = runtime.alert_book
    going = book.open_incidents()
    st.html('<h1 class="page">Alerts</h1>')
    st.html(f'<p class="sentence answer-line" data-testid="alerts-answer">{_answer(runtime, viewer, going)}</p>')
    say_refusal(Place.TOP)
    if failing := runtime.alerts.problem:
        st.error(f"{_BLIND} {_last_evaluated(runtime, viewer)} The reason: {failing}", icon=":material/error:")
    from_message(runtime, viewer)
    figures = book.figures()
    for incident in going:
        going_on(runtime, viewer, incident, figures.letters.get(incident.id, ()))
    if figures.count:
        tiles(_tiles(figures))
    with st.container(border=True, key="rules-card"):
        st.html(f'<h2 class="card">Rules</h2>{_rules(book.states(), viewer)}')
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, key="silences-card"):
        _silences(runtime, viewer)
    with right, st.container(border=True, key="channels-card"):
        _channels(runtime, viewer)
    with st.container(border=True, key="maintenance-card"):
        maintenance_card(runtime, viewer)
    with st.container(border=True, key="incidents-card"):
        st.html('<h2 class="card">Past incidents</h2>')
        past = [incident for incident in book.incidents() if incident.resolved_at is not None]
        st.html(_past(runtime, past[:_SHOWN_INCIDENTS], figures, viewer))
        if earlier := past[_SHOWN_INCIDENTS:]:
            with st.expander(counted(len(earlier), "earlier one", "earlier ones")):
                st.html(_past(runtime, earlier, figures, viewer))
    with st.container(border=True, key="letters-card"):
        _letters(runtime, viewer)


def _last_evaluated(runtime: Runtime, viewer: Viewer) -> str:
    at = runtime.alerts.evaluated_at
    return "They never were since the start." if at is None else f"They last were {moment(at, viewer.zone, viewer.now)}."


def _answer(runtime: Runtime, viewer: Viewer, going: Sequence[Incident]) -> str:
    said = f"<b>{counted(len(going), 'alert fires', 'alerts fire')}.</b>" if going else "<b>Nothing fires.</b>"
    if runtime.alerts.problem:
        said = "<b>It is not known what fires.</b>"
    if runtime.settings.demo:
        return f"{said} In the demo nobody is told of anything; <code>coupling-health alert test</code> tries a channel."
    if not runtime.alert_book.channels():
        return f"{said} <b>Nobody is told</b>: no channel is set up. Set <code>alerts.channels.NAME.url</code> and restart."
    if now := runtime.maintenance.now():
        longest = max(now, key=lambda one: one.end)
        return f"{said} <b>Nobody is told</b>: maintenance {when_in_words(longest, viewer)}."
    return said


def _tiles(figures: AlertFigures) -> list[Tile]:
    def length(mean: timedelta | None) -> str:
        return NONE if mean is None else in_words(mean)

    return [
        Tile(number(figures.count), "incidents in 30 days", "incidents"),
        Tile(length(figures.detected), "from the beginning to the alert (MTTD)", "detected"),
        Tile(length(figures.told), "from the beginning to the first message", "told"),
        Tile(length(figures.repaired), "from the beginning to the end (MTTR)", "repaired"),
    ]


def _rules(states: Sequence[RuleState], viewer: Viewer) -> str:
    rows = "".join(_rule(state, viewer) for state in states)
    head = "<tr><th>Rule</th><th>State</th><th>What it watches for</th><th>How urgent</th></tr>"
    return f'<div class="wide-table"><table class="facts rules"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _rule(state: RuleState, viewer: Viewer) -> str:
    standing, rule = state.standing, state.rule
    word, look = PHASE_LOOKS[standing.phase]
    marks = [f'<span class="pill {look}">{word}</span>']
    if standing.flapping:
        marks.append('<span class="pill degraded">Flapping</span>')
    if state.silenced:
        marks.append('<span class="pill unknown">Silenced</span>')
    since = ""
    if standing.since is not None and standing.phase in (Phase.PENDING, Phase.FIRING):
        at = timed(moment(standing.since, viewer.zone, viewer.now), standing.since, viewer.zone)
        since = f'<span class="note"> since {at}</span>'
    return (
        f'<tr data-rule="{escape(rule.name)}" data-phase="{standing.phase}"><td><b>{escape(title(rule))}</b><br>'
        f"<code>{escape(rule.name)}</code></td><td>{' '.join(marks)}{since}</td><td>{escape(described(rule))}</td>"
        f"<td>{SEVERITY_LABELS[rule.severity]}</td></tr>"
    )


def _silences(runtime: Runtime, viewer: Viewer) -> None:
    st.html('<h2 class="card">Silences</h2>')
    holding = runtime.alert_book.silences()
    if not holding:
        st.html('<p class="detail quiet">Nothing is silenced. During a silence checks and rules go on, and nobody is told.</p>')
    for silence in holding:
        _silence(runtime, viewer, silence)

    def add() -> None:
        state = st.session_state
        rule = None if state["silence-rule"] == _ALL else str(state["silence-rule"])
        length, until_resolved = _LENGTHS[state["silence-length"]], bool(state["silence-resolved"])
        reason = str(state["silence-reason"])
        ask = partial(runtime.alert_book.silence, rule, reason, viewer.username, length, until_resolved=until_resolved)
        if guarded(Place.SILENCES, ask):
            state["silence-reason"] = ""

    with st.container(key="silence-form"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.selectbox("Silence", [_ALL, *(rule.name for rule in runtime.alerts.rules)], key="silence-rule", width=190)
            st.selectbox("For", list(_LENGTHS), key="silence-length", width=120)
        st.text_input("Reason", key="silence-reason", placeholder="why nobody is told", max_chars=500)
        st.checkbox("End it when the alert resolves", key="silence-resolved")
        say_refusal(Place.SILENCES)
        st.button("Silence", key="add-silence", type="primary", on_click=add)


def _silence(runtime: Runtime, viewer: Viewer, silence: Silence) -> None:
    until = timed(moment(silence.until, viewer.zone, viewer.now), silence.until, viewer.zone)
    ends = " or until it resolves" if silence.until_resolved else ""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.html(
            f'<div data-silence="{silence.id}"><b>{escape(silence.rule or "All rules")}</b> until {until}{ends}'
            f'<p class="detail note">{escape(silence.reason)} · by {escape(silence.created_by)}</p></div>'
        )
        end = asking(Place.SILENCES, lambda: runtime.alert_book.end_silence(silence.id, viewer.username))
        st.button("End it", key=f"end-silence-{silence.id}", on_click=end)


def _channels(runtime: Runtime, viewer: Viewer) -> None:
    st.html('<h2 class="card">Channels</h2>')
    names = runtime.alert_book.channels()
    if not names:
        st.html('<p class="detail quiet">None is set up, so messages go nowhere.</p>')
    if drilled := runtime.alert_book.last_drill():
        st.html(f'<p class="detail quiet" data-testid="last-drill">{_drilled(drilled, viewer)}</p>')
    tried: tuple[str, Tried] | None = st.session_state.get(_TRIED)
    for name in names:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.html(f"<b>{escape(name)}</b>")
            if st.button("Send a test", key=f"try-{name}"):
                with st.spinner("Sending …"):
                    tried = st.session_state[_TRIED] = (name, runtime.alert_book.try_channel(name, viewer.username))
        if tried and tried[0] == name:
            (st.success if tried[1].sent else st.error)(f"{'Sent' if tried[1].sent else 'Not sent'}: {tried[1].answer}")


def _drilled(drilled: Drill, viewer: Viewer) -> str:
    at = timed(moment(drilled.at, viewer.zone, viewer.now), drilled.at, viewer.zone)
    if drilled.delivered_seconds is None:
        return f"The last drill, {at}, <b>did not arrive</b> through {escape(drilled.channel)}: {escape(drilled.answer)}"
    took = in_words(timedelta(seconds=drilled.delivered_seconds))
    return f"The last drill, {at}, arrived through {escape(drilled.channel)} {took} after a mismatch was planted."


def _past(runtime: Runtime, incidents: Sequence[Incident], figures: AlertFigures, viewer: Viewer) -> str:
    if not incidents:
        return '<p class="empty">There has been none.</p>'
    titles = {rule.name: title(rule) for rule in runtime.alerts.rules}
    rows = "".join(_past_one(one, titles.get(one.rule, one.rule), figures, viewer) for one in incidents)
    head = "<tr><th>Fired</th><th>Alert</th><th>Lasted</th><th>At the worst</th><th>Told after</th><th>Acknowledged</th></tr>"
    return f'<div class="wide-table"><table class="facts"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _past_one(one: Incident, name: str, figures: AlertFigures, viewer: Viewer) -> str:
    at = timed(moment(one.opened_at, viewer.zone, viewer.now), one.opened_at, viewer.zone)
    letters, delivered = figures.letters.get(one.id, ()), figures.delivered.get(one.id)
    told = NONE if delivered is None else in_words(delivered - one.began_at)
    count = f"{sum(letter.arrived_at is not None for letter in letters)} of {counted(len(letters), 'message', 'messages')}"
    arrived = f'<br><span class="note">{count} arrived</span>' if letters else ""
    return (
        f'<tr><td class="when"><a href="{incident_address(one.id)}" target="_self">{at}</a></td><td>{escape(name)}</td>'
        f'<td class="when">{in_words(one.duration(viewer.now))}</td><td>{worst_values(one) or NONE}</td>'
        f"<td>{told}{arrived}</td>"
        f"<td>{escape(one.acknowledged_by or NONE)}{f': {escape(one.note)}' if one.note else ''}</td></tr>"
    )


def _letters(runtime: Runtime, viewer: Viewer) -> None:
    book = runtime.alert_book
    st.html('<h2 class="card">Messages</h2>')
    say_refusal(Place.MESSAGES)
    for letter in book.letters(20, LetterState.GIVEN_UP):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.html(f"<div>{_letter(letter, viewer)}</div>")
            again = asking(Place.MESSAGES, partial(book.send_again, letter.id, viewer.username))
            st.button("Send again", key=f"again-{letter.id}", on_click=again)
    others = [letter for letter in book.letters(60) if letter.state is not LetterState.GIVEN_UP]
    if others:
        st.html("".join(f"<div>{_letter(letter, viewer)}</div>" for letter in others[:_SHOWN_LETTERS]))
        if earlier := others[_SHOWN_LETTERS:]:
            with st.expander(counted(len(earlier), "earlier one", "earlier ones")):
                st.html("".join(f"<div>{_letter(letter, viewer)}</div>" for letter in earlier))
    elif not book.letters(1):
        st.html('<p class="empty">None has been written yet.</p>')


def _letter(letter: Letter, viewer: Viewer) -> str:
    look = {LetterState.SENT: "healthy", LetterState.WAITING: "degraded", LetterState.GIVEN_UP: "critical"}[letter.state]
    at = timed(moment(letter.created_at, viewer.zone, viewer.now), letter.created_at, viewer.zone)
    answer = f" · {escape(letter.answer)}" if letter.answer else ""
    tries = f" · {counted(letter.tries, 'try', 'tries')}" if letter.tries > 1 else ""
    return (
        f'<span class="pill {look}" data-letter="{letter.id}">{LETTER_LABELS[letter.state]}</span> '
        f'<b>{escape(letter.channel)}</b> {escape(letter.subject)}<span class="note"> · {at}{tries}{answer}</span>'
    )
