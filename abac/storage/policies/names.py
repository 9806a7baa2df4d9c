"""Who did it and why, as they may be recorded, and when two names are one person.

Names are compared without case, blanks and what nobody sees, after Unicode's compatibility normalisation (NFKC),
so that nobody approves themself by spelling. A word that mixes Latin letters with Cyrillic or Greek ones that look
alike is refused. That a name is the caller's own is left to whoever lets the caller in.
"""

from __future__ import annotations

import re
import unicodedata

from abac.storage.policies.errors import PolicyWordsError

LONGEST_NAME, LONGEST_WHY = 200, 4_000
"""Characters of a name, and of a reason."""

_COMMIT = re.compile(r"(?:[0-9a-f]{7,64}|[0-9a-f]{7,58}-dirty)\Z")
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0") | {chr(c) for c in range(0xFE00, 0xFE10)}
"""What is drawn as nothing though Unicode calls it a letter or a mark."""


def told_name(name: str, what: str = "--who") -> str:
    """Return a name as it is recorded: one line, no blanks at its ends. Raises `PolicyWordsError`."""
    told = " ".join(_plain(name, what, LONGEST_NAME).split())
    if not folded(told):
        raise PolicyWordsError(f"{what}: a name is not empty")
    for word in told.split():
        if len(scripts := _scripts(word)) > 1:
            mixed = " and ".join(sorted(scripts))
            raise PolicyWordsError(f"{what}: `{word}` mixes {mixed} letters", "write the name in one script")
    return told


def told_why(why: str, what: str = "--why") -> str:
    """Return a reason as it is recorded; one must be given. Raises `PolicyWordsError`."""
    told = _plain(why, what, LONGEST_WHY).strip()
    if not told:
        raise PolicyWordsError(f"{what}: a reason is not empty", "say in a sentence why")
    return told


def told_commit(commit: str, what: str = "--source-commit") -> str:
    """Return a commit's digest in lower case; empty where there is none. Raises `PolicyWordsError`.

    `-dirty` after it says that files differed from the commit.
    """
    told = commit.strip().lower()
    if told and _COMMIT.match(told) is None:
        message = f"{what}: `{commit[:80]}` is not a commit's digest of 7 to 64 hexadecimal digits"
        raise PolicyWordsError(message, "give the commit's digest (`git rev-parse HEAD`)")
    return told


def folded(name: str) -> str:
    """Return what two spellings of one name have in common.

    >>> folded(" Ada  LOVELACE") == folded("ada lovelace")
    True
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(c for c in text if not c.isspace() and c not in _UNSEEN and unicodedata.category(c) != "Cf")


def same_person(one: str, other: str) -> bool:
    """Return whether two names are one person's."""
    return folded(one) == folded(other)


def _plain(text: str, what: str, longest: int) -> str:
    if len(text) > longest:
        raise PolicyWordsError(f"{what}: has {len(text):,} characters; {longest:,} at most")
    for c in text:
        if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t":
            raise PolicyWordsError(f"{what}: holds the control character U+{ord(c):04X}")
    return text


def _scripts(word: str) -> set[str]:
    first = {unicodedata.name(c, "").split(" ")[0] for c in unicodedata.normalize("NFKC", word) if c.isalpha()}
    return first & {"LATIN", "CYRILLIC", "GREEK"}
