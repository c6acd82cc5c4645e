"""Coming in: sessions and tokens, the second factor, tries and locks. Doors, verbs and rules of the log-in live here."""
