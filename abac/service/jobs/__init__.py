"""Simulations as jobs: each a process of its own that writes what happens to a file, so that decisions stay fast.

`named` says which scenarios and populations there are, `running` starts and ends jobs and reads how they do,
`simulating` is what the process does. Who may start one is the door's part.
"""
