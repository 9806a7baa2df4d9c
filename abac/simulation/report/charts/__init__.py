"""Draw the report's charts: Altair specifications, rendered to inline SVG whose text stays text.

One module per chart, each a plain function from the report to a `Drawing` or None where the report holds nothing
to draw. Words around the charts and the tables below them are the page's part.
"""
