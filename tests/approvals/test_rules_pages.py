"""Rules of approval in the admin: read as sentences, written in a form, tried on the past, never for the own team; absences."""

from datetime import timedelta

import pytest
from django.utils import timezone

from approvals import sentences
from approvals.forms import policies as policy_forms
from approvals.models import ApprovalAbsence, ApprovalPolicy
from approvals.plain.policy import read
from approvals.reports import policies as reports
from approvals.services import absences, deciding, policies
from tests.approvals import kinds
from tests.approvals.kinds import lead, person, steps

LIST, WRITE, WHICH = (f"/admin/approvals/approvalpolicy/{page}" for page in ("", "write/", "which/"))
ABSENCES = "/admin/approvals/approvalabsence/"


@pytest.fixture
def above(client, case):
    """The lead of the hub writes north's rules."""
    client.force_login(case.hub.lead)
    return client


def sheet(case, **more):
    fields = {
        "team": case.north.team.pk, "kind": "rename", "do": "look", "most_escalations": 2, "at_expiry": "deny",
        "last_outcome": "steps", "last_s0_mode": "any", "last_s0_source": "grant:LEAD",
    }  # fmt: skip
    return fields | more


LIGHT = {
    "r0_name": "Light ones", "r0_c0_fact": "weight", "r0_c0_is": "at_most", "r0_c0_value": "5", "r0_outcome": "approve"
}  # fmt: skip


def test_rules_are_looked_at_in_words_and_tried_on_the_past_then_kept(above, case):
    light, heavy = case.ask(weight=3), None
    deciding.reject(light.pk, by=case.north.lead, words="no")
    heavy = case.ask(weight=9)
    page = above.post(WRITE, sheet(case, **LIGHT, expire=600, zone="Europe/Lisbon", day0="9:00-12:00, 13:00–18:00"))
    text = page.content.decode()
    assert not ApprovalPolicy.objects.exists()
    assert "If weight is at most 5: approved at once." in " ".join(map(str, page.context["preview"].rules))
    assert "09:00-12:00, 13:00-18:00" in text and "10 business hours" in text
    assert {trial.pk: trial.is_other for trial in page.context["trials"]} == {light.pk: True, heavy.pk: False}
    nothing = above.post(WRITE, sheet(case, **LIGHT, do="keep"))
    assert "Say why" in nothing.content.decode() and not ApprovalPolicy.objects.exists()
    kept = above.post(WRITE, sheet(case, **LIGHT, do="keep", reason="Light ones are routine."))
    made = ApprovalPolicy.objects.get()
    assert kept.headers["Location"] == f"{LIST}{made.pk}/change/"
    assert made.definition["rules"] == [
        {"name": "Light ones", "outcome": "approve", "when": [{"fact": "weight", "is": "at_most", "value": 5}]}
    ]
    read(made.definition, case.kind.facts)


def test_every_field_of_the_form_comes_back_from_what_was_kept(above, case):
    fields = sheet(
        case, **LIGHT, r1_name="Named ones", r1_c0_fact="word", r1_c0_is="among", r1_c0_value="x, y", r1_outcome="deny",
        r1_reason="These names are taken.", r2_outcome="steps", r2_s0_mode="quorum", r2_s0_needed=2,
        r2_s0_source="lead_above:2", r2_s0_fallback="person", r2_s0_fallback_person="hub-lead", r2_s1_mode="all",
        r2_s1_source="on_duty", r2_s1_may_repeat="on", remind=30, escalate=60, expire=90, zone="Asia/Shanghai",
        day0="09:00-18:00", day6="", do="keep", reason="x",
    )  # fmt: skip
    above.post(WRITE, fields)
    kept = ApprovalPolicy.objects.get().definition
    values = policy_forms.filled(kept)
    form = policy_forms.rules_form(case.kind, case.hub.lead)(
        {key: value for key, value in values.items() if value not in (None, False)}, user=case.hub.lead
    )
    assert form.is_valid(), form.errors
    assert form.definition == kept
    words = [str(rule) for rule in reports.in_words(kept, case.kind).rules]
    assert words[1].startswith("If word is one of x, y: refused at once: These names are taken.")
    assert "2 of: the lead of the team 2 levels above. If that is nobody: hub-lead." in words[2]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"r0_outcome": "deny"}, "In rule 1 say why it is denied"),
        ({"r0_outcome": "steps"}, "In rule 1 name one to"),
        ({**LIGHT, "r0_c0_value": ""}, "In rule 1 say what"),
        ({**LIGHT, "r0_c0_value": "many"}, "In rule 1 “weight” is compared with a number"),
        ({"last_s0_source": "person", "last_s0_person": "nobody"}, "In the last word nobody known to you"),
        ({"zone": "Europe/Lisbon", "day0": "nine"}, "On Monday write spans"),
        ({"zone": "Europe/Lisbon"}, "open at some time of the week"),
    ],
)
def test_what_is_wrong_is_said_with_the_rule(above, case, more, said):
    page = above.post(WRITE, sheet(case, **more, do="keep") | {"reason": "x"})
    assert said in page.content.decode().replace("&quot;", '"') and not ApprovalPolicy.objects.exists()


