"""From where sensitive data opens, and who says so."""

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse

from teams.errors import OutOfReach, Refused
from teams.models import Compensation, PrivacyRules
from teams.services.privacy import set_rules
from tests.access.actors import build
from tests.make import LONG_AGO

INSIDE, OUTSIDE = {"REMOTE_ADDR": "10.1.2.3"}, {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def world(hub, north, south):
    PrivacyRules.objects.create(networks="10.0.0.0/8")
    return build(hub, north, south)


def logged_in(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("who", "address"),
    [
        ("payroll", "/admin/teams/compensation/"),
        ("payroll", "/admin/teams/compensation/export/csv/"),
        ("payroll", "/admin/teams/compensation/set/"),
        ("payroll", "/api/v1/compensations/"),
        ("operator", "/admin/teams/compensation/"),
        ("hr", "/admin/teams/agent/export/xlsx/"),
    ],
)
def test_wages_and_exports_of_people_open_from_inside_only(world, who, address):
    client = logged_in(world.user(who))
    assert client.get(address, **INSIDE).status_code == 200
    refused = client.get(address, **OUTSIDE)
    assert refused.status_code == 409
    assert "300.00" not in refused.content.decode() and "networks of the organisation" in refused.content.decode()


def test_a_wage_by_its_address_is_refused_too_and_nothing_else_is(world):
    client, row = logged_in(world.user("payroll")), world.rows["teams.compensation"]
    for page in ("change", "history"):
        answer = client.get(reverse(f"admin:teams_compensation_{page}", args=[row]), **OUTSIDE)
        assert answer.status_code == 409 and "300.00" not in answer.content.decode()
    assert client.get("/admin/", **OUTSIDE).status_code == 200
    assert logged_in(world.user("hr")).get("/admin/teams/agent/", **OUTSIDE).status_code == 200


def test_a_copy_of_somebody_elses_is_not_there_wherever_one_asks_from(world, north, south):
    """Nor does the sentence about networks tell that it is."""
    copy = world.rows["teams.datacopy"]
    for user in (north.lead, south.lead, world.user("operator")):
        for place in (INSIDE, OUTSIDE):
            assert logged_in(user).post(reverse("my_data_file", args=[copy]), **place).status_code == 404


def test_the_page_of_copies_lists_ones_own(world, north, south):
    for user, count in ((north.agent.user, 1), (north.lead, 0), (south.lead, 0), (world.user("operator"), 0)):
        assert len(logged_in(user).get(reverse("my_data")).context["lines"]) == count, user


def test_ones_own_wage_opens_from_home(world, north):
    span = DateRange(LONG_AGO, None)
    Compensation.objects.create(agent=north.agents[1], amount="500.00", currency="CNY", span=span)
    found = logged_in(north.agent.user).get("/api/v1/compensations/", **OUTSIDE).json()["results"]
    assert [row["amount"] for row in found] == ["300.00"]
    assert Compensation.objects.count() == 2


def test_an_address_a_client_writes_itself_is_not_believed(world):
    client = logged_in(world.user("payroll"))
    forged = OUTSIDE | {"HTTP_X_FORWARDED_FOR": "10.1.2.3"}
    assert client.get("/admin/teams/compensation/", **forged).status_code == 409


def test_the_installations_networks_count_until_the_operator_names_others(world, settings):
    from ipaddress import ip_network

    PrivacyRules.objects.update(networks="")
    client = logged_in(world.user("payroll"))
    assert client.get("/admin/teams/compensation/", **OUTSIDE).status_code == 200
    settings.SENSITIVE_NETWORKS = [ip_network("10.0.0.0/8")]
    assert client.get("/admin/teams/compensation/", **OUTSIDE).status_code == 409


def test_only_the_operator_sets_the_rules_and_each_change_is_kept(client, hub, north):
    wish = {"networks": "10.0.0.0/8, 192.0.2.7", "reveals_a_day": 5, "kept": {"phones": 14}, "reason": "policy 7"}
    with pytest.raises(OutOfReach):
        set_rules(by=hub.hr, **wish)
    set_rules(by=hub.operator, **wish)
    rules = PrivacyRules.current()
    assert rules.networks.split() == ["10.0.0.0/8", "192.0.2.7/32"] and rules.kept["phones"] == 14
    assert rules.kept["contacts"] == 24  # what was not named keeps its default
    version = PrivacyRules.history.first()
    assert (version.history_user, version.history_change_reason) == (hub.operator, "policy 7")
    for bad in ({"networks": "office"}, {"reveals_a_day": 0}, {"kept": {"phones": 0}}, {"reason": " "}):
        with pytest.raises(Refused):
            set_rules(by=hub.operator, **(wish | bad))


def test_the_page_of_rules_says_what_goes_and_takes_changes(client, hub):
    client.force_login(hub.operator)
    page = client.get(reverse("people_data"))
    shown = page.content.decode()
    assert "telephone numbers" in shown and "None: sensitive data opens from everywhere" in shown
    wish = {
        name: page.context["form"].get_initial_for_field(field, name)
        for name, field in page.context["form"].fields.items()
    }
    wish = {name: value or "" for name, value in wish.items()}
    assert client.post(reverse("people_data"), wish).status_code == 200  # no reason
    assert client.post(reverse("people_data"), wish | {"reason": "less", "contacts": 12}).status_code == 302
    assert PrivacyRules.current().kept["contacts"] == 12
    assert client.post(reverse("people_data"), wish | {"reason": "x", "networks": "nowhere"}).status_code == 200
    client.force_login(hub.hr)
    assert client.get(reverse("people_data")).status_code == 403
