"""The order of effects: read files, compile, and hand over. The only floor that opens a file for policies."""
