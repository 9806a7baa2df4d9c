"""Recording: every decision leaves an entry, and nothing but a recorded PERMIT permits.

`point` decides and records, `answer` says in which modes and what comes of it, `scope` asks where a directive in
force demands the log. `recorder` is a worker's queues and threads: `groups` gathers entries, `sinks` write a group
to the log or to a journal, `merging` brings journals into the log. `shadow` lets a draft revision decide beside.
"""
