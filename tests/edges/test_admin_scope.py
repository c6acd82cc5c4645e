"""The admin base against the cases of the reliability list: a lead of `south` finds nothing of `north`, though it is there."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import helpers
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import get_resolver
from django.utils import timezone
from openpyxl import load_workbook

from teams import services
from teams.edges import history
from teams.edges.admin import OperatorOnlyAdmin, OutpostAdminSite, ScopedAdmin, ScopedInline, site
from teams.edges.scope import OUT_OF_REACH
from teams.models import Agent, Loan, Membership, Skill, Team, TeamPlacement, TeamUserGrant, User
from teams.scoping import Grant
from tests import make
from tests.make import SOME_YEARS_ON

MARK = "Zanzibar"


@pytest.fixture(autouse=True)
def _registered() -> None:
    """Admins are registered as the routes are read."""
    assert get_resolver().url_patterns


@pytest.fixture
def foreign(north: Any) -> Agent:
    """An agent of north whose every word carries a mark."""
    return make.agent(north.team, f"{MARK} Person", number=f"{MARK}-1")


def said(response: HttpResponse) -> str:
    """The body without what is the asker's own: the token that each form draws anew, and the address that was asked for."""
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    return body.replace(response.wsgi_request.path, "")


def agents(path: str = "") -> str:
    return f"/admin/teams/agent/{path}"


@pytest.mark.parametrize("page", ["change/", "history/", "delete/", "move/", "lend/", "leave/", "edit/", "zone/"])
def test_t01_t22_foreign_and_missing_are_one_404(client, south, foreign, page):
    client.force_login(south.lead)
    there = client.get(agents(f"{foreign.pk}/{page}"))
    missing = client.get(agents(f"987654321/{page}"))
    assert there.status_code == missing.status_code == 404
    assert said(there) == said(missing)
    assert client.post(agents(f"{foreign.pk}/{page}"), {"reason": "x"}).status_code == 404


@pytest.mark.parametrize("odd", ["abc", "%00", "9" * 40, "1.5", "-1", "../1"])
def test_t01_odd_ids_are_404(client, south, odd):
    client.force_login(south.lead)
    assert client.get(agents(f"{odd}/change/")).status_code == 404


def test_t02_filters_name_no_foreign_team(client, hub, north, south, foreign):
    make.grant(south.lead, make.team("Southern branch"), Grant.LEAD)
    client.force_login(south.lead)
    page = client.get(agents()).content.decode()
    assert "Southern branch" in page
    assert "North" not in page and MARK not in page
    assert client.get(agents(f"?team__id__exact={north.team.pk}")).status_code == 400
    assert client.get(agents("?team__id__exact=987654")).status_code == 400


def test_t03_t04_a_foreign_id_is_neither_offered_nor_taken(client, north, south):
    client.force_login(south.lead)
    address = agents(f"{south.agent.pk}/move/")
    assert "North" not in client.get(address).content.decode()
    answer = client.post(address, {"team": north.team.pk, "on": SOME_YEARS_ON, "reason": "x"})
    assert answer.status_code == 200
    assert answer.context["form"].errors["team"]
    assert not Membership.objects.filter(agent=south.agent, team=north.team).exists()


def test_rows_that_an_admin_hands_to_a_field_are_cut_as_well(rf: RequestFactory, north, south):
    request = rf.get("/")
    request.user = south.lead
    admin, field = site._registry[Agent], Agent._meta.get_field("team")
    given = admin.formfield_for_dbfield(field, request, queryset=Team.objects.all())
    assert set(given.queryset) == {south.team}
    offered = site._registry[Loan].formfield_for_dbfield(Loan._meta.get_field("agent"), request)
    assert set(offered.queryset) == set(south.agents)


