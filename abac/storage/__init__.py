"""The log, the policies and the subjects' keys in a database: SQLite with nothing to set up, or PostgreSQL by URL.

What entries and checkpoints mean is `audit`'s part; the order of effects is `service`'s.
"""
