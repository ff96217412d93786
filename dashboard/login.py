"""Who are you? The form and the password check are streamlit-authenticator's; waiting and sessions are ours."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st
from streamlit_authenticator import Authenticate
from streamlit_authenticator.controllers import AuthenticationController
from streamlit_authenticator.models import AuthenticationModel
from streamlit_authenticator.utilities import LoginError

from core import passwords
from core.durations import in_words
from core.state import accounts, audit
from core.state.audit import Deed
from dashboard import sessions
from dashboard.runtime import Runtime

_FIELDS = {"Form name": "Log in", "Username": "User name", "Password": "Password", "Login": "Log in"}
_AUTHENTICATOR_KEYS = ("authentication_status", "name", "username", "email", "roles", "logout")


class _Passwords(AuthenticationModel):  # type: ignore[misc]  # the library ships no types
    """Checks a password against our accounts; a name that failed too often waits, a name that nobody has takes as long."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__({"usernames": {}}, auto_hash=False)
        self._runtime = runtime

    def check_credentials(self, username: str, password: str) -> bool:
        state, now = self._runtime.state, self._runtime.clock()
        with state.write() as connection:
            wait = accounts.begin_attempt(connection, username, now)
            known_hash = accounts.password_hash(connection, username)
        if wait is not None:
            raise LoginError(_please_wait(wait))
        self.credentials["usernames"] = {username: {"name": username, "password": known_hash}}
        # bcrypt refuses longer passwords; nobody's is, and the check of its beginning with a blank before takes as long
        fits = len(password.encode()) <= passwords.LONGEST
        correct = bool(super().check_credentials(username, password if fits else " wrong"))
        with state.write() as connection:
            if correct:
                accounts.forgive(connection, username)
            else:
                accounts.refuse(connection, username, self._runtime.clock())
                if accounts.is_known(known_hash):  # of a name that nobody has nothing is kept: it may be a password
                    audit.note(connection, self._runtime.clock(), username, Deed.LOGIN_FAILED)
        return correct


class _NoCookie:
    """In place of the library's cookie, which we neither set nor believe."""

    def get_cookie(self) -> None:
        """There is none."""

    def set_cookie(self) -> None:
        """Ours is set by the answer that redeems the ticket."""


class _Form(Authenticate):  # type: ignore[misc]  # the library ships no types
    """The library's form without its cookie's frame, which draws the page anew once loaded: a click just then would be lost."""

    def __init__(self, runtime: Runtime) -> None:  # the library's own would draw the frame
        self.path = None
        self.attrs = {"login_sleep_time": 0}
        self.cookie_controller = _NoCookie()
        self.authentication_controller = AuthenticationController({"usernames": {}}, auto_hash=False)
        self.authentication_controller.authentication_model = _Passwords(runtime)


def page(runtime: Runtime) -> None:
    """The login page: form, what went wrong, and the hand-over to our own session."""
    with st.container(key="login"):
        st.html('<h1 class="product">Coupling Health</h1>')
        if runtime.settings.demo:
            st.html('<p class="demo-note">Demo data: the password was printed in the terminal at the first start.</p>')
        problem = None
        try:
            _Form(runtime).login(fields=_FIELDS, key="login-form")
        except LoginError as waiting:
            problem = str(waiting)
        username = _take_username()
        if username:
            st.html(sessions.begin(username, runtime), unsafe_allow_javascript=True)
            st.caption("Logging in …")
        elif problem:
            st.error(problem, icon=":material/schedule:")
        elif st.session_state.get("authentication_status") is False:
            st.error("The user name or the password is wrong.", icon=":material/error:")


def _take_username() -> str | None:
    """The name that has just logged in; nothing of the library's own state outlives the moment."""
    if not st.session_state.get("authentication_status"):
        return None
    username = str(st.session_state["username"])
    for key in _AUTHENTICATOR_KEYS:
        st.session_state[key] = None
    return username


def _please_wait(wait: timedelta) -> str:
    return f"Too many wrong passwords. Please wait {in_words(max(wait, timedelta(seconds=1)))}, then try again."
