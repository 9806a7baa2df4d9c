"""From parsed parts to one immutable program: link, index, program.

Compilation is pure. Reading files is `service.load`'s part.
"""
