"""The decision point on the wire: OpenID AuthZEN 1.0 over HTTP, and what it takes to leave it running.

AuthZEN's words stop here: its `context` is our environment, its `properties` are our attributes. Deciding,
recording and where attributes come from are behind `service.deciding`; reading settings and printing are
`cli`'s.
"""