def test_what_one_may_change_is_not_all_that_one_sees(rf: RequestFactory, north, south):
    make.grant(south.lead, north.team, Grant.OBSERVE)
    request = rf.get("/")
    request.user = south.lead
    admin = site._registry[Agent]
    assert set(admin.get_queryset(request)) == {*north.agents, *south.agents}
    assert set(admin.manageable(request)) == set(south.agents)
    verb = next(each for each in admin.verbs if Grant.LEAD in each.grants)
    assert verb.may(request, south.agent) and not verb.may(request, north.agent)
    Group.objects.create(name="Watch")
    assert not ScopedAdmin.manageable(site._registry[Group], request).exists(), "its queryset says nothing of who may"


def test_a_page_lists_below_a_row_only_what_its_reader_may_see(client, hub, north, south):
    """The days of a person in another team are that team's."""
    begun = make.LONG_AGO + timedelta(days=90)
    Membership.objects.filter(agent=north.agent).update(span=make.DateRange(begun, None))
    former = Membership.objects.create(agent=north.agent, team=south.team, span=make.DateRange(make.LONG_AGO, begun))
    for user, is_told in ((hub.lead, True), (north.lead, False)):
        client.force_login(user)
        page = client.get(agents(f"{north.agent.pk}/change/")).context["inline_admin_formsets"]
        told = {form.instance for inline in page for form in inline.formset.forms}
        assert (former in told) is is_told and north.agent.memberships.get(team=north.team) in told


def test_a_row_below_a_row_names_no_relation_out_of_reach(client, hub, north):
    span = make.DateRange(make.LONG_AGO, None)
    TeamPlacement.objects.create(team=north.team, parent=hub.team, span=span)
    for user, above in ((hub.lead, hub.team), (north.lead, None)):
        client.force_login(user)
        page = client.get(f"/admin/teams/team/{north.team.pk}/change/").context["inline_admin_formsets"]
        (told,) = [form.instance for inline in page for form in inline.formset.forms]
        assert told.parent == above, user


def test_an_export_names_no_team_that_only_lends(client, north, south):
    Team.objects.filter(pk=south.team.pk).update(name=MARK, code=MARK.lower())
    today = timezone.now().date()
    Loan.objects.create(agent=south.agent, team=north.team, span=make.DateRange(today, today + timedelta(days=3)))
    client.force_login(north.lead)
    body = client.get(agents("export/csv/"))
    told = b"".join(body.streaming_content).decode() if body.streaming else body.content.decode()
    assert south.agent.number in told and north.team.code in told
    assert MARK.lower() not in told.lower()


def test_the_tree_is_indented_from_the_highest_team_in_reach(rf: RequestFactory, hub, north):
    for user, steps in ((north.lead, 1), (hub.lead, 2)):
        request = rf.get("/")
        request.user = user
        assert site._registry[Team].get_queryset(request).get(pk=north.team.pk).steps == steps


def test_t04_autocomplete_asks_the_scoped_admin(client, south, foreign):
    client.force_login(south.lead)
    query = {"app_label": "teams", "model_name": "loan", "field_name": "agent", "term": MARK}
    answer = client.get("/admin/autocomplete/", query)
    assert answer.status_code == 200 and answer.json()["results"] == []
    query["term"] = "South"
    assert len(client.get("/admin/autocomplete/", query).json()["results"]) == 2


def test_t05_no_view_of_the_history_package_is_routed():
    from django.urls import get_resolver

    def views(patterns):
        for entry in patterns:
            if hasattr(entry, "url_patterns"):
                yield from views(entry.url_patterns)
            else:
                yield getattr(entry.callback, "__module__", "")

    assert not [name for name in views(get_resolver().url_patterns) if name.startswith("simple_history")]


def test_t06_a_wage_shows_in_no_history_a_lead_opens(client, hub, north):
    pay = {"basis": "daily", "amount": "345.67", "currency": "CNY", "on": make.LONG_AGO, "reason": "raise"}
    row = services.set_compensation(north.agent.pk, by=hub.payroll, **pay)
    client.force_login(north.lead)
    assert client.get(f"/admin/teams/compensation/{row.pk}/history/").status_code == 403
    assert "345" not in client.get(agents(f"{north.agent.pk}/history/")).content.decode()
    client.force_login(hub.payroll)
    assert "345.67" in client.get(f"/admin/teams/compensation/{row.pk}/history/").content.decode()