def test_nobody_writes_the_rules_of_the_own_team(client, case):
    client.force_login(case.north.lead)
    choice = client.get(WRITE)
    assert "Nobody writes the rules of the own team" in choice.content.decode()
    assert list(choice.context["form"].fields["team"].queryset) == []
    answer = client.post(WRITE, sheet(case, do="keep", reason="x"))
    assert answer.status_code == 200 and not ApprovalPolicy.objects.exists()
    made = policies.set_policy(case.north.team.pk, "rename", steps(lead()), by=case.hub.lead, reason="ours")
    page = client.get(f"{LIST}{made.pk}/change/")
    assert "Nobody writes the rules" in page.content.decode() and not page.context["write"]
    assert "writes the rules of this one" in client.post(f"{LIST}{made.pk}/drop/", {"reason": "x"}).content.decode()
    client.force_login(case.south.lead)
    assert client.get(f"{LIST}{made.pk}/change/").status_code == 404


def test_versions_stand_with_what_changed_and_the_list_shows_those_in_force(above, case):
    policies.set_policy(case.north.team.pk, "rename", steps(lead()), by=case.hub.lead, reason="first")
    second = policies.set_policy(
        case.north.team.pk, "rename", steps(person(case.hub.lead)), by=case.hub.lead, reason="second"
    )
    page = above.get(f"{LIST}{second.pk}/change/").content.decode()
    assert "<ins>" in page and "first" in page and "second" in page and "One of: hub-lead." in page
    assert [row.pk for row in above.get(LIST).context["cl"].result_list] == [second.pk]
    assert len(above.get(f"{LIST}?versions=all").context["cl"].result_list) == 2
    above.post(f"{LIST}{second.pk}/drop/", {"reason": "not needed"})
    assert not ApprovalPolicy.objects.current().exists()


def test_which_rules_decide(client, case):
    client.force_login(case.north.lead)
    address = f"{WHICH}?team={case.north.team.pk}&kind=rename"
    assert "The standard of this kind" in client.get(address).context["found"].source
    policies.set_policy(case.hub.team.pk, "rename", steps(lead("all")), by=case.hub.operator, reason="for all")
    found = client.get(address).context["found"]
    assert found.source == "Rules of Hub, version 1" and "All of:" in str(found.words)
    assert client.get(f"{WHICH}?team={case.south.team.pk}&kind=rename").context["found"] is None
    client.force_login(case.hub.hr)
    assert client.get(WHICH).status_code == 403


def test_sentences_of_time():
    assert sentences.minutes(1) == "1 business minute"
    assert sentences.minutes(119) == "119 business minutes"
    assert sentences.minutes(120) == "2 business hours"
    assert sentences.minutes(150) == "2 h 30 min of business time"
    week = [[["09:00", "18:00"]]] * 5 + [[], []]
    hours = sentences.Timetable.from_json({"zone": "Asia/Shanghai", "week": week})
    assert sentences.timetable(hours)[1:] == ["Monday to Friday: 09:00-18:00", "Saturday to Sunday: closed"]


def test_a_policy_that_does_not_fit_is_not_opened_in_part(above, case):
    definition = {**steps(lead()), "rules": [{"name": f"r{n}", "outcome": "approve"} for n in range(9)]}
    policies.set_policy(case.north.team.pk, "rename", definition, by=case.hub.lead, reason="many")
    page = above.get(f"{WRITE}?team={case.north.team.pk}&kind=rename").content.decode()
    assert "more than this page holds" in page and 'value="r8"' not in page


# -- absences ----------------------------------------------------------------------------------------------------------------


def test_an_absence_is_announced_shown_and_ended(client, case):
    request = case.ask()
    client.force_login(case.north.lead)
    form = client.get(f"{ABSENCES}announce/").context["form"]
    assert case.hub.lead in form.fields["deputy"].queryset
    until = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    answer = client.post(f"{ABSENCES}announce/", {"deputy": case.hub.lead.pk, "until": until, "kinds": ["rename"]})
    made = ApprovalAbsence.objects.get()
    assert answer.headers["Location"] == f"{ABSENCES}{made.pk}/change/" and made.kinds == ["rename"]
    for who in (case.north.lead, case.hub.lead):
        client.force_login(who)
        page = client.get(f"{ABSENCES}{made.pk}/change/").content.decode()
        assert f"word {case.skill.pk}" in page and f"/approvalrequest/{request.pk}/change/" in page
        assert "hub-lead for north-lead" in client.get(ABSENCES).content.decode()
    assert client.post(f"{ABSENCES}{made.pk}/end/").status_code == 403
    client.force_login(case.south.lead)
    assert client.get(f"{ABSENCES}{made.pk}/change/").status_code == 404
    client.force_login(case.north.lead)
    client.post(f"{ABSENCES}{made.pk}/end/", {"reason": "back"})
    assert not ApprovalAbsence.objects.now().exists()


def test_t88_a_deputy_of_the_requester_does_not_decide(client, case):
    request = case.ask(by=case.north.lead)
    absences.announce(
        deputy=case.hub.lead.pk, since=None, until=timezone.now() + timedelta(days=1), reason="", by=case.north.lead
    )
    client.force_login(case.hub.lead)
    address = f"/admin/approvals/approvalrequest/{request.pk}/approve/"
    request.refresh_from_db()
    page = client.post(address, {"version": request.version}).content.decode()
    assert "You act for somebody who asked for this" in page
    request.refresh_from_db()
    assert request.state == "in_review" and kinds.effects(case.skill) == 0
