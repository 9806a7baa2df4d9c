"""Turn a finished report structure into what people look at: page, terminal, JSON, tables.

`schema.json` says what a report is, `validate` holds one to it, `page` and `terminal` show it, `people` writes
who is affected, `write` puts all of it into a directory, whole or not at all. Nothing here decides, counts or
reads a clock; the numbers arrive finished from `abac.simulation`. Import the module you need: the page needs
Altair and Jinja, the terminal needs rich, and neither is loaded for the other.
"""
