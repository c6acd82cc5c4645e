"""How Outpost comes to run on a machine: its environment, its embedded servers and the one supervisor.

Everything but `prepare`, `leash` and `testing` keeps to the standard library (and the driver, once it is
there), since it works before the environment exists and stays in memory for as long as Outpost runs.
"""
