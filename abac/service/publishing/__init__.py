"""Publishing: from a folder of policies to what is in force, and back to what was in force when.

`folder` compiles, `publish` is the order of effects, `difference` says what changed between two programs,
`timeline` what was in force at each moment as known then and as known now. Who may publish what, and the two
persons it takes, are enforced by `storage.policies`; showing it is the doors' part.
"""
