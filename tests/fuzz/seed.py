"""The seed of a run: given, to repeat one, or drawn anew; printed with every failure. All workers of a run have the same."""

import os
import random

_run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or None
SEED = int(os.environ.get("FUZZ_SEED") or 0) or random.Random(_run).randrange(1, 1 << 31)
