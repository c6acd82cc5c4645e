"""The checklists an organisation starts from: joining a remote team, and leaving it. Plain JSON values, ready to be changed."""

from typing import Any

from django.utils.translation import gettext_noop as _

EVERYBODY: dict[str, list[str]] = {"roles": [], "sites": [], "countries": []}


def joining() -> dict[str, Any]:
    """From the contract to working alone, counted from the first day. Whatever a live contact needs blocks it."""
    return {
        "name": _("Joining"),
        "tasks": [
            # before the first day
            _task("contract", _("Sign the contract"), -10, "hire", "signature", weight=2),
            _task("identity", _("Hand in proof of identity"), -10, "hire", "file"),
            _task("equipment_ordered", _("Order laptop, headset and second screen"), -10, "it", "link"),
            _task("accounts_requested", _("Ask for the accounts"), -5, "lead"),
            _task("mentor_named", _("Name the mentor"), -5, "trainer"),
            _task("private_room", _("Show the private room and desk"), -5, "hire", "file", blocks=True),
            _task("backup_line", _("Have a second way into the network, such as a phone"), -5, "hire", "file"),
            _task("power_backup", _("Have power for an hour without the mains"), -5, "hire", "file", optional=True),
            _task("desk_photo", _("Send a photo of the clean desk"), -3, "hire", "file", optional=True),
            _task("data_plan", _("Ask for the allowance for the data plan"), -3, "hire", optional=True),
            _task(
                "equipment_received", _("Confirm that the equipment has come"), -3, "hire", "signature",
                after=["equipment_ordered"], blocks=True,
            ),
            _task(
                "network_test", _("Measure the network at the desk, by cable or close to the router"), -3, "hire",
                limits=[
                    _limit(_("Download rate"), "Mbit/s", at_least="25"),
                    _limit(_("Upload rate"), "Mbit/s", at_least="5"),
                    _limit(_("Delay"), "ms", at_most="150"),
                    _limit(_("Jitter"), "ms", at_most="30"),
                    _limit(_("Packets lost"), "%", at_most="1"),
                ],
                blocks=True, weight=3,
            ),
            # the first day
            _task(
                "accounts_ready", _("Hand over the accounts"), 0, "it", after=["accounts_requested", "contract"],
                blocks=True, weight=2,
            ),
            _task(
                "mfa", _("Set up the second factor"), 0, "hire", "signature", after=["accounts_ready"], blocks=True,
                weight=2,
            ),
            _task(
                "vpn", _("Connect through the VPN"), 0, "hire", "signature",
                after=["equipment_received", "accounts_ready", "mfa"], blocks=True, weight=2,
            ),
            _task(
                "headset", _("Make a test call with the headset"), 0, "hire",
                limits=[_limit(_("Mean opinion score"), _("of 5"), at_least="3.8")], after=["equipment_received", "vpn"],
                blocks=True,
            ),
            _task(
                "security_policy", _("Read and sign the security policy"), 0, "hire", "signature", blocks=True, weight=2,
            ),
            _task(
                "data_policy", _("Read and sign the policy on customer data: no public network, nobody listening"), 0,
                "hire", "signature", blocks=True, weight=2,
            ),
            _task("house_rules", _("Read and sign the rules of remote work"), 0, "hire", "signature"),
            _task("welcome", _("Meet the team and the mentor"), 0, "lead", after=["mentor_named"]),
            # the first week
            _task("tool_tour", _("Walk through the tools"), 1, "trainer", after=["vpn"]),
            _task(
                "security_training", _("Complete the security training"), 2, "hire", "signature", after=["security_policy"],
                blocks=True, weight=3,
            ),
            _task("shadowing", _("Listen in on live contacts"), 3, "mentor", after=["welcome", "tool_tour"], weight=2),
            _task(
                "simulated", _("Answer the first simulated tickets"), 5, "hire", "link", after=["tool_tour"], blocks=True,
                weight=3,
            ),
            # until working alone
            _task("first_review", _("Go through the first contacts together"), 10, "mentor", "link", after=["simulated"]),
            _task("month_talk", _("Talk about the first month"), 20, "lead", "signature", after=["first_review"]),
            _task("gate", _("Decide on working alone"), 22, "trainer", "signature", after=["first_review"], weight=3),
        ],
    }  # fmt: skip


def leaving() -> dict[str, Any]:
    """What is handed back and closed, counted from the last day. Access ends on that day, before anything else may slip."""
    return {
        "name": _("Leaving"),
        "tasks": [
            _task("last_day", _("Confirm the last day and tell IT and payroll"), -10, "hr", "signature", weight=2),
            _task("handover", _("Hand over open work and follow-ups"), -3, "lead", "link", after=["last_day"]),
            _task("approvals", _("Give open approvals and delegations to others"), -1, "lead", after=["last_day"], weight=2),
            _task("learners", _("Give the learners of a mentor to another mentor"), -1, "trainer", after=["last_day"]),
            _task("access", _("Remove all access: accounts, VPN, second factor, tokens"), 0, "it", "signature", weight=3),
            _task("shifts", _("Take the person off shifts and queues to come"), 0, "lead"),
            _task("return_label", _("Send the label for returning the equipment"), 0, "it", "link", after=["last_day"]),
            _task(
                "equipment_back", _("Confirm that the equipment has come back"), 10, "it", "signature",
                after=["return_label"], weight=2,
            ),
            _task("wipe", _("Wipe the equipment"), 12, "it", "signature", after=["equipment_back"]),
            _task("statement", _("Issue the last incentive statement"), 10, "hr", "link", after=["last_day"], weight=2),
            _task("exit_talk", _("Talk about the reasons for leaving"), -1, "hr", optional=True),
        ],
    }  # fmt: skip


def _task(
    key: str, title: str, offset: int, owner: str, kind: str = "none", *, after: list[str] | None = None,
    limits: list[dict[str, Any]] | None = None, blocks: bool = False, optional: bool = False, weight: int = 1,
) -> dict[str, Any]:  # fmt: skip
    return {
        "key": key, "title": title, "offset": offset, "owner": owner, "depends_on": after or [],
        "evidence": {"kind": "measured" if limits else kind, "limits": limits or []},
        "blocks_live": blocks, "is_optional": optional, "weight": weight, "only_for": EVERYBODY,
    }  # fmt: skip


def _limit(name: str, unit: str, *, at_least: str | None = None, at_most: str | None = None) -> dict[str, Any]:
    return {"name": name, "unit": unit, "at_least": at_least, "at_most": at_most}
