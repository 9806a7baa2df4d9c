"""Whom do listed parties own: rules on ownership as least fixpoints over a graph of stakes known only in part.

`graph` holds the stakes, `reading` the rules with their sources, `spread` carries being blocked from owner to
owned, `standing` says of each entity whether it is blocked for certain, possibly, or cannot be determined,
`chains` why, `completions` draws what is not known; `building` makes graphs and `stakes` reads them from files.

Left to others: who is listed (`abac.parties`, `abac.screening`), and what being owned leads to (the policies).
"""
