"""The second wall in the catalogue of PostgreSQL and at its edges: what stands there, whom it knows, and when it ends."""

import ast
import contextlib
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.test import Client
from django.test.utils import isolate_apps

from teams import acting, database_roles, walls
from teams.models import Agent, Compensation, Loan, Membership, Team
from teams.querysets import DatedQuerySet
from teams.scoping import Grant, TeamScopedQuerySet
from tests import make
from tests.access import world as worlds

# Every place that looks beyond the reach of whoever asks. A new one is a decision: write it here, with its reason in the code.
SYSTEM_PLACES = {
    "approvals/reports/offers.py": ["offers"],
    "approvals/reports/policies.py": ["deciding"],
    "approvals/reports/requests.py": ["request_page"],
    "approvals/services/absences.py": ["announce", "end"],
    "approvals/services/applying.py": ["apply_again", "undo", "work"],
    "approvals/services/clocks.py": ["ring"],
    "approvals/services/deciding.py": [
        "approve", "approve_by_rule", "break_glass", "escalate", "reject", "review_glass", "send_back",
    ],
    "approvals/services/policies.py": ["_take_team", "drop_policy", "set_policy"],
    "approvals/services/requests.py": [
        "ask", "comment", "edit", "submit", "take", "withdraw", "withdraw", "withdraw_by_rule",
    ],
    "approvals/reports/statuses.py": ["answer_to", "waiting_of"],
    "approvals/services/employment.py": ["may_ask"],
    "approvals/services/statuses/breaks.py": ["ask_break", "may_ask"],
    "approvals/services/statuses/corrections.py": ["may_ask"],
    "approvals/services/statuses/needing.py": ["_set"],
    "approvals/services/statuses/overruns.py": ["_serve", "tell_overruns"],
    "approvals/services/statuses/people.py": ["whose"],
    "approvals/services/statuses/setting.py": ["set_status", "set_status"],
    "approvals/services/undoable.py": ["_serve"],
    "approvals/services/reply_rules.py": ["set_rules", "rename_category", "remove_category", "_above"],
    "approvals/services/reply_uses.py": ["use"],
    "approvals/services/blacklist/asking.py": ["ask"],
    "approvals/services/blacklist/checking.py": ["_matched"],
    "approvals/services/blacklist/subjects.py": ["_under"],
    "incentives/kinds/disputes.py": ["may_ask"],
    "incentives/kinds/publication.py": ["ask_publication"],
    "incentives/kinds/releases.py": ["ask_release"],
    "incentives/reports/months.py": ["_stages", "month_page"],
    "incentives/reports/progress.py": ["progress"],
    "incentives/reports/statements.py": ["detail"],
    "incentives/services/batches.py": ["make_batch", "make_correction"],
    "incentives/services/night.py": ["tell_evening"],
    "incentives/services/plans.py": ["close_plan", "acknowledge"],
    "incentives/services/records.py": ["record_day"],
    "incentives/services/runs.py": ["calculate", "send_to_review"],
    "incentives/services/simulating.py": ["simulate", "work"],
    "performance/api/intake.py": ["authenticate"],
    "performance/services/intake.py": ["take_in_rows", "_take"],
    "performance/services/targets.py": ["target_for"],
    "performance/services/tray.py": ["waiting", "replace"],
    "performance/reports/mine.py": ["goals"],
    "performance/tree.py": ["below", "with_those_above"],
    "performance/views/mine.py": ["my_contact", "my_contacts"],
    "performance/views/people.py": ["agent_figures"],
    "teams/audit.py": ["delete_with_history", "record_look"],
    "teams/edges/viewing.py": ["__call__"],
    "teams/edges/filestore.py": ["_save", "delete", "exists", "_row", "readinto"],
    "performance/querysets.py": ["called"],
    "performance/services/phones.py": ["_reveal", "drop_of", "has_number"],
    "teams/entry/ending.py": ["tell"],
    "teams/entry/factor.py": ["is_required"],
    "teams/grants.py": ["known_people"],
    "teams/services/channels.py": ["remove_robot", "try_channel"],
    "teams/jobs.py": ["_end_cancelled"],
    "teams/undoing.py": ["_moves", "_lock_and_compare", "_restore"],
    "teams/services/copies.py": ["_ask"],
    "teams/services/delegating.py": ["delegate", "end_delegation", "end_unfounded"],
    "teams/services/erasure.py": ["ask_customer_erasure", "ask_erasure", "confirm_erasure", "preview"],
    "teams/services/viewing.py": ["stop_viewing"],
    "teams/sight.py": ["explain", "seers", "shifts"],
    "teams/services/pay.py": ["set_compensation"],
    "teams/services/people.py": [
        "_take_team", "add_agent", "cancel_planned_transfer", "change_zone", "end_loan", "leave", "lend_agent", "move_agent",
        "return_agent", "take_home_agent",
    ],
    "teams/services/tree.py": ["create_team", "create_team"],
}  # fmt: skip
WHOLE_PROCESSES = {"config/celery.py", "config/runtime/entry.py", "config/runtime/prepare.py"}


