"""Administration over HTTP: revisions, directives, the audit log, explanations, simulations and keys.

Ordinary FastAPI routes; each demands a role, by which of `guarding.Routes` it was added to. Who acts is whoever
holds the key, never what a body says. What an act does is `storage.policies`' and `service`'s part.
"""

from abac.rest.administration.mounting import mount

__all__ = ["mount"]