@pytest.mark.parametrize(
    "oracle",
    ["user__password__startswith=m", "compensations__amount__gte=1", "name__startswith=S", "team__parent__id=1",
     "id__in=1,2", "_to_field=number", "status__exact__regex=x"],
)  # fmt: skip
def test_t07_other_lookups_are_400(client, south, oracle):
    client.force_login(south.lead)
    assert client.get(agents(f"?{oracle}")).status_code == 400


def test_t07_the_declared_lookups_work(client, south):
    client.force_login(south.lead)
    assert client.get(agents("?status__exact=active")).context["cl"].result_count == 2
    assert client.get(agents("?status__exact=left")).context["cl"].result_count == 0


class Shouting(ScopedAdmin):
    """An admin with a bulk action, to knock at."""

    actions = ("shout",)

    def shout(self, request: Any, queryset: Any) -> None:
        self.each(request, queryset, lambda pk: Agent.objects.filter(pk=pk).update(name="SHOUTED"))


def test_t08_one_foreign_id_in_a_bulk_action_changes_nothing(rf: RequestFactory, south, foreign):
    from django.contrib.messages.storage.fallback import FallbackStorage
    from django.http import Http404

    admin = Shouting(Agent, OutpostAdminSite(name="admin"))

    def post(pks):
        request = rf.post("/", {"action": "shout", helpers.ACTION_CHECKBOX_NAME: pks, "index": 0, "select_across": 0})
        request.user, request.session = south.lead, {}
        request._messages = FallbackStorage(request)
        return admin.response_action(request, admin.get_queryset(request))

    own = [agent.pk for agent in south.agents]
    with pytest.raises(Http404):
        post([*own, foreign.pk])
    assert not Agent.objects.filter(name="SHOUTED").exists()
    post(own)
    assert Agent.objects.filter(name="SHOUTED").count() == 2


def test_t09_t12_lists_are_not_editable_and_nothing_is_saved_as_new():
    class Editable(ScopedAdmin):
        list_display = ("name",)
        list_editable = ("name",)

    class Copied(ScopedAdmin):
        save_as = True

    for wrong in (Editable, Copied, type("Raw", (ScopedAdmin,), {"raw_id_fields": ("team",)}), models.Model, None):
        with pytest.raises(TypeError):
            OutpostAdminSite(name="other").register(Agent, wrong)
    for admin in site._registry.values():
        assert admin.list_editable == () and not admin.save_as and "delete_selected" not in dict(site.actions)


def test_t10_t11_t13_forged_inline_rows_are_refused(client, north, foreign):
    client.force_login(north.lead)
    form = {
        "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0, "memberships-0-team": north.team.pk,
        "memberships-0-span_0": "2030-01-01", "memberships-0-id": "", "name": "Changed",
    }  # fmt: skip
    assert client.post(agents(f"{north.agent.pk}/change/"), form).status_code == 403
    assert Membership.objects.filter(agent=north.agent).count() == 1
    north.agent.refresh_from_db()
    assert north.agent.name == "North Agent 1"


def test_t13_an_inline_of_a_package_is_not_taken():
    from unfold.admin import TabularInline

    class Loose(TabularInline):
        model = Membership

    with pytest.raises(TypeError):
        OutpostAdminSite(name="other").register(Agent, type("A", (ScopedAdmin,), {"inlines": (Loose,)}))
    assert all(issubclass(inline, ScopedInline) for admin in site._registry.values() for inline in admin.inlines)


def test_t14_search_finds_nothing_foreign(client, south, foreign):
    client.force_login(south.lead)
    page = client.get(agents(f"?q={MARK}"))
    assert page.context["cl"].result_count == 0
    assert f"{MARK} Person" not in page.content.decode()
    assert client.get(agents("?q=South")).context["cl"].result_count == 2
    assert MARK not in client.get(f"/admin/search/?s={MARK}&extended=1").content.decode()


