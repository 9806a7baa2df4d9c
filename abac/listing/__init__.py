"""Which of these many: the rows of a table that a subject may act on, as one SQL clause.

`permitted` asks, `answer` holds what comes back, `columns` says where a table holds which attribute. Needs
SQLAlchemy, the extra `listing`; the SQL itself is `backends.sql`'s part.
"""

from abac.listing.answer import Everything, Nothing, Where
from abac.listing.columns import HeldIn, ListingError
from abac.listing.permitted import list_permitted

__all__ = ["Everything", "HeldIn", "ListingError", "Nothing", "Where", "list_permitted"]
