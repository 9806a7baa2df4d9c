"""Watch a folder of policies: when its files have changed and come to rest, compile them and put them in force.

Files are looked at by size, times and inode, so that one that is replaced (`git pull` does) is seen; what counts
is their content. A state that does not compile, or that cannot be put in force, is told, and what was in force
stays. A change while files are read is no state: it is looked at again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from abac.compiler.program import Program
from abac.errors import AbacError
from abac.service.checkout import Checkout, checkout, marks
from abac.service.load import policy_files

EVERY = 0.5
"""Seconds between two looks; a change is taken up when two looks in a row saw the same."""

Compile = Callable[[], Program]
Put = Callable[[Program, Checkout], None]
Seen = tuple[tuple[str, int, int, int, int], ...]


class Watch:
    """Watches the files that one program is compiled from; `look` is to be called again and again.

    `paths` returns the files and folders, `extra` among them schema and model; `put` puts a program in force with
    the commit it comes from.
    """

    def __init__(self, paths: Callable[[], Sequence[Path]], compiled: Compile, put: Put) -> None:
        self._paths, self._compile, self._put = paths, compiled, put
        self._seen: Seen = ()
        self._taken: Seen = ()
        self._content = b""
        self._commit = Checkout()
        self.broken = ""
        """What is wrong with the files as they are, or why they are not in force; empty where all is well."""

    def begin(self) -> Program:
        """Compile and put in force what is there now. Raises `AbacError` where that cannot be done."""
        for _ in range(10):  # who changes files without end gets the last state that was read
            seen = self._look()
            program, commit = self._compile(), checkout(self._paths())
            if seen == self._look():
                break
        self._put(program, commit)
        self._taken = self._seen = seen
        self._content, self._commit = self._digest(), commit
        return program

    def look(self) -> bool:
        """Look once; return whether something was put in force. Never raises for what files hold."""
        seen = self._look()
        rested, self._seen = seen == self._seen, seen
        if not rested or seen == self._taken:
            return False
        try:
            return self._take(seen)
        except AbacError as error:
            self.broken = str(error)
        except OSError as error:
            self.broken = f"the files cannot be read: {error}"
        self._taken = seen  # until they change again
        return False

    def _take(self, seen: Seen) -> bool:
        content, commit = self._digest(), checkout(self._paths())
        if (content, commit) == (self._content, self._commit) and not self.broken:
            self._taken = seen
            return False
        program = self._compile()
        if self._look() != seen:
            return False  # not yet at rest
        self._put(program, commit)
        self._taken, self._content, self._commit, self.broken = seen, content, commit, ""
        return True

    def _files(self) -> Iterable[Path]:
        paths = self._paths()
        return sorted({file for path in paths for file in policy_files(path)})

    def _look(self) -> Seen:
        found = []
        for file in (*self._files(), *marks(self._paths()[0])):
            try:
                stat = file.stat()
            except OSError:
                continue  # one that is not there is one less
            found.append((str(file), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino))
        return tuple(found)

    def _digest(self) -> bytes:
        whole = hashlib.sha256()
        for file in self._files():
            whole.update(str(file).encode() + b"\0")
            whole.update(hashlib.sha256(file.read_bytes()).digest())
        return whole.digest()
