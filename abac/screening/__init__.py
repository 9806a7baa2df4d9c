"""Is this one on the list: exact, possible or none, by identifiers first, then by names and what supports them.

`names` makes names comparable, `evidence` weighs what else is known, `match` answers, `disposition` keeps what
named reviewers decided about possible matches, and `measure` counts how often a threshold is right on a list.

Left to others: reading lists and files (`abac.parties`), and what being listed leads to (the policies).
"""
