"""Rules, policies and policy sets: the tree that a program decides by.

Compilation fills it from Casbin rows and directives; `policy.reference` says what it means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from abac.condition.expr import Condition
from abac.policy.decision import UNCITED, Citation, Effect, Obligation


class Algorithm(Enum):
    """How the answers of children combine (XACML 3.0 appendix C), in the forms that omission cannot fool.

    The two `xacml-` forms are the standard's own. They break omission safety and exist for conformance only.
    """

    DENY_OVERRIDES = "deny-overrides"
    PERMIT_OVERRIDES = "permit-overrides"
    FIRST_APPLICABLE = "first-applicable"
    DENY_UNLESS_PERMIT = "deny-unless-permit"
    PERMIT_UNLESS_DENY = "permit-unless-deny"
    XACML_FIRST_APPLICABLE = "xacml-first-applicable"
    XACML_PERMIT_UNLESS_DENY = "xacml-permit-unless-deny"

    @property
    def in_order(self) -> bool:
        """Whether the order of children matters."""
        return self in (Algorithm.FIRST_APPLICABLE, Algorithm.XACML_FIRST_APPLICABLE)


SAFE = tuple(a for a in Algorithm if not a.value.startswith("xacml-"))
"""The five algorithms for which omission safety holds."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An effect with a condition, and the obligations that go with the effect."""

    id: str
    effect: Effect
    condition: Condition
    obligations: tuple[Obligation, ...] = ()
    citation: Citation = UNCITED


@dataclass(frozen=True, slots=True)
class ObligationRule:
    """A condition, obligations, and the decision they ride on; takes no part in combining."""

    id: str
    rides_on: Effect
    condition: Condition
    obligations: tuple[Obligation, ...]
    citation: Citation = UNCITED


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules under one algorithm. With `default_deny`, what no rule decides is denied."""

    id: str
    algorithm: Algorithm
    rules: tuple[Rule, ...] = ()
    obligation_rules: tuple[ObligationRule, ...] = ()
    default_deny: bool = False


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Policies, or further sets, under one algorithm."""

    id: str
    algorithm: Algorithm
    children: tuple[Policy | PolicySet, ...] = ()
    default_deny: bool = False


def policies(root: Policy | PolicySet) -> Iterator[Policy]:
    """Yield the policies of a tree, in order."""
    if isinstance(root, Policy):
        yield root
    else:
        for child in root.children:
            yield from policies(child)