def rows(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


# -- the catalogue -----------------------------------------------------------------------------------------------------


def findings(registry: Any = None) -> list[str]:
    """Everything in the catalogue that is not as it should be. Empty in a healthy database."""
    declared, bare = walls.declared(registry) if registry else walls.declared()
    found = [f"{label} has neither a scoped queryset nor a reason in walls.OUTSIDE" for label in bare]
    standing = {table: (forced, lines) for table, forced, lines in rows(walls.STANDING)}
    for table, wall in declared.items():
        forced, lines = standing.get(table, (False, []))
        if not forced:
            found.append(f"{table}: row security is not enabled and forced")
        if lines != [f"{name} {wall.mark}" for name in sorted(wall.policies())]:
            found.append(f"{table}: its policies are not those declared: {lines}")
    found += [f"{part} is a partition open by its own name" for (part,) in rows(walls.OPEN_PARTITIONS)]
    found += [
        f"{name} is a view or a table outside Django that web could read"
        for (name,) in rows(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace "
            "AND c.relkind IN ('v', 'm', 'f') "
            "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
        )
    ]
    return found


@pytest.mark.django_db
def test_every_table_has_its_wall_or_a_reason():
    assert findings() == []
    known = {model._meta.label_lower for model in walls.apps.get_models(include_auto_created=True)}
    apps_known = {label.partition(".")[0] for label in known}
    stale = [
        label
        for label in {**walls.OUTSIDE, **walls.SYSTEM_ONLY}
        if label not in known | apps_known | {"admin", "guardian"}
    ]
    assert stale == []


@pytest.mark.django_db
def test_tables_that_django_does_not_know_are_walled_or_named():
    """A table made by hand in a migration is no side door either."""
    known = {model._meta.db_table for model in walls.apps.get_models(include_auto_created=True)} | {"django_migrations"}
    others = rows(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') "
        "AND NOT (c.relrowsecurity AND c.relforcerowsecurity) AND NOT c.relname = ANY(%s)",
        list(known),
    )
    assert others == []


@pytest.mark.django_db
def test_policies_say_word_for_word_what_is_declared():
    """The mark beside a policy could lie: written anew from the declaration, each must read the same in the catalogue."""
    asked = (
        "SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2"
    )
    before = rows(asked)
    declared = walls.declared()[0]
    assert {row[0] for row in before} == set(declared), "a policy on a table that declares none"
    for wall in declared.values():
        for statement in walls.statements(wall, list(wall.policies())):
            rows(statement)
    assert rows(asked) == before


@pytest.mark.django_db
def test_a_bad_model_is_caught_and_one_line_mends_it():
    with isolate_apps("teams") as registry:

        class Note(models.Model):  # noqa: DJ008
            team = models.ForeignKey(Team, models.CASCADE, related_name="+")
            text = models.CharField(max_length=20)

            class Meta:
                app_label = "teams"

        with connection.schema_editor() as editor:
            editor.create_model(Note)
        assert "teams.note has neither a scoped queryset nor a reason in walls.OUTSIDE" in findings(registry)

    with isolate_apps("teams") as registry:

        class Note(models.Model):  # type: ignore[no-redef] # noqa: DJ008
            team = models.ForeignKey(Team, models.CASCADE, related_name="+")
            text = models.CharField(max_length=20)
            objects = TeamScopedQuerySet.as_manager()  # the one line

            class Meta:
                app_label = "teams"

        assert any("teams_note: row security is not enabled" in line for line in findings(registry))
        assert walls.raise_all(registry) == ["teams_note"]
        assert findings(registry) == []
        north, south = make.team("North"), make.team("South")
        lead = make.user("lead-of-note")
        make.grant(lead, north, Grant.LEAD)
        for team in (north, south):
            Note.objects.create(team=team, text=team.name)
        with acting.acting_for(lead):
            assert [note.text for note in Note.objects.all()] == ["North"]
            with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
                Note.objects.create(team=south, text="planted")


@pytest.mark.django_db
def test_a_new_month_is_closed_by_its_own_name():
    with connection.cursor() as cursor:
        cursor.execute("SELECT performance_make_partitions('2031-01-01', '2031-01-31')")
        cursor.execute(
            "SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = 'performance_contact_2031_01'"
        )
        assert cursor.fetchone() == (True,)


@pytest.mark.django_db
def test_the_login_of_the_tests_may_not_walk_past_policies():
    assert rows("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == [(False, False)]


# -- who sees what -----------------------------------------------------------------------------------------------------


def full_tables() -> list[str]:
    """The walled tables that hold a row: of the models all, of what follows them what has been written."""
    worlds.build_whole()
    full = [
        table for table in sorted(walls.declared()[0]) if rows(f'SELECT EXISTS (SELECT FROM "{table}")') == [(True,)]
    ]
    own = {model._meta.db_table for model in walls.apps.get_models() if walls.wall_of(model)}
    assert own <= set(full), "tests/access/world.py makes no row for these"
    return full


@pytest.mark.django_db
def test_an_empty_scope_sees_no_row_of_any_walled_table():
    full = full_tables()
    for scope in ("", "nobody", "person", "SYSTEM", "system "):
        rows("SELECT set_config('outpost.scope', %s, true)", scope)
        assert [table for table in full if rows(f'SELECT EXISTS (SELECT FROM "{table}")') == [(True,)]] == [], scope
    rows("SELECT set_config('outpost.scope', 'system', true)")


@pytest.mark.django_db
def test_an_empty_scope_takes_no_row_of_any_walled_table():
    """One condition guards all that is written. A DELETE without WHERE reads nothing, so no policy of reading helps."""
    full = full_tables()
    rows("SELECT set_config('outpost.scope', '', true)")
    taken = []
    for table in full:
        with contextlib.suppress(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f'DELETE FROM "{table}"')
            if not cursor.rowcount:
                continue
        taken.append(table)
    assert taken == []


@pytest.mark.django_db
def test_writing_needs_the_write_grant_of_the_declaration(north: Any, south: Any, hub: Any):
    foreign = south.agent
    with acting.acting_for(north.lead):
        assert Agent.objects.filter(pk=foreign.pk).update(name="Taken over") == 0
        assert Team.objects.filter(pk=south.team.pk).update(name="Taken over") == 0
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Agent.objects.filter(pk=north.agent.pk).update(team=south.team)  # pushed into a team out of reach
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            Compensation.objects.create(
                agent=north.agent, amount=1, currency="CNY", span=make.DateRange(make.LONG_AGO, None)
            )
    with acting.acting_for(north.agent.user):
        assert list(Agent.objects.all()) == [north.agent]
        assert Agent.objects.update(name="Mine") == 0
        assert Membership.objects.filter(agent=north.agent).delete()[0] == 0
    foreign.refresh_from_db()
    assert foreign.name == "South Agent 1"


@pytest.mark.django_db
def test_system_scope_ends_where_it_ends_also_after_an_error(north: Any, south: Any):
    with acting.acting_for(north.lead):
        own = set(Agent.objects.all())
        with acting.system_scope("a test"):
            assert set(Agent.objects.all()) > own
        assert set(Agent.objects.all()) == own
        with pytest.raises(DatabaseError), transaction.atomic(), acting.system_scope("a test that fails"):
            rows("SELECT 1 / 0")
        assert set(Agent.objects.all()) == own
        with acting.acting_for(south.lead):
            assert south.agent in Agent.objects.all() and north.agent not in Agent.objects.all()
        assert set(Agent.objects.all()) == own
    assert acting.current() == (acting.SYSTEM, None) and Agent.objects.count() == 4


@pytest.mark.django_db
def test_a_scope_needs_a_transaction_and_a_reason(north: Any):
    with pytest.raises(ValueError, match="say why"), acting.system_scope(""):
        pass
    with pytest.raises(ValueError, match="say why"):
        acting.whole_process("")


@pytest.mark.django_db(transaction=True)
def test_t28_a_scope_never_reaches_the_next_transaction_on_the_connection(north: Any, south: Any):
    """On a connection that says nothing of itself, as a web process has: after COMMIT and after ROLLBACK nothing is left."""
    details = connection.get_connection_params()
    details = {key: details[key] for key in ("dbname", "user", "password", "host", "port") if details.get(key)}
    with psycopg.connect(**details, autocommit=True) as link:
        count = "SELECT count(*) FROM teams_agent"
        assert link.execute(count).fetchone() == (0,)
        for ending in ("COMMIT", "ROLLBACK"):
            link.execute("BEGIN")
            link.execute("SELECT outpost_enter(%s)", [north.lead.pk])
            assert link.execute(count).fetchone() == (2,)
            link.execute(ending)
            assert link.execute(count).fetchone() == (0,)
    _roles_hold(details)


def _roles_hold(details: dict[str, Any]) -> None:
    """Where the server has our roles and lets us in as them (the embedded one): they own nothing and may what they must."""
    if set(database_roles.present()) != set(database_roles.ROLES) or settings.DATABASE_URL:
        return
    database_roles.give_rights()
    for role in database_roles.ROLES:
        assert rows(
            "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = %s", role
        ) == [(0,)]
        assert rows("SELECT rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = %s", role) == [
            (False, False, role == database_roles.BACKUP)
        ]
    for role in database_roles.WRITERS:
        with psycopg.connect(**{**details, "user": role}, autocommit=True) as link:
            assert link.execute("SELECT count(*) FROM teams_agent").fetchone() == (0,)
            for forbidden in (
                "ALTER TABLE teams_agent DISABLE ROW LEVEL SECURITY",
                "DROP POLICY wall_read ON teams_agent",
                "SET ROLE app",
                "TRUNCATE teams_notice",
                "DELETE FROM django_migrations",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    link.execute(forbidden)
            assert link.execute("SELECT performance_make_partitions('2032-01-01', '2032-01-31')").fetchone() == (3,)
            with connection.cursor() as cursor:
                for fact in ("contact", "leg", "stateinterval"):
                    cursor.execute(f"DROP TABLE performance_{fact}_2032_01")
    with psycopg.connect(**{**details, "user": database_roles.REPORT}, autocommit=True) as link:
        assert link.execute("SELECT count(*) FROM teams_agent").fetchone() == (4,)
        for forbidden in ("SELECT 1 FROM teams_compensation", "SELECT 1 FROM teams_user", "DELETE FROM teams_agent"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                link.execute(forbidden)
    with psycopg.connect(**{**details, "user": database_roles.BACKUP}, autocommit=True) as link:
        assert link.execute("SELECT count(*) FROM teams_agent").fetchone() == (4,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            link.execute("DELETE FROM teams_agent")


@pytest.mark.django_db
def test_t29_where_the_reach_cannot_be_worked_out_the_answer_is_500_without_rows(north: Any):
    client = Client(raise_request_exception=False)
    client.force_login(north.lead)
    assert north.agent.name in client.get("/admin/teams/agent/").content.decode()
    with transaction.atomic():
        rows(
            "CREATE OR REPLACE FUNCTION outpost_enter(person bigint) RETURNS text LANGUAGE sql AS 'SELECT (1 / 0)::text'"
        )
        answer = client.get("/admin/teams/agent/")
        transaction.set_rollback(True)
    assert answer.status_code == 500 and north.agent.name not in answer.content.decode()
    assert acting.current() == (acting.SYSTEM, None)


@pytest.mark.django_db
def test_a_failed_request_leaves_nothing_behind(north: Any, monkeypatch: pytest.MonkeyPatch):
    """An answer of class 5xx takes back what the view had written; a refusal keeps what is meant to stay."""
    from performance.views import people
    from teams.models import AccessRecord

    client = Client(raise_request_exception=False)
    client.force_login(north.lead)
    assert client.get(f"/admin/people/{north.agent.pk}/").status_code == 200
    assert AccessRecord.objects.get().times == 1
    monkeypatch.setattr(people, "TemplateResponse", lambda *given: 1 / 0)
    assert client.get(f"/admin/people/{north.agent.pk}/").status_code == 500
    assert AccessRecord.objects.get().times == 1


@pytest.mark.django_db
def test_lent_people_and_former_days_stay_readable(north: Any, south: Any):
    today = make.date.today()
    Loan.objects.create(
        agent=south.agent, team=north.team, span=make.DateRange(today, today.replace(year=today.year + 1))
    )
    with acting.acting_for(north.lead):
        assert south.agent in Agent.objects.all() and south.agents[1] not in Agent.objects.all()


# -- the places that look further --------------------------------------------------------------------------------------


def test_every_place_that_acts_as_the_system_is_listed():
    found: dict[str, list[str]] = {}
    processes = set()
    for path in sorted(Path(settings.BASE_DIR).glob("*/**/*.py")):
        where = path.relative_to(settings.BASE_DIR).as_posix()
        if where.startswith((".", "tests/", "benchmarks/")) or where == "teams/acting.py":
            continue
        tree = ast.parse(path.read_text())
        aliases = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign) and _is_call(node.value, "system_scope")
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            used = [node for node in ast.walk(function) if _is_call(node, "system_scope")]
            used += [node for node in function.decorator_list if isinstance(node, ast.Name) and node.id in aliases]
            if used:
                found.setdefault(where, []).extend([function.name] * len(used))
        if any(_is_call(node, "whole_process") for node in ast.walk(tree)):
            processes.add(where)
    assert {path: sorted(names) for path, names in found.items()} == {
        path: sorted(names) for path, names in SYSTEM_PLACES.items()
    }
    assert processes == WHOLE_PROCESSES


def _is_call(node: ast.AST, name: str) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return (called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")) == name


def test_every_scoped_queryset_that_overrides_a_verb_says_its_own_wall():
    """A class whose `visible_to` or `in_teams` differs from the general one would get a policy that knows nothing of it."""
    wrong = []
    for model in walls.apps.get_models():
        queryset = type(model._default_manager.all())
        overrides = issubclass(queryset, TeamScopedQuerySet) and (
            queryset.visible_to is not TeamScopedQuerySet.visible_to
            or queryset.in_teams is not TeamScopedQuerySet.in_teams
        )
        if overrides and not hasattr(queryset, "wall"):
            wrong.append(model._meta.label)
    assert wrong == []
    assert DatedQuerySet.visible_to is TeamScopedQuerySet.visible_to
