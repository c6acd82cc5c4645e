"""Where the minutes and findings of a day come from that count for pay: one list, asked by sets.

Each source is a SELECT of (agent_id, day, what, amount) between %(first)s and %(last)s. `what` is a cause of
`incentives.plain.terms.CAUSES`, or "planned" (the minutes of a day by its roster), "critical" (failures of quality) or
"certificate" (signed on that day). Amounts of one cause add up, but for the share of a learner, of which the smallest counts.
Whoever comes to know such minutes better, as a roster does, adds a line here; until then they are recorded by people.
"""

RECORDED = """
SELECT agent_id, day, what, amount FROM incentives_dayrecord WHERE day BETWEEN %(first)s AND %(last)s
"""
SOURCES: tuple[str, ...] = (RECORDED,)
CERTIFIED_FOR = "12 months"  # security training is due every twelve months


def spent() -> str:
    """All sources as one SELECT, for a FROM clause."""
    return " UNION ALL ".join(f"({source})" for source in SOURCES)
