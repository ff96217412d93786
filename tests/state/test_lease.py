"""One check at a time: the same contract on both engines."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta

from core.state import lease
from core.state.database import StateDatabase
from core.state.lease import LIFETIME, Lease
from tests.frozen_clock import FrozenClock
from tests.subprocesses import ROOT

MICROSECOND = timedelta(microseconds=1)


def acquire(state: StateDatabase, who: str, clock: FrozenClock) -> Lease | None:
    with state.write() as connection:
        return lease.acquire(connection, lease.Name.CHECK, who, f"check-of-{who}", clock())


def renew(state: StateDatabase, mine: Lease, clock: FrozenClock) -> bool:
    with state.write() as connection:
        return lease.renew(connection, mine, clock())


def release(state: StateDatabase, mine: Lease) -> None:
    with state.write() as connection:
        lease.release(connection, mine)


def held(state: StateDatabase, clock: FrozenClock) -> bool:
    with state.read() as connection:
        return lease.find(connection).held(clock())


def test_of_eight_who_want_it_at_once_one_gets_it(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    for _ in range(5):
        barrier, winners = threading.Barrier(8), []

        def want(number: int, barrier: threading.Barrier = barrier, winners: list[Lease] = winners) -> None:
            barrier.wait()
            won = acquire(fresh_state, str(number), clock)
            if won is not None:
                winners.append(won)

        threads = [threading.Thread(target=want, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(winners) == 1
        with fresh_state.read() as connection:
            assert lease.find(connection) == winners[0]
        release(fresh_state, winners[0])


def test_a_held_lease_is_given_to_nobody_else(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    assert acquire(fresh_state, "a", clock)
    clock.advance(LIFETIME - MICROSECOND)
    assert acquire(fresh_state, "b", clock) is None
    assert acquire(fresh_state, "a", clock) is None, "not even to its holder: two threads share a name"


def test_a_holder_that_stops_renewing_loses_it(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    dead = acquire(fresh_state, "dead", clock)
    assert dead
    clock.advance(LIFETIME)
    assert not held(fresh_state, clock)
    heir = acquire(fresh_state, "heir", clock)
    assert heir
    assert renew(fresh_state, dead, clock) is False
    release(fresh_state, dead)
    assert held(fresh_state, clock), "one who lost it cannot give it away"
    assert renew(fresh_state, heir, clock) is True


def test_a_renewal_puts_the_end_off(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    mine = acquire(fresh_state, "a", clock)
    assert mine
    for _ in range(10):
        clock.advance(lease.RENEWAL)
        assert renew(fresh_state, mine, clock)
    clock.advance(LIFETIME - MICROSECOND)
    assert held(fresh_state, clock)
    clock.advance(MICROSECOND)
    assert not held(fresh_state, clock)


def test_a_holder_that_is_late_may_go_on_when_nobody_took_it(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    mine = acquire(fresh_state, "a", clock)
    assert mine
    clock.advance(10 * LIFETIME)
    assert renew(fresh_state, mine, clock)
    assert held(fresh_state, clock)


def test_a_lease_that_was_given_up_is_free_at_once(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    mine = acquire(fresh_state, "a", clock)
    assert mine
    release(fresh_state, mine)
    assert not held(fresh_state, clock)
    assert acquire(fresh_state, "b", clock)


def test_a_lease_that_was_given_up_is_free_also_when_the_clock_is_set_back(
    fresh_state: StateDatabase, clock: FrozenClock
) -> None:
    mine = acquire(fresh_state, "a", clock)
    assert mine
    clock.advance(seconds=-30)
    release(fresh_state, mine)
    assert acquire(fresh_state, "b", clock), "a check that is over must not be waited for, and joined"


def test_a_dead_holder_does_not_hold_for_long_when_the_clock_was_set_back(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    assert acquire(fresh_state, "dead", clock)
    clock.advance(days=-1)
    assert not held(fresh_state, clock)
    assert acquire(fresh_state, "b", clock)


def test_a_holder_survives_a_clock_that_is_set_back_a_little(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    mine = acquire(fresh_state, "a", clock)
    assert mine
    clock.advance(-LIFETIME)
    assert held(fresh_state, clock)
    assert renew(fresh_state, mine, clock)
    assert acquire(fresh_state, "b", clock) is None


def test_renewing_reaches_far_enough_beyond_the_next_renewal() -> None:
    assert 3 * lease.RENEWAL <= LIFETIME, "two renewals may fail before the lease is lost"


def test_a_holder_of_this_machine_that_is_no_more_is_not_waited_for(fresh_state: StateDatabase, clock: FrozenClock) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "from core.state.lease import holder_name; print(holder_name())"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    with fresh_state.write() as connection:
        assert lease.acquire(connection, lease.Name.CHECK, ended.stdout.strip(), "a", clock()) is not None
    with fresh_state.write() as connection:
        assert lease.acquire(connection, lease.Name.CHECK, lease.holder_name(), "b", clock()) is not None
    with fresh_state.write() as connection:
        assert lease.acquire(connection, lease.Name.CHECK, lease.holder_name(), "c", clock()) is None, "this process lives"
