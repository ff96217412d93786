"""A Chromium for the browser tests: the system's, else the distribution's package, else Playwright's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_chromium() -> Path | None:
    """The browser to test with, or None when there is none yet."""
    for name in (os.environ.get("CHROMIUM"), *_NAMES):
        path = shutil.which(name) if name else None
        if path:
            return Path(path)
    return _playwrights_own()


def get_chromium() -> Path:
    """The browser to test with; installs one when there is none. Ends the process when that is not possible."""
    found = find_chromium()
    if found is None:
        _install()
        found = find_chromium()
    if found is None:
        sys.exit("No Chromium could be found or installed. Install one, or set CHROMIUM to its path, then run again.")
    return found


def _install() -> None:
    if shutil.which("apt-get") and os.name == "posix" and os.geteuid() == 0:
        print("Installing Chromium from the distribution ...", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=False, stdout=subprocess.DEVNULL)
        installed = subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
            env=environment,
            check=False,
            stdout=subprocess.DEVNULL,
        )
        if installed.returncode == 0:
            return
    print("Installing Chromium through Playwright ...", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _playwrights_own() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


if __name__ == "__main__":
    print(f"Testing with {get_chromium()}", flush=True)
