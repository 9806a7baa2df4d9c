"""The policy decision point as a function: one request in, one outcome out. Pure; no I/O, no clock."""
