"""Backups from inside the suite: what a copy must hold is noted, the copy is made, restored every night, and looked at."""
