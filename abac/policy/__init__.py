"""What a policy is and what it decides: requests, rules, directives, combining, and the reference evaluator.

Stands on `condition` alone; no I/O, no clock.
"""
