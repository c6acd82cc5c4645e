"""What Outpost is made of beside its own code: locked packages and vendored files, their licences, their known flaws.

    python3 -m config.supply licences [--check]     write docs/licences.md, or fail where it is not current
    python3 -m config.supply bom [FILE]             the bill of materials as CycloneDX JSON
    python3 -m config.supply audit                  known flaws, where the advisory service answers

Everything starts from the lock files, so the same commit gives the same bytes. Nothing here needs the settings.
"""
