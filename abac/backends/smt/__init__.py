"""The SMT back end: conditions and policy trees as Boolean formulas over all requests of a schema.

Exact on plain tests, over the three truths, assurance demands, and partly known sets of any size; what is outside
the encoding is open, and told (`backends.ledger`). Asking questions of the formulas is `proof`'s part.
"""

from abac.backends.smt.bits import ScalarBits, SetBits
from abac.backends.smt.circuit import NO, YES, Circuit, Halted, Lit, Pair
from abac.backends.smt.combine import Lowered, Stands, lower, lower_without
from abac.backends.smt.conditions import Lowering, Open
from abac.backends.smt.model import Model
from abac.backends.smt.reading import Reading
from abac.backends.smt.sides import View
from abac.backends.smt.solver import Guard, Solver
from abac.backends.smt.world import World

__all__ = [
    "NO",
    "YES",
    "Circuit",
    "Guard",
    "Halted",
    "Lit",
    "Lowered",
    "Lowering",
    "Model",
    "Open",
    "Pair",
    "Reading",
    "ScalarBits",
    "SetBits",
    "Solver",
    "Stands",
    "View",
    "World",
    "lower",
    "lower_without",
]
