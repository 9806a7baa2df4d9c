# ruff: noqa: ARG002  # the signatures are pycasbin's
"""An adapter that keeps rows in memory and a watcher that notes its calls, for tests against stock pycasbin."""

from __future__ import annotations

from casbin.persist import Adapter


class Memory(Adapter):
    """Rows as (ptype, fields); a filter is a set of first fields."""

    def __init__(self, rows):
        self.rows = [(ptype, list(fields)) for ptype, fields in rows]
        self.filtered = False

    def is_filtered(self):
        return self.filtered

    def load_policy(self, model):
        self.filtered = False
        self._load(model, None)

    def load_filtered_policy(self, model, wanted):
        self.filtered = True
        self._load(model, wanted)

    def _load(self, model, wanted):
        for ptype, fields in self.rows:
            section = model.model.get(ptype[0], {})
            if ptype in section and (wanted is None or fields[0] in wanted):
                section[ptype].policy.append(list(fields))

    def save_policy(self, model):
        held = [(s, ptype, a) for s in "pg" for ptype, a in model.model.get(s, {}).items()]
        self.rows = [(ptype, list(row)) for _, ptype, a in held for row in a.policy]

    def add_policy(self, sec, ptype, rule):
        self.rows.append((ptype, list(rule)))

    def add_policies(self, sec, ptype, rules):
        self.rows += [(ptype, list(rule)) for rule in rules]

    def add_policies_ex(self, sec, ptype, rules):
        self.add_policies(sec, ptype, [rule for rule in rules if (ptype, list(rule)) not in self.rows])

    def remove_policy(self, sec, ptype, rule):
        self.rows = [held for held in self.rows if held != (ptype, list(rule))]

    def remove_policies(self, sec, ptype, rules):
        for rule in rules:
            self.remove_policy(sec, ptype, rule)

    def remove_filtered_policy(self, sec, ptype, index, *values):
        self.rows = [
            (held, row)
            for held, row in self.rows
            if held != ptype or not all(v in ("", row[index + i]) for i, v in enumerate(values))
        ]

    def update_policy(self, sec, ptype, old, new):
        self.rows = [(ptype, list(new)) if held == (ptype, list(old)) else held for held in self.rows]

    def update_policies(self, sec, ptype, olds, news):
        for old, new in zip(olds, news, strict=True):
            self.update_policy(sec, ptype, old, new)


class Noting:
    """A watcher that notes each call."""

    def __init__(self):
        self.notes = []

    def set_update_callback(self, callback):
        self.callback = callback

    def update(self):
        self.notes.append("update")

    def update_for_add_policy(self, section, ptype, *params):
        self.notes.append(("add", section, ptype))
