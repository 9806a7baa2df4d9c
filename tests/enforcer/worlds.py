"""Small Casbin models with rows, links and requests to draw from, for tests against stock pycasbin."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

HEAD = """\
[request_definition]
r = {request}
[policy_definition]
p = {fields}
{roles}[policy_effect]
e = {effect}
[matchers]
m = {matcher}
"""
ALLOW = "some(where (p.eft == allow))"
NO_DENY = "!some(where (p.eft == deny))"
BOTH = f"{ALLOW} && {NO_DENY}"
PRIORITY = "priority(p.eft) || deny"
ROLES, DOMAINS = "[role_definition]\ng = _, _\n", "[role_definition]\ng = _, _, _\n"

PEOPLE = ("ann", "bob", "cid", "staff", "boss")
PLACES = ("/a", "/a/1", "/b")
ACTS = ("read", "write")
EFFECTS = ("allow", "deny")


@dataclass(frozen=True)
class World:
    """A model, what each field of its rows and links may be, and requests."""

    text: str
    fields: tuple[tuple[str, ...], ...]
    links: tuple[tuple[str, ...], ...] = ()
    requests: tuple[tuple, ...] = ()


def text(request: str, fields: str, matcher: str, effect: str = ALLOW, roles: str = "") -> str:
    return HEAD.format(request=request, fields=fields, matcher=matcher, effect=effect, roles=roles)


NAMED = tuple((who, what, act) for who in ("ann", "bob", "staff") for what in ("/a", "/a/1") for act in ACTS)
HELD = (
    {"age": 30, "dept": "x", "name": "ann"},
    {"age": 3.5, "dept": "y", "name": "bob"},
    SimpleNamespace(age=70, dept="x", name="staff"),
    {"age": None, "dept": "x", "name": "ann"},
    {"age": True, "dept": "x", "name": "ann"},
    {"dept": "x"},
)
RULES = (
    "r.sub.age > 18",
    'r.sub.age < 60 && r.sub.dept == "x"',
    'r.sub.dept in ("x", "y")',
    'g(r.sub.name, "staff")',
    '!(r.sub.dept == "x") || r.sub.age == 30',
)

WORLDS = {
    "roles": World(
        text(
            "sub, obj, act", "sub, obj, act", "g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act", ALLOW, ROLES
        ),
        (PEOPLE, PLACES, ACTS),
        (PEOPLE, PEOPLE),
        NAMED,
    ),
    "domains": World(
        text(
            "sub, dom, obj, act",
            "sub, dom, obj, act, eft",
            "g(r.sub, p.sub, r.dom) && r.dom == p.dom && keyMatch2(r.obj, p.obj) && r.act == p.act",
            BOTH,
            DOMAINS,
        ),
        (PEOPLE, ("d1", "d2"), (*PLACES, "/a/:id", "/*"), ACTS, EFFECTS),
        (PEOPLE, PEOPLE, ("d1", "d2")),
        tuple((who, dom, what, "read") for who in ("ann", "bob") for dom in ("d1", "d2", "d3") for what in PLACES),
    ),
    "rules": World(
        text("sub, obj, act", "sub_rule, obj, act, eft", "eval(p.sub_rule) && r.obj == p.obj", BOTH, ROLES),
        (RULES, PLACES, ACTS, EFFECTS),
        (PEOPLE, PEOPLE),
        tuple((who, what, "read") for who in HELD for what in ("/a", "/b")),
    ),
    "priority": World(
        text(
            "sub, obj, act",
            "priority, sub, obj, act, eft",
            "g(r.sub, p.sub) && keyMatch(r.obj, p.obj) && r.act == p.act",
            PRIORITY,
            ROLES,
        ),
        (("1", "2", "3", "10"), PEOPLE, (*PLACES, "/*"), ACTS, EFFECTS),
        (PEOPLE, PEOPLE),
        NAMED,
    ),
    "functions": World(
        text(
            "user, path",
            "who, path, eft",
            '(r.user.name == p.who || check(r.user.dept, "x")) && regexMatch(r.path, p.path)',
            NO_DENY,
            ROLES,
        ),
        (PEOPLE, (*PLACES, "/a.*", "^/[ab]$"), EFFECTS),
        (PEOPLE, PEOPLE),
        tuple((who, what) for who in HELD for what in PLACES),
    ),
    "wild domains": World(
        text(
            "sub, dom, obj",
            "sub, dom, obj",
            "g(r.sub, p.sub, r.dom) && r.obj == p.obj && p.dom != 'd9'",
            ALLOW,
            DOMAINS,
        ),
        (PEOPLE, ("d1", "d2"), PLACES),
        (PEOPLE, PEOPLE, ("d1", "d2")),
        tuple((who, dom, "/a") for who in ("ann", "bob", "staff") for dom in ("d1", "d2", "d3")),
    ),
}
