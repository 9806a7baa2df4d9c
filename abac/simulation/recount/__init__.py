"""Recount: a report counted again from its rows, by the reference, in plain Python.

`whole` counts, `sample` says of whom, `verify` compares with what was told and names who it is that differs.
Shares nothing with the columnar engine but the population.
"""
