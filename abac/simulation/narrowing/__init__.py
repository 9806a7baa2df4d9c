"""Narrowing: the smallest rules over what can be collected that stop whom a directive means to, and few others.

`target` says whom to stop, `vocabulary` of which tests rules may be made, `problem` what each does to everybody,
as bits; `search` finds the rules that no other beats, `documents` writes them as directives, and `checked`
simulates each and counts it again.
Proving is `service.narrow`'s part.
"""