def test_t15_every_number_is_over_the_own_teams(client, hub, south, foreign):
    client.force_login(south.lead)
    page = client.get(agents())
    assert page.context["cl"].result_count == 2
    client.force_login(hub.lead)
    assert client.get(agents()).context["cl"].result_count == 5


def test_t16_t25_view_on_site_is_not_routed(client, hub):
    client.force_login(hub.operator)
    assert client.get("/admin/r/1/1/").status_code == 404


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_t17_export_holds_only_own_rows_and_neutral_cells(client, south, foreign, kind):
    make.agent(south.team, "=HYPERLINK(1)", number="S-9")
    client.force_login(south.lead)
    answer = client.get(agents(f"export/{kind}/"))
    body = b"".join(answer.streaming_content)
    if kind == "csv":
        assert body.startswith(b"\xef\xbb\xbf")
        text = body.decode("utf-8-sig")
        lines = text.splitlines()
        assert len(lines) == 4 and "'=HYPERLINK(1)" in text
    else:
        rows = list(load_workbook(io.BytesIO(body)).active.values)
        text = str(rows)
        assert len(rows) == 4 and "'=HYPERLINK(1)" in text
    assert MARK not in text and "North" not in text
    assert client.get(agents(f"export/{kind}/?id__in={foreign.pk}")).status_code == 400
    assert client.get(agents("export/exe/")).status_code == 409


def upload(client: Any, text: str, name: str = "roster.csv") -> Any:
    file = io.BytesIO(text.encode("utf-8-sig"))
    file.name = name
    return client.post(agents("import/"), {"file": file})


HEAD = "number,name,team,zone,role,locale,started_on\n"


def test_t18_a_line_with_a_foreign_row_is_refused_and_shows_nothing(client, south, foreign):
    client.force_login(south.lead)
    answer = upload(client, HEAD + f"{foreign.number},Stolen,south,UTC,agent,en,2026-01-01\n")
    page = answer.content.decode()
    assert "cannot be used here" in page and f"{MARK} Person" not in page and not answer.context["waiting"]
    answer = upload(client, HEAD + "S-77,New one,north,UTC,agent,en,2026-01-01\n")
    assert "was not found" in answer.content.decode() and not answer.context["waiting"]
    foreign.refresh_from_db()
    assert foreign.name == f"{MARK} Person"


def test_import_looks_first_and_writes_on_confirmation(client, south, north):
    client.force_login(south.lead)
    lines = HEAD + f"S-77,'=王小明,south,Asia/Shanghai,agent,zh-hans,2026-01-01\n{south.agent.number},Renamed,,,,,\n"
    answer = upload(client, lines)
    assert answer.context["waiting"], answer.context["lines"]
    assert not Agent.objects.filter(number="S-77").exists()
    client.post(agents("import/"), {"waiting": answer.context["waiting"]})
    made = Agent.objects.get(number="S-77")
    assert (made.name, made.team, made.zone) == ("=王小明", south.team, "Asia/Shanghai")
    south.agent.refresh_from_db()
    assert south.agent.name == "Renamed"
    assert south.agent.history.first().history_user == south.lead
    client.force_login(north.lead)
    stolen = client.post(agents("import/"), {"waiting": answer.context["waiting"]})
    assert stolen.status_code == 302 and not Agent.objects.filter(number="S-77", team=north.team).exists()


def test_t57_one_bad_line_writes_nothing(client, south):
    client.force_login(south.lead)
    answer = upload(
        client, HEAD + "S-1,One,south,UTC,agent,en,2026-01-01\nS-2,Two,south,Mars/Base,agent,en,2026-01-01\n"
    )
    assert not answer.context["waiting"]
    assert [line[0] for line in answer.context["lines"]] == [3]
    assert not Agent.objects.filter(number="S-1").exists()


