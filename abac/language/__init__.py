"""Text in and out: the schema, condition text, Casbin models and rows, directive documents.

Everything here takes text and gives the structures of `condition` and `policy`, with places kept; reading
files is left to `service`.
"""
