"""A sign of life to somebody outside, who notices when it stays away."""

from __future__ import annotations

import http.client
import logging
import threading
import urllib.error
import urllib.request

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 5.0


class Heartbeat:
    """Calls a URL (http or https) in the background, never twice at once.

    The URL is a secret of the service that it calls, so it stands in no log.
    """

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._calling = threading.Lock()
        self._failed = False

    def beat(self) -> None:
        """Call, and return at once; nothing happens without a URL, or while the call before still runs."""
        if self._url is not None and self._calling.acquire(blocking=False):
            # not a daemon: a command that ends right after its check still calls
            threading.Thread(target=self._call, name="heartbeat").start()

    def _call(self) -> None:
        try:
            request = urllib.request.Request(self._url or "", headers={"User-Agent": "coupling-health"})  # noqa: S310 - checked in settings
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):  # noqa: S310 - the same
                pass
            if self._failed:
                log.info("The heartbeat is answered again")
            self._failed = False
        except urllib.error.HTTPError as refused:
            self._complain(f"answered with {refused.code}")
        except (OSError, ValueError, http.client.HTTPException) as failed:
            reason = getattr(failed, "reason", failed)
            self._complain(f"could not be reached: {type(reason).__name__}")
        finally:
            self._calling.release()

    def _complain(self, what: str) -> None:
        if not self._failed:
            log.warning("The service at the other end of check.heartbeat_url %s; the next check calls again", what)
        self._failed = True