def test_t19_t20_staff_alone_sees_nothing(client, db):
    client.force_login(make.user("newcomer", is_staff=True))
    for model in site._registry:
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert client.get(address).status_code == 403, address
        assert client.get(f"{address}1/change/").status_code == 403, address
    assert client.get("/admin/").context["app_list"] == []


def test_t26_rights_are_the_operators(client, hub, north):
    client.force_login(hub.lead)
    for page in ("password", "access", "groups", "deactivate"):
        answer = client.post(f"/admin/teams/user/{north.lead.pk}/{page}/", {"is_superuser": "on", "reason": "x"})
        assert answer.status_code == 403
    north.lead.refresh_from_db()
    assert not north.lead.is_superuser and north.lead.is_active


def test_t27_history_names_nothing_out_of_reach(client, hub, north, south):
    agent = north.agent
    Agent.objects.filter(pk=agent.pk).update(team=north.team)
    agent.refresh_from_db()
    agent.team = south.team
    agent._history_user, agent._change_reason = hub.lead, "moved"
    agent.save()
    changes = history.trail(agent, south.lead)
    moved = next(each for change in changes for each in change.differences if each.field == "Team")
    assert (moved.before, moved.after) == ("–", "South") or (moved.before, moved.after) == (str(OUT_OF_REACH), "South")
    assert changes[0].who == "hub-lead" and changes[0].reason == "moved"


def test_t28_no_scope_carries_over_to_the_next_request(client, north, south, foreign):
    for _round in range(10):
        client.force_login(south.lead)
        assert MARK not in client.get(agents()).content.decode()
        client.force_login(north.lead)
        assert MARK in client.get(agents()).content.decode()


def test_t29_a_failing_scope_shows_no_rows(client, south, monkeypatch):
    def broken(self, user):
        raise RuntimeError("scope")

    monkeypatch.setattr(type(Agent.objects.all()), "visible_to", broken)
    client.raise_request_exception = False
    client.force_login(south.lead)
    answer = client.get(agents())
    assert answer.status_code == 500 and b"South Agent" not in answer.content


def test_t30_private_pages_are_not_stored(client, south):
    client.force_login(south.lead)
    assert "no-store" in client.get(agents()).headers["Cache-Control"]


def test_t31_a_grant_dies_with_its_team(hub):
    team = make.team("Short lived")
    make.grant(hub.hr, team, Grant.LEAD)
    team.delete()
    assert not TeamUserGrant.objects.filter(user=hub.hr, permission__codename="lead_team").exists()


def test_t32_a_model_wide_permission_opens_nothing(client, foreign):
    clerk = make.user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="teams"))
    client.force_login(clerk)
    assert client.get(agents()).status_code == 403
    assert client.get(agents(f"{foreign.pk}/change/")).status_code == 403


@pytest.mark.parametrize("address", ["/admin/teams/agent/", "/admin/teams/team/", "/admin/teams/teamusergrant/"])
def test_t33_lists_take_the_same_queries_for_one_row_and_three(
    client, hub, north, south, django_assert_max_num_queries, address
):
    counted = []
    for user in (north.lead, hub.lead):
        client.force_login(user)
        client.get(address)
        with django_assert_max_num_queries(24) as queries:  # of these four open and close the scope
            page = client.get(address)
        counted.append((len(queries), page.context["cl"].result_count))
    assert counted[0][1] < counted[1][1]
    assert counted[0][0] == counted[1][0]


def test_t34_beat_is_the_operators(client, hub, north):
    for model, admin in site._registry.items():
        if model._meta.app_label in {"django_celery_beat", "auth", "guardian"}:
            assert isinstance(admin, OperatorOnlyAdmin), model
    client.force_login(hub.lead)
    assert client.post("/admin/django_celery_beat/periodictask/add/", {"name": "x"}).status_code == 403


def test_t88_names_with_script_are_inert(client, south):
    make.agent(south.team, "<script>alert(1)</script>", number="X-1")
    client.force_login(south.lead)
    page = client.get(agents()).content.decode()
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page


