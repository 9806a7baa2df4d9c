"""Ways to evaluate a condition, each held equal to the reference by test and importing no other.

`closure` answers one request at a time, `columnar` a whole population, `sql` the rows of a table; `ledger` lists
what each cannot lower.
"""
