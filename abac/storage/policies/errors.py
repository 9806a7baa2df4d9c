"""What can be wrong with an act on the policies, one class and one stable code for each, with the next command.

Raised by the store, so that command line, REST and pages refuse the same acts in the same words.
"""

from __future__ import annotations

from abac.storage.faults import StorageConflictError, StorageError


class PolicyError(StorageError):
    """The root of what is refused about revisions, publications, settings, postures and shadows."""

    code = "policy"
    next = "abac policy list"


class PolicyUnknownError(PolicyError):
    """A revision that this store does not have."""

    code = "policy-unknown-revision"
    next = "abac policy list (it shows every revision that was recorded)"


class PolicyAmbiguousError(PolicyError):
    """The beginning of more than one revision."""

    code = "policy-ambiguous-revision"
    next = "give more of its digits; abac policy list shows them"


class PolicyStaleError(StorageConflictError):
    """Somebody published since the publisher looked."""

    code = "policy-stale"


class PolicySamePersonError(PolicyError):
    """Author and approver are one person."""

    code = "policy-same-person"
    next = "have somebody else approve it"


class PolicyUnapprovedError(PolicyError):
    """Nobody approved it, and this store wants two persons."""

    code = "policy-no-approver"
    next = "name who approves it with --approver"


class PolicyNoneError(PolicyError):
    """Nothing was in force at the time asked about."""

    code = "policy-none"
    next = "abac publish DIR --expect none --who NAME --why TEXT --source-commit SHA"


class PolicyUnreadableError(PolicyError):
    """A recorded program that this version of abac cannot read."""

    code = "policy-unreadable"
    next = (
        "compile its source commit again with this version and publish that; the recorded program stays as it is"
    )


class PolicyChangedError(PolicyError):
    """A recorded program that is not the one that was recorded."""

    code = "policy-changed"
    next = "abac audit verify"


class PolicyWordsError(PolicyError):
    """A name, a reason or a commit that cannot be recorded."""

    code = "policy-words"
    next = "say it in plain words"


class PolicyRollbackError(PolicyError):
    """A rollback to nowhere."""

    code = "policy-rollback"
    next = "abac policy list, then abac policy rollback --to REV"


class PolicyPostureError(PolicyError):
    """A posture that a server does not take."""

    code = "policy-posture"
    next = "choose strict, step-up or shutdown; abac simulate shows what lenient would do"


class PolicySettingError(PolicyError):
    """A setting that is not one, or is so already."""

    code = "policy-setting"
    next = "abac policy settings show"


class PolicyShadowError(PolicyError):
    """A shadow that runs already, or none that does."""

    code = "policy-shadow"
    next = "abac policy shadow status"


class PolicyKeyError(PolicyError):
    """An API key that is not there, or that cannot be what it is to become."""

    code = "policy-key"
    next = "abac key list --database URL"


class PolicyProposalError(PolicyError):
    """A proposal that is none, or that what was published since has overtaken."""

    code = "policy-proposal"
    next = "look at what is in force now, and propose it again"
