"""The examples in docs/deploy: as far as this machine can tell, they would work, and they say what the settings expect."""

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
from django.conf import settings

from performance.services.intake import MOST_BYTES

PLACE = Path(settings.BASE_DIR) / "docs" / "deploy"
UNITS = sorted(PLACE.glob("*.service"))
HARD = (
    "NoNewPrivileges",
    "ProtectSystem",
    "ProtectHome",
    "ProtectKernelModules",
    "RestrictSUIDSGID",
    "LockPersonality",
)


def unit(path: Path) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text())
    return parser


def test_there_is_a_unit_for_everything_and_for_each_part() -> None:
    assert sorted(path.stem for path in UNITS) == ["outpost", "outpost-beat", "outpost-web", "outpost-worker"]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_runs_its_part_as_an_ordinary_user_and_is_shut_in(path: Path) -> None:
    service = unit(path)["Service"]
    part = path.stem.partition("-")[2]
    assert service["ExecStart"].split()[1:] == ["manage.py", "run", *([part] if part else [])]
    assert service["User"] == "outpost" and service["Restart"] == "on-failure" and service["UMask"] == "0077"
    assert f"Environment=OUTPOST_HOME=/var/lib/{service['StateDirectory']}\n" in path.read_text()
    if not part:  # the embedded servers keep their sockets where the file system may be written to
        assert f"Environment=XDG_RUNTIME_DIR=/run/{service['RuntimeDirectory']}\n" in path.read_text()
    assert service["PrivateTmp"] == "yes"
    assert all(service[name] in {"yes", "strict"} for name in HARD) and service["CapabilityBoundingSet"] == ""
    assert int(service["TimeoutStopSec"]) > 15  # a part is given that long before it is killed


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_systemd_reads_a_unit_without_complaint(path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine; the test above parses the unit")
    told = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False)
    own = [line for line in told.stderr.splitlines() if path.name in line and "ExecStart" not in line]
    assert own == [], told.stderr


def test_nginx_sets_each_header_that_is_believed_keeps_nothing_and_lets_the_largest_file_through() -> None:
    text = (PLACE / "nginx.conf").read_text()
    assert text.count("{") == text.count("}")
    code = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert all(line.endswith((";", "{", "}")) for line in code), [
        line for line in code if not line.endswith((";", "{", "}"))
    ]
    for header in (
        "X-Forwarded-Proto $scheme",
        "X-Forwarded-For $remote_addr",
        "X-Request-ID $request_id",
        "Host $host",
    ):
        assert f"proxy_set_header {header};" in code
    assert "proxy_cache off;" in code and "location = /metrics { return 404; }" in code
    assert int(re.search(r"client_max_body_size (\d+)g;", text)[1]) << 30 >= MOST_BYTES  # type: ignore[index]
    assert "$request_uri" not in re.search(r"log_format[^;]+;", text)[0]  # type: ignore[index]


def test_caddy_likewise() -> None:
    text = (PLACE / "Caddyfile").read_text()
    assert text.count("{") == text.count("}")
    for line in (
        "header_up X-Forwarded-Proto {scheme}",
        "header_up X-Request-ID {http.request.uuid}",
        "respond /metrics 404",
    ):
        assert line in text
    assert int(re.search(r"max_size (\d+)GiB", text)[1]) << 30 >= MOST_BYTES  # type: ignore[index]


def test_the_environment_file_names_only_variables_that_are_described() -> None:
    described = (Path(settings.BASE_DIR) / "docs" / "operating.md").read_text()
    names = re.findall(r"^#?([A-Z_]+)=", (PLACE / "outpost.env").read_text(), re.MULTILINE)
    assert len(names) > 8 and [name for name in names if f"`{name}`" not in described] == []
