"""Recording: every decision leaves an entry, and nothing but a recorded PERMIT permits.

`point` decides and records, `answer` is what it gives; `modes` says what must be durable before an answer leaves,
and `scope` where a directive in force demands it; `groups` gathers entries, `sinks` write a group to the log or to
a journal, `merging` brings journals into the log; `shadow` lets a draft revision decide beside the active one.
"""
