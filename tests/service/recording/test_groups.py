"""Whom a group waits for: as many as last time, for a while, and longer where half of them are there."""

import threading
import time

import pytest

from abac.service.recording.groups import Groups
from abac.service.recording.ticket import Held, Ticket


class Part(Ticket):
    """A ticket of a batch, which nobody waits for here."""

    batch = True

    def __init__(self, one):
        self.one = one


class Written:
    """Keeps the sizes of groups; the first is written once `go` is set, so that others gather behind it."""

    def __init__(self, wait):
        self.sizes, self.go = [], threading.Event()
        self.groups = Groups(self.write, name="test", most=100, wait=wait, bound=100)

    def write(self, group):
        self.go.wait(60)
        self.sizes.append(len(group))
        return [None] * len(group)

    def put(self, count):
        tickets = [Held() for _ in range(count)]
        for number, ticket in enumerate(tickets):
            self.groups.put(number, ticket)
        return tickets


@pytest.fixture
def four():
    """Groups of which the last had four callers, and that wait for two seconds."""
    made = Written(2.0)
    first = made.put(1)
    while made.groups.waiting != len(made.groups._queue) + 1:  # it is being written
        time.sleep(0.001)
    rest = made.put(4)
    made.go.set()
    assert all(ticket.wait(60) for ticket in (*first, *rest))
    assert made.sizes == [1, 4]
    yield made
    made.groups.close(60)


def test_as_many_as_last_time_go_at_once(four):
    assert all(ticket.wait(60) for ticket in four.put(4))
    assert four.sizes == [1, 4, 4]


def test_where_half_of_them_are_there_the_others_have_as_long_again(four):
    some = four.put(2)
    time.sleep(2.5)
    assert all(ticket.wait(60) for ticket in (*some, *four.put(2)))
    assert four.sizes == [1, 4, 4]


def test_one_alone_is_not_waited_with_for_longer(four):
    (alone,) = four.put(1)
    assert alone.wait(60)
    assert four.sizes == [1, 4, 1]
    assert all(ticket.wait(60) for ticket in four.put(1))
    assert four.sizes == [1, 4, 1, 1]


def test_a_batch_waits_for_nobody():
    made = Written(600.0)
    first = made.put(1)
    while made.groups.waiting != len(made.groups._queue) + 1:
        time.sleep(0.001)
    rest = made.put(4)
    made.go.set()
    assert all(ticket.wait(60) for ticket in (*first, *rest))
    alone = made.put(1)
    made.groups.put_all([Part(number) for number in range(2)])
    assert alone[0].wait(60), "it waited for as many as last time"
    assert made.sizes == [1, 4, 3]
    made.groups.close(60)
