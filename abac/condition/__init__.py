"""What a condition is and what it means: truth, types, schema, the typed tree, its check and its reference.

Does no I/O and knows nothing of rules, policies or text formats.
"""
