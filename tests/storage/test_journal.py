"""What a journal acknowledged is read back; what a crash tore is cut off, what was changed is named."""

import random
import subprocess
import sys
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abac.audit.entry import Draft
from abac.storage.journal import NO_KEY, Journal, JournalDamagedError, JournalError, journals

ID, KEY = bytes(range(16)), bytes(15) + b"k"


def draft(number, size=20):
    body = random.Random(number).randbytes(size)
    return Draft(number.to_bytes(16, "big"), "decision", body, KEY, body[::-1])


def drafts(journal):
    return [record.draft for record in journal.records(journal.start, journal.end)]


@pytest.fixture
def journal(tmp_path):
    made = Journal.create(tmp_path, ID, KEY)
    yield made
    made.close()


def left(journal):
    """The journal as the next process finds it."""
    journal.close()
    return Journal.adopt(journal.path)


def test_what_is_appended_is_read_back(journal):
    journal.append([draft(1), draft(2)])
    journal.append([draft(3, 0)])
    assert drafts(journal) == [draft(1), draft(2), draft(3, 0)]
    assert (journal.id, journal.key, journal.end.records) == (ID, KEY, 3)
    found = left(journal)
    assert found.recover() == 0
    assert (found.id, found.key, found.end) == (ID, KEY, journal.end)
    assert drafts(found) == [draft(1), draft(2), draft(3, 0)]
    found.append([draft(4)])
    assert drafts(found)[-1] == draft(4)
    found.close()


def test_the_file_is_as_its_description_says(journal):
    journal.append([draft(1), draft(2)])
    data = journal.path.read_bytes()
    header, at = data[:80], 80
    chain = sha256(header[:48]).digest()
    assert header[48:] == chain
    assert header[16:48] == ID + KEY
    for _ in range(2):
        length = data[at : at + 4]
        payload = data[at + 8 : at + 8 + int.from_bytes(length, "big")]
        assert data[at + 4 : at + 8] == sha256(chain + length).digest()[:4]
        chain = sha256(chain + length + payload).digest()
        at += 8 + len(payload)
        assert data[at : at + 32] == chain
        at += 32
    assert at == len(data)


@settings(max_examples=40)
@given(st.data())
def test_a_torn_tail_is_cut_off_and_said(tmp_path_factory, data):
    journal = Journal.create(tmp_path_factory.mktemp("j"), ID)
    ends = [journal.end]
    for number in range(4):
        journal.append([draft(number)])
        ends.append(journal.end)
    cut = data.draw(st.integers(journal.start.at, journal.end.at))
    whole = max(e for e in ends if e.at <= cut)
    tail = data.draw(st.sampled_from([b"", bytes(3), bytes(500)]))
    found = left(journal)
    with found.path.open("r+b") as file:
        file.truncate(cut)
        if cut == whole.at:  # a disk may also have grown the file and lost what was written
            file.seek(cut)
            file.write(tail)
    lost = found.path.stat().st_size - whole.at
    assert found.recover() == lost
    assert found.end == whole
    assert found.path.stat().st_size == whole.at
    found.append([draft(9)])
    assert drafts(found) == [*(draft(n) for n in range(whole.records)), draft(9)]
    found.close()


@settings(max_examples=150)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_found_wherever_it_is(tmp_path_factory, place, by):
    journal = Journal.create(tmp_path_factory.mktemp("j"), ID)
    journal.append([draft(n) for n in range(4)])
    journal.close()
    data = bytearray(journal.path.read_bytes())
    place %= len(data)
    data[place] ^= by
    journal.path.write_bytes(data)
    with pytest.raises(JournalDamagedError, match=r"record \d|header"):
        Journal.adopt(journal.path).recover()


def test_records_taken_out_or_moved_are_found(journal):
    ends = [journal.end]
    for number in range(4):
        journal.append([draft(number)])
        ends.append(journal.end)
    data = journal.path.read_bytes()
    pieces = [data[a.at : b.at] for a, b in pairwise(ends)]
    for order in ([0, 2, 3], [1, 0, 2, 3], [0, 1, 1, 2, 3]):
        journal.path.write_bytes(data[:80] + b"".join(pieces[n] for n in order))
        found = left(journal)
        with pytest.raises(JournalDamagedError, match=r"record [012] "):
            found.recover()
        found.close()


def test_a_journal_has_one_owner(journal):
    journal.append([draft(1)])
    assert Journal.adopt(journal.path) is None
    code = f"""
from pathlib import Path
from abac.storage.journal import Journal
print(Journal.adopt(Path({str(journal.path)!r})))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "None\n"


def test_a_removed_journal_is_nobody_s(journal):
    path = journal.path
    journal.remove()
    assert journals(path.parent) == []
    assert Journal.adopt(path) is None


def test_a_journal_that_somebody_removes_takes_nothing_more(journal):
    journal.append([draft(1)])
    journal.path.unlink()
    with pytest.raises(JournalError, match="somebody removed it"):
        journal.append([draft(2)])
    assert journal.broken


def test_what_is_no_journal_is_named(tmp_path):
    path = tmp_path / "x.journal"
    path.write_bytes(b"hello")
    with pytest.raises(JournalDamagedError, match=r"x\.journal: its header"):
        Journal.adopt(path)


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="next: make room"):
        Journal.create(tmp_path / "file" / "journals", ID)


def test_a_full_disk_refuses_the_group_and_keeps_the_rest(tmp_path):
    """The limit on a file's size stands for the disk's end: the write is cut short, then refused."""
    code = f"""
import resource, signal
from pathlib import Path
from tests.storage.test_journal import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal.create(Path({str(tmp_path)!r}), ID)
journal.append([draft(1)])
resource.setrlimit(resource.RLIMIT_FSIZE, (journal.end.at + 100, -1))
try:
    journal.append([draft(2, 500)])
except JournalError as error:
    print(error.code, journal.broken, journal.end.records)
try:
    journal.append([draft(3, 1)])
except JournalError as error:
    print(error.code)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "journal True 1\njournal\n"
    (path,) = journals(tmp_path)
    found = Journal.adopt(path)
    assert found.recover() == 0
    assert drafts(found) == [draft(1)]
    found.close()


def test_only_its_owner_may_read_it(journal):
    assert Path(journal.path).stat().st_mode & 0o777 == 0o600
    assert journal.key != NO_KEY
