"""What the documents say is so: the sheet of figures, the two commands, and every variable the settings read."""

import re
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from config import metrics_sheet
from performance.metrics import METRICS

ROOT = settings.BASE_DIR
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = re.compile(r"\b(?:OUTPOST_[A-Z]+(?:_[A-Z]+)*|DATABASE_URL|CELERY_BROKER_URL)\b")


def test_the_sheet_of_figures_is_current():
    call_command("metrics_sheet", "--check")
    text = metrics_sheet.PLACE.read_text(encoding="utf-8")
    assert all(f"`{metric}`, " in text for metric in METRICS)


def test_a_stale_sheet_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(metrics_sheet, "PLACE", tmp_path / "metrics.md")
    call_command("metrics_sheet", stdout=StringIO())
    metrics_sheet.PLACE.write_text(metrics_sheet.PLACE.read_text() + "\n")
    with pytest.raises(CommandError, match="not current"):
        call_command("metrics_sheet", "--check")


def test_the_readme_prints_the_two_commands_on_lines_of_their_own():
    lines = [line.strip() for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()]
    assert "python3 manage.py run" in lines
    assert "python3 manage.py test" in lines


def test_every_variable_of_the_settings_is_described_and_none_that_is_not_read():
    code = [
        ROOT / "config" / "settings.py",
        *(ROOT / "config" / "runtime").rglob("*.py"),
        ROOT / "config" / "gunicorn.py",
    ]
    read = {name for path in code if path.exists() for name in re.findall(r"[\"']([A-Z_]+)[\"']", path.read_text())}
    read = {name for name in read if NAMES.fullmatch(name)}
    described = set(NAMES.findall((ROOT / "docs" / "operating.md").read_text(encoding="utf-8")))
    assert read - described == set()
    named = {name for page in PAGES for name in NAMES.findall(page.read_text(encoding="utf-8"))}
    assert named - read == set()


def test_links_between_the_documents_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
