"""OpenID AuthZEN 1.0: from a body to a decision and back, the searches, and the metadata document."""
