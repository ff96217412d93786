"""The files under deploy/ are what the programs that read them expect, as far as these are on this machine."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.guide.pages import page
from tests.subprocesses import ROOT

DEPLOY = ROOT / "deploy"


def accepted(*command: object, **environment: str) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60, check=False, env=environment or None
    )
    assert done.returncode == 0, done.stdout + done.stderr


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def test_every_file_is_explained() -> None:
    linked = {link.removeprefix("../deploy/") for link in page("deployment.md").links if link.startswith("../deploy/")}
    assert linked == {path.name for path in DEPLOY.iterdir()}


def test_the_image_is_built_from_files_that_are_there_and_nothing_is_missing() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE) for word in line.split()]
    assert all((ROOT / word).exists() for word in copied)
    packaged = {"core", "dashboard", ".streamlit", "README.md", "LICENSE", "pyproject.toml", "constraints.txt"}
    assert set(copied) == packaged


def test_the_composition_names_images_files_and_volumes_that_exist() -> None:
    composition = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = composition["services"]
    dashboard, proxy = services["dashboard"], services["proxy"]
    assert (DEPLOY / dashboard["build"]["context"] / dashboard["build"]["dockerfile"]).is_file()
    assert "ports" not in dashboard, "FORWARDED_ALLOW_IPS believes everybody: only the proxy may reach it"
    mounted = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    for source in mounted:
        assert (DEPLOY / source).is_file() if source.startswith(".") else source in composition["volumes"]
    assert set(services["dashboard"]["depends_on"]) | set(proxy["depends_on"]) <= set(services)


def test_the_unit_waits_for_a_check_and_does_not_repeat_a_wrong_setting() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((DEPLOY / "coupling-health.service").read_text("utf-8"))
    service = unit["Service"]
    assert service["ExecStart"].endswith("coupling-health serve")
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    assert int(service["TimeoutStopSec"]) > 120
    assert service["RestartPreventExitStatus"] == "2"


@needs("systemd-analyze")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "coupling-health.service").read_text("utf-8")
    unit = tmp_path / "coupling-health.service"
    unit.write_text(text.replace("/opt/coupling-health/bin/coupling-health serve", "/bin/true"), "utf-8")
    accepted("systemd-analyze", "verify", "--man=no", unit)


@needs("nginx")
@needs("openssl")
def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    certificate, key = tmp_path / "fullchain.pem", tmp_path / "privkey.pem"
    accepted(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"),
        *("-subj", "/CN=health.example.org", "-keyout", key, "-out", certificate),
    )
    site = (DEPLOY / "nginx.conf").read_text("utf-8").replace("/etc/ssl/health.example.org", str(tmp_path))
    site = re.sub(r"^ *listen \[::\].*\n", "", site, flags=re.MULTILINE)  # a machine without IPv6 refuses these
    (tmp_path / "site.conf").write_text(re.sub(r"listen (\d+)", r"listen 18\1", site), "utf-8")
    places = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log; events {{}}\n"
        f"http {{ access_log off; {places} include {tmp_path}/site.conf; }}\n",
        "utf-8",
    )
    accepted("nginx", "-t", "-c", tmp_path / "nginx.conf")


@needs("caddy")
def test_caddy_accepts_the_site(tmp_path: Path) -> None:
    environment = {"SITE": "health.example.org", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin:/usr/local/bin"}
    accepted("caddy", "validate", "--adapter", "caddyfile", "--config", DEPLOY / "Caddyfile", **environment)
