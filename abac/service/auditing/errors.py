"""What can be wrong with what is asked of an auditor's verbs, one class and one stable code for each kind."""

from __future__ import annotations

from abac.errors import AbacError


class AuditingError(AbacError):
    """The root of what is refused here."""

    code = "auditing"


class NoEntryError(AuditingError):
    """No entry has that id or place, or it is in an archive."""

    code = "auditing-no-entry"


class SealedError(AuditingError):
    """A sealed field that cannot be opened, or that the entry does not have."""

    code = "auditing-sealed"


class RetainedError(AuditingError):
    """What must still be kept: inside the retention period, or under a legal hold."""

    code = "auditing-retained"


class NamesError(AuditingError):
    """Names, reasons, periods or dates that are missing or do not do."""

    code = "auditing-words"


class ArchiveError(AuditingError):
    """An archive that is damaged, or not of this log."""

    code = "auditing-archive"


class InconsistentError(AuditingError):
    """Two checkpoints that cannot be of one log."""

    code = "auditing-inconsistent"
