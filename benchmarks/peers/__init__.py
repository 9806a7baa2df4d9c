"""One policy in the languages of ten engines: whether they agree, and what a decision costs in each.

`make bench-peers` installs the peers into an environment of their own and runs `python -m benchmarks.peers` there.
One module per peer; `workload` has the policy and the requests, `clock` times, `run` compares, `results` writes.
"""
