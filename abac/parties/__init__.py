"""Parties: persons and organisations as lists and registers name them, read strictly and with nothing lost.

`party` is what is known of one, `followthemoney`, `consolidated`, `table` and `named` read the formats, `reading`
chooses among them. A record with a fault is left out of what is used, listed with its place, and counted.

Left to others: who is the same as whom (`abac.screening`), and who owns whom (`abac.ownership`).
"""
