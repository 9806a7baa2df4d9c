"""Sources of attributes that are looked up: tables, files and services, opened as one document says.

Whom to believe is `abac.pip`'s part; what stands here does the asking, and turns every failure into a value.
"""
