"""`abac.Enforcer`: in place of `casbin.Enforcer`, with the same answers, compiled, and with `decide` beside them.

    >>> from abac.enforcer import Enforcer
    >>> e = Enforcer("tests/enforcer/examples/abac.conf", "tests/enforcer/examples/abac.csv")
    >>> e.enforce({"age": 30}, "/data", "read")
    True
    >>> e.decide({}, "/data", "read").unknown
    ('subject.age',)

What stock pycasbin does otherwise is listed in `ledger`.
"""

from abac.enforcer.classes import AsyncEnforcer, Enforcer, SyncedEnforcer
from abac.enforcer.state import FallbackWarning

__all__ = ["AsyncEnforcer", "Enforcer", "FallbackWarning", "SyncedEnforcer"]
