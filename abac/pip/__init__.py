"""Where attributes come from, and whom to believe: the ports of a policy information point, and pure rules.

The PIP of XACML 3.0, section 3.1. What reads a table, a file or a service is in `abac/service/sources`.
"""
