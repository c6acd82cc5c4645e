"""The command that takes pictures says what it lacks."""

import pytest
from django.core.management import CommandError, call_command

from config.demo import logins


@pytest.mark.django_db
def test_without_the_demo_organisation_there_is_nothing_to_show(tmp_path, monkeypatch):
    monkeypatch.setattr(logins, "place", lambda: tmp_path / "demo_logins.json")
    with pytest.raises(CommandError, match="no demo organisation"):
        call_command("screenshots", to=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_without_a_browser_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(logins, "still_valid", lambda: [{"role": "agent", "username": "a", "password": "b"}])
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("OUTPOST_CHROMIUM", raising=False)
    with pytest.raises(CommandError, match="install the package chromium"):
        call_command("screenshots", to=tmp_path / "pictures")