def test_deletion_names_nothing_foreign_and_is_refused(rf, hub, north, south):
    """A row in reach whose deletion would take rows out of reach along."""
    admin = site._registry[Agent]
    request = rf.get("/")
    request.user = north.lead
    services.lend_agent(north.agent.pk, south.team.pk, *_days(), "help", by=hub.lead)
    named, _counts, lacking, protected = admin.get_deleted_objects([north.agent], request)
    assert lacking or str(OUT_OF_REACH) in protected
    assert "South" not in str(named) + str(protected)


def _days() -> tuple[Any, Any]:
    from datetime import date

    return date.fromisoformat(SOME_YEARS_ON), date.fromisoformat(SOME_YEARS_ON).replace(day=3)


def test_relations_out_of_reach_read_so(client, hub, north, south):
    """South borrows an agent of north: it sees the person, not the name of the home team."""
    from datetime import timedelta

    from teams.services.spans import today_in

    today = today_in("UTC")
    services.lend_agent(north.agent.pk, south.team.pk, today, today + timedelta(days=1), "help", by=hub.lead)
    client.force_login(south.lead)
    page = client.get(agents()).content.decode()
    assert "North Agent 1" in page and str(OUT_OF_REACH) in page
    assert ">North<" not in page
    detail = client.get(agents(f"{north.agent.pk}/change/"))
    assert detail.status_code == 200 and ">North<" not in detail.content.decode()
    assert client.get(agents(f"{north.agent.pk}/move/")).status_code in (200, 403)


def test_who_can_see_a_team(client, hub, north, south):
    client.force_login(north.lead)
    page = client.get(f"/admin/teams/team/{north.team.pk}/seers/").content.decode()
    assert "hub-hr" in page and "north-lead" in page and "south-lead" not in page
    assert client.get(f"/admin/teams/team/{south.team.pk}/seers/").status_code == 404


def test_the_tree_is_listed_from_the_top(client, hub, north, south):
    make.team("Annex", north.team)
    client.force_login(hub.lead)
    shown = [team.name for team in client.get("/admin/teams/team/").context["cl"].result_list]
    assert shown == ["Hub", "North", "Annex", "South"]


def test_a_verb_page_asks_acts_and_refuses(client, hub, north, south):
    client.force_login(hub.lead)
    address = f"/admin/teams/team/{hub.team.pk}/move/"
    assert client.get(address).status_code == 200
    assert client.delete(address).status_code == 405
    address = f"/admin/teams/team/{north.team.pk}/move/"
    wish = {"parent": north.team.pk, "on": SOME_YEARS_ON, "reason": "x"}
    refused = client.post(address, wish | {"confirmed": "1"})
    assert refused.status_code == 200 and refused.context["form"].non_field_errors()
    client.force_login(hub.operator)
    wish = {"parent": south.team.pk, "on": SOME_YEARS_ON, "reason": "reorganised"}
    asked = client.post(address, wish).content.decode()
    assert 'name="confirmed"' in asked and "south-lead" in asked and "hub-lead" not in asked
    assert not TeamPlacement.objects.filter(team=north.team, parent=south.team).exists()
    done = client.post(address, wish | {"confirmed": "1"}, follow=True)
    assert b"The move has been entered." in done.content
    assert Team.objects.get(pk=north.team.pk).parent == hub.team


def test_skills_are_read_by_grant_holders_and_written_by_the_operator(client, hub, north):
    skill = Skill.objects.create(code="fr", name="French")
    client.force_login(north.lead)
    assert client.get(f"/admin/teams/skill/{skill.pk}/change/").status_code == 200
    assert client.post(f"/admin/teams/skill/{skill.pk}/change/", {"code": "x", "name": "x"}).status_code == 403
    client.force_login(hub.operator)
    client.post(f"/admin/teams/skill/{skill.pk}/change/", {"code": "fr", "name": "Français"})
    assert skill.history.first().history_user == hub.operator
    assert User.objects.count() > 0
