"""What SQL cannot say, and why: the back end's lines of the ledger.

A bounded line marks the listing as not exact: its clause lists too little, its candidates too much, and the caller
decides on each candidate. `tests/backends/test_sql_ledger.py` has an example of every line.
"""

from __future__ import annotations

from abac.backends.ledger import Gap, Standing

LEDGER: tuple[Gap, ...] = (
    Gap("sql", "Definition", "any", Standing.REFUSED, "linking replaces it", "AssertionError"),
    Gap("sql", "Field", "any", Standing.REFUSED, "linking replaces it", "AssertionError"),
    Gap("sql", "Call", "a function of the embedder's", Standing.BOUNDED, "the function is Python"),
    Gap(
        "sql",
        "Call",
        "a shipped function but startsWith, and keyMatch by a written pattern with a star",
        Standing.BOUNDED,
        "no SQL has the same meaning to the letter: `lower` differs beyond ASCII, paths are walked",
    ),
    Gap(
        "sql",
        "Member, AnyOf, AllOf",
        "sets of floats or of date-times, held as JSON",
        Standing.BOUNDED,
        "SQLite rounds decimals its own way, and neither reads every RFC 3339 text; SQL arrays hold both",
    ),
    Gap(
        "sql",
        "AnyOf, AllOf",
        "two columns, one held as JSON and the other as an SQL array",
        Standing.BOUNDED,
        "the two have no operator in common",
    ),
    Gap("sql", "Arithmetic, Call", "more than 6 deep", Standing.BOUNDED, "each level is a sub-select"),
    Gap("sql", "Not, And, Or", "more than 20 deep", Standing.BOUNDED, "SQLite's parser bears some 30 brackets"),
    Gap(
        "sql", "any", "more than 15,000 values", Standing.BOUNDED, "SQLite takes 32,766 parameters to a statement"
    ),
)
"""Every gap of the back end; one that is not here is lowered exactly."""
