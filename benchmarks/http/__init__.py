"""The decision point against its peers over HTTP, on one machine in one run.

`make bench-peers-http` starts every server in turn with the same policy, checks its answers, loads it with
`wrk`, and writes `RESULTS.md`. What counts is the processor time of the server for a request; `wrk` runs beside
it.
"""
