"""Columns, saved filters and downloads of the admin's lists: what one person arranges, for that person alone."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.utils import label_for_field
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils import timezone
from openpyxl import load_workbook

from performance.models import AgentDay
from teams.edges.admin import site
from teams.errors import OutOfReach, Refused
from teams.models import Agent, ColumnSet, SavedFilter
from teams.services import lists
from tests import make
from tests.look.rows import contact

AGENTS = "/admin/teams/agent/"
COLUMNS, FILTERS = "/admin/lists/teams.agent/columns/", "/admin/lists/teams.agent/filters/"


@pytest.fixture
def lead(client, north):
    client.force_login(north.lead)
    return north.lead


def shown(client, address=AGENTS):
    return [getattr(column, "__name__", column) for column in client.get(address).context["cl"].list_display]


def warned(client, address):
    return " ".join(map(str, client.get(address, follow=True).context["messages"]))


def read(answer):
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


# -- columns ---------------------------------------------------------------------------------------------------------------


def test_columns_are_chosen_ordered_and_reset(client, lead):
    usual = shown(client)
    answer = client.post(
        COLUMNS, {"column": ["name", "left_on", "team"], "width-name": "220", "back": "q=North&o=-name"}
    )
    assert answer.headers["Location"] == f"{AGENTS}?q=North&o=-name"
    assert shown(client) == ["name", "left_on", "team"]
    kept = ColumnSet.objects.get(user=lead)
    assert kept.columns == [["name", 220], ["left_on", None], ["team", None]]
    client.post(COLUMNS, {"do": "reset"})
    assert shown(client) == usual and not ColumnSet.objects.exists()


def test_only_offered_columns_are_taken_and_stale_ones_fall_out(client, lead):
    client.post(COLUMNS, {"column": ["user__password", "compensations", "name", "name", "pk"]})
    assert ColumnSet.objects.get().columns == [["name", None]]
    ColumnSet.objects.update(columns=[["gone", 9], ["name", None], "odd", ["zone"]])
    assert shown(client) == ["name"]
    ColumnSet.objects.update(columns=[["gone", 9]])
    assert shown(client) == list(site.get_model_admin(Agent).list_display)


def test_an_empty_choice_and_an_impossible_width_are_refused_with_a_sentence(client, lead):
    client.post(COLUMNS, {"column": []})
    assert "at least one column" in warned(client, AGENTS)
    for width in ("7", "99999", "-5", "1e3", "４０"):
        client.post(COLUMNS, {"column": ["name"], "width-name": width})
        assert "between 40 and 1200" in warned(client, AGENTS)
    assert not ColumnSet.objects.exists()


def test_sets_are_kept_chosen_and_removed(client, lead):
    usual = shown(client)
    client.post(COLUMNS, {"do": "keep", "name": " Short  one ", "column": ["number"]})
    short = ColumnSet.objects.get(name="Short one")
    client.post(COLUMNS, {"column": ["name", "zone"]})
    assert shown(client) == ["name", "zone"]
    client.post(COLUMNS, {"do": f"choose-{short.pk}"})
    assert shown(client) == ["number"]
    client.post(COLUMNS, {"do": f"forget-{short.pk}"})
    assert shown(client) == usual
    client.post(COLUMNS, {"do": "keep", "name": "  ", "column": ["number"]})
    assert "name of 1 to 60" in warned(client, AGENTS)


def test_what_one_arranges_is_nobody_elses(client, lead, south, hub):
    client.post(COLUMNS, {"do": "keep", "name": "Mine", "column": ["number"]})
    client.post(FILTERS, {"name": "Ours", "back": "q=North", "is_default": "on"})
    mine, kept = ColumnSet.objects.get(), SavedFilter.objects.get()
    for other in (south.lead, hub.operator):
        client.force_login(other)
        page = client.get(AGENTS).content.decode()
        assert "Mine" not in page and "Ours" not in page
        assert client.post(COLUMNS, {"do": f"choose-{mine.pk}"}).status_code == 404
        assert client.post(COLUMNS, {"do": f"forget-{mine.pk}"}).status_code == 404
        for wish in ("rename", "default", "usual", "forget"):
            assert client.post(FILTERS, {"do": f"{wish}-{kept.pk}", "name": "x"}).status_code == 404
        assert "not there any more" in warned(client, f"{AGENTS}?saved={kept.pk}")
        with pytest.raises(OutOfReach):
            lists.use_columns(mine.pk, by=other)
    mine.refresh_from_db(), kept.refresh_from_db()
    assert (mine.name, mine.is_used, kept.name, kept.is_default) == ("Mine", True, "Ours", True)


def test_no_list_and_a_shut_list_are_one_404(client, lead):
    for label in ("teams.compensation", "teams.jobrun", "teams.nothing", "x"):
        assert client.post(f"/admin/lists/{label}/columns/", {"column": ["name"]}).status_code == 404
        assert client.post(f"/admin/lists/{label}/filters/", {"name": "a", "back": "q=b"}).status_code == 404


def test_any_choice_takes_the_same_queries_for_one_row_and_for_many(client, lead, north):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            client.get(AGENTS)
        return len(seen)

    client.post(COLUMNS, {"column": ["number"]})
    few = queries()
    client.post(COLUMNS, {"column": ["team", "left_on", "name", "locale", "started_on"]})
    assert queries() == few
    for _n in range(3):
        make.agent(north.team)
    assert queries() == few


def test_an_order_means_the_same_in_any_arrangement(client, lead, north):
    make.agent(north.team, "Aaron", number="Z9")
    by_name = [agent.name for agent in client.get(f"{AGENTS}?o=-name").context["cl"].result_list]
    assert by_name[-1] == "Aaron"
    client.post(COLUMNS, {"column": ["zone", "name"]})
    page = client.get(f"{AGENTS}?o=-name")
    assert [agent.name for agent in page.context["cl"].result_list] == by_name
    assert "o=name" in page.content.decode() and "o=zone.-name" in page.content.decode()
    client.post(COLUMNS, {"column": ["zone"]})
    assert client.get(f"{AGENTS}?o=-name.99.x.-").status_code == 200


def test_a_list_without_its_declared_links_leads_to_the_row_from_the_first_column(client, hub):
    client.force_login(hub.operator)
    admin = next(each for each in site._registry.values() if each.listed == "performance.contact")
    assert list(admin.list_display_links) == ["opened_at", "external_id"]
    assert admin.get_list_display_links(None, ["channel", "queue"]) == ["channel"]
    assert list(admin.get_list_display_links(None, ["channel", "external_id"])) == ["opened_at", "external_id"]


def test_every_offered_column_has_a_title_and_reaches_through_no_relation():
    get_resolver().url_patterns  # noqa: B018 - the admins register themselves with the addresses
    assert len(site._registry) > 20
    for admin in site._registry.values():
        for name in admin.offered_columns():
            assert str(label_for_field(name, admin.model, admin))
        assert set(admin.raw_columns) <= set(admin.offered_columns())
        assert not [name for name in admin.more_columns if "__" in name]


# -- saved filters -----------------------------------------------------------------------------------------------------------


def test_a_filter_is_saved_applied_renamed_and_removed(client, lead):
    client.post(COLUMNS, {"column": ["name", "zone"]})
    client.post(FILTERS, {"name": "At work", "back": "status__exact=active&o=-1.0&p=3&all=&q="})
    kept = SavedFilter.objects.get(user=lead)
    assert kept.query == {"o": ["-zone.name"], "status__exact": ["active"]}
    answer = client.get(f"{AGENTS}?saved={kept.pk}")
    assert answer.status_code == 302
    page = client.get(AGENTS + answer.headers["Location"])
    assert page.context["ways"]()[0].is_applied and 'aria-current="true"' in page.content.decode()
    client.post(FILTERS, {"do": f"rename-{kept.pk}", "name": "Here"})
    kept.refresh_from_db()
    assert kept.name == "Here"
    client.post(FILTERS, {"name": "Other", "back": "q=x"})
    client.post(FILTERS, {"do": f"rename-{kept.pk}", "name": "Other"})
    assert "Another filter" in warned(client, AGENTS)
    client.post(FILTERS, {"do": f"forget-{kept.pk}"})
    assert list(SavedFilter.objects.values_list("name", flat=True)) == ["Other"]


def test_a_list_opens_with_its_default_and_can_be_cleared(client, lead):
    client.post(FILTERS, {"name": "First", "back": "q=Agent 1", "is_default": "on"})
    client.post(FILTERS, {"name": "Second", "back": "q=Agent 2", "is_default": "on"})
    assert list(SavedFilter.objects.filter(is_default=True).values_list("name", flat=True)) == ["Second"]
    page = client.get(AGENTS, follow=True)
    assert page.redirect_chain[-1][0] == "?q=Agent+2" and page.context["cl"].query == "Agent 2"
    assert page.context["cl"].bare_address == "?all=0"
    assert client.get(f"{AGENTS}?all=0").context["cl"].result_count == 2
    client.post(FILTERS, {"do": f"usual-{SavedFilter.objects.get(name='Second').pk}"})
    assert client.get(AGENTS).status_code == 200


@pytest.mark.parametrize(
    "back", ["user__password__startswith=m", "team__id__exact=987654", "id__in=1", "status__exact__regex=x"]
)
def test_what_the_list_does_not_know_is_not_kept(client, lead, back):
    client.post(FILTERS, {"name": "Oracle", "back": back})
    assert "does not know such a filter" in warned(client, AGENTS)
    assert not SavedFilter.objects.exists()


def test_odd_wishes_are_answered_and_keep_nothing(client, lead):
    for wish in ("choose-x", "forget-", "choose-" + "9" * 40, "forget-\x00"):
        assert client.post(COLUMNS, {"do": wish}).status_code == 404
        assert client.post(FILTERS, {"do": wish.replace("choose", "default"), "name": "A"}).status_code == 404
    assert client.post(FILTERS, {"name": "A", "back": "q=a%00b&%00=1&=&&;"}).status_code == 302
    assert (
        client.post(COLUMNS, {"column": ["\x00"], "name": "\x00", "do": "keep", "back": "\x00" * 9000}).status_code
        == 302
    )
    assert not SavedFilter.objects.exists() and not ColumnSet.objects.exists()


def test_a_filter_out_of_reach_is_left_out_with_a_sentence(client, lead, south):
    """The team was in reach when it was kept; the foreign and the missing one read alike."""
    said = []
    for team in (south.team.pk, 987654):
        SavedFilter.objects.update_or_create(
            user=lead, listed="teams.agent", name="Team",
            defaults={"query": {"team__id__exact": [str(team)], "status__exact": ["active"], "gone__exact": ["1"]}},
        )  # fmt: skip
        page = client.get(f"{AGENTS}?saved={SavedFilter.objects.get().pk}", follow=True)
        assert page.status_code == 200 and page.redirect_chain[-1][0] == "?status__exact=active"
        said.append(" ".join(map(str, page.context["messages"])))
    assert said[0] == said[1] and "“Team” holds a condition" in said[0]


def test_a_filter_on_contacts_knows_what_it_may_name(client, lead, south):
    admin = next(each for each in site._registry.values() if each.listed == "performance.contact")
    request = client.get("/admin/performance/contact/").wsgi_request
    assert admin.fits(request, {"period": ["2026-11-01_2026-11-07"], "channel": ["phone"]})
    assert not admin.fits(request, {"team": [str(south.team.pk)]})
    assert not admin.fits(request, {"channel": ["pigeon"]})


def test_a_list_is_as_its_reader_has_arranged_it_and_nobody_else(client, lead, south):
    plain = shown(client)
    SavedFilter.objects.create(
        user=south.lead, listed="teams.agent", name="Theirs", query={"q": ["x"]}, is_default=True
    )
    ColumnSet.objects.create(
        user=south.lead, listed="teams.agent", name="Theirs", columns=[["name", None]], is_used=True
    )
    assert shown(client) == plain
    assert "Theirs" not in client.get(AGENTS).content.decode()


def test_the_filters_of_contacts_offer_nothing_out_of_reach(client, lead, north, south, partitions):
    """Neither the name of a queue, nor whether somebody has contacts."""
    own, other = make.queue(north.team, "North line"), make.queue(south.team, "South line")
    for agent in (north.agent, south.agent):
        contact(agent)
    page = client.get("/admin/performance/contact/").context["cl"]
    offered = {
        spec.parameter_name: spec.lookup_choices for spec in page.filter_specs if hasattr(spec, "parameter_name")
    }
    assert (str(own.pk), "North line") in offered["queue"] and (str(other.pk), "South line") not in offered["queue"]
    for agent, chosen in ((north.agent, str(north.agent.pk)), (south.agent, "")):
        page = client.get("/admin/performance/contact/", {"agent": agent.pk}).context["cl"]
        assert [spec.lookup_choices[0][0] for spec in page.filter_specs if spec.title == "agent"] == [chosen]


def test_nothing_and_too_much_are_refused(north):
    for query, code in (({}, "no_filter"), ({"q": ["x" * 201]}, "long_filter"), ({"q": ["a\x00b"]}, "odd_filter")):
        with pytest.raises(Refused) as refusal:
            lists.save_filter("teams.agent", "A", query, by=north.lead)
        assert refusal.value.code == code
    for name in ("", " ", "x" * 61, "a\x07b"):
        with pytest.raises(Refused) as refusal:
            lists.save_filter("teams.agent", name, {"q": ["a"]}, by=north.lead)
        assert refusal.value.code == "bad_name"
    for n in range(lists.MOST_SETS):
        lists.save_filter("teams.agent", f"F{n}", {"q": ["a"]}, by=north.lead)
    lists.save_filter("teams.agent", "F3", {"q": ["b"]}, by=north.lead)
    with pytest.raises(Refused) as refusal:
        lists.save_filter("teams.agent", "One more", {"q": ["a"]}, by=north.lead)
    assert refusal.value.code == "too_many_filters"


# -- the file ----------------------------------------------------------------------------------------------------------------


def test_t17_t59_a_download_holds_what_is_seen_and_nothing_else(client, lead, north, south):
    make.agent(north.team, "=SUM(A1)", number="F1")
    client.post(COLUMNS, {"column": ["name", "team", "started_on"]})
    answer = client.get(f"{AGENTS}download/csv/?o=-name&q=North")
    assert f'filename="agents-{timezone.now():%Y-%m-%d}.csv"' in answer.headers["Content-Disposition"]
    assert read(answer) == [
        ["Name", "Team", "First day"],
        ["North Agent 2", "North", ""],
        ["North Agent 1", "North", ""],
    ]
    rows = read(client.get(f"{AGENTS}download/csv/"))
    assert ["'=SUM(A1)", "North", ""] in rows and "South" not in str(rows)
    assert client.get(f"{AGENTS}download/csv/?id__in={south.agent.pk}").status_code == 400
    assert client.get(f"{AGENTS}download/exe/").status_code == 409


def test_a_sheet_holds_figures_as_numbers_and_days_as_days(client, lead, north):
    day = timezone.now().date() - timedelta(days=1)
    AgentDay.objects.create(
        agent=north.agent, team=north.team, zone="UTC", day=day, contacts=3, closed=3, rated=3, satisfied=2,
        timed_simple=2, handle_seconds_simple=301,
    )  # fmt: skip
    answer = client.get("/admin/performance/agentday/download/xlsx/")
    sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content))).active
    titles, row = [[cell.value for cell in line] for line in sheet.iter_rows()]
    values = dict(zip(titles, row, strict=True))
    assert values["Day"].date() == day and values["Contacts closed"] == 3
    assert values["Handling time, simple (seconds)"] == pytest.approx(150.5)
    assert Decimal(str(values["Satisfaction (0 to 1)"])) == Decimal("0.6667")
    assert values["Closure rate (0 to 1)"] is None
