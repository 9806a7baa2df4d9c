"""The columnar back end: decide millions of subjects at once, on dictionary-encoded Polars columns.

Atoms become Polars expressions or tables over dictionaries, truths become bit sets, and rules and combining
algorithms become word-wise operations on them. `ledger` says what it cannot lower.
"""

from abac.backends.columnar.decide import decide_many, decisions, obligations, truths
from abac.backends.columnar.frame import Frame
from abac.backends.columnar.prepared import Answer, Prepared
from abac.backends.columnar.scan import batches, scan

__all__ = ["Answer", "Frame", "Prepared", "batches", "decide_many", "decisions", "obligations", "scan", "truths"]
