"""Who is served next, and whose work is ended, with Gradio's own queue."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from gradio.queueing import Event, Queue
from loops import run_alone

from matting.app import limits
from matting.app.guard.internals import check_gradio
from matting.app.guard.turns import Turns
from matting.app.guard.visitors import Visitors
from matting.app.service import PATIENCE_S
from matting.app.sessions import Sessions
from matting.app.stopping import stoppable

ATTACKER, VISITOR, ANOTHER = "198.51.100.1", "198.51.100.2", "198.51.100.3"


class Desk:
    """A queue whose work takes as long as the test says."""

    def __init__(self, sessions: Sessions):
        self.queue = Queue(True, 10, 1, 48, SimpleNamespace(), 1)
        self.queue.active_jobs = [None] * 10
        self.visitors = Visitors()
        self.turns = Turns(self.queue, sessions, self.visitors)

    def join(self, address: str, lane: str = "model", limit: int = 2, session: str | None = None) -> Event:
        event = Event(session, _Function(lane, limit), SimpleNamespace(scope={"visitor": address}), None)
        self.queue.create_event_queue_for_fn(event.fn)
        self.queue.event_queue_per_concurrency_id[lane].queue.append(event)
        self.queue.event_ids_to_events[event._id] = event
        self.queue.pending_event_ids_session.setdefault(event.session_hash, set()).add(event._id)
        return event

    def next(self, ago: float = 0.0) -> Event | None:
        """Begin the next work, some seconds ago."""
        taken = self.queue.get_events()
        if taken is None:
            return None
        (event,), _, lane = taken
        self.queue.active_jobs[self.queue.active_jobs.index(None)] = [event]
        desk = self.queue.event_queue_per_concurrency_id[lane]
        desk.current_concurrency += 1
        desk.start_times_per_fn[event.fn].add(time.time() - ago)
        return event

    def finish(self, event: Event) -> None:
        self.queue.active_jobs[self.queue.active_jobs.index([event])] = None
        desk = self.queue.event_queue_per_concurrency_id[event.concurrency_id]
        desk.current_concurrency -= 1
        del desk.start_times_per_fn[event.fn]
        del self.queue.event_ids_to_events[event._id]


class _Function(SimpleNamespace):
    def __init__(self, lane: str, limit: int):
        super().__init__(concurrency_id=lane, concurrency_limit=limit, connection="sse", batch=False)

    __hash__ = object.__hash__


@pytest.fixture
def at_desk(sessions) -> Callable:
    """Runs a test with a desk, within an event loop."""
    return lambda test: run_alone(_with_desk(test, sessions))


async def _with_desk(test: Callable, sessions: Sessions) -> None:
    await test(Desk(sessions), sessions)


def test_photos_come_one_by_one_and_a_long_one_does_not_hold_the_next(at_desk):
    async def test(desk: Desk, sessions: Sessions) -> None:
        first, second = desk.join(VISITOR), desk.join(ANOTHER)
        assert desk.next() is first and desk.next() is None
        desk.finish(first)
        assert desk.next(ago=PATIENCE_S + 1) is second
        third = desk.join(VISITOR)
        assert desk.next() is third  # beside the second

    at_desk(test)


def test_who_sends_much_waits_for_himself(at_desk):
    async def test(desk: Desk, sessions: Sessions) -> None:
        sent = [desk.join(ATTACKER) for _ in range(6)]
        assert desk.next(ago=PATIENCE_S + 1) is sent[0]
        sent.append(desk.join(ATTACKER, "long", 1))
        assert desk.next() is None  # one at a time, in all lanes of the model
        photo, other = desk.join(VISITOR), desk.join(ANOTHER)
        assert desk.next(ago=PATIENCE_S + 1) is photo
        assert desk.next() is None
        desk.finish(photo)
        assert desk.next() is other
        assert desk.turns.events_of(ATTACKER) == 7
        assert [event for lane in desk.queue.event_queue_per_concurrency_id.values() for event in lane.queue] == sent[1:]

    at_desk(test)


def test_a_batch_takes_the_turn_of_a_clip_and_no_photo_waits_for_it(at_desk, request_of):
    async def test(desk: Desk, sessions: Sessions) -> None:
        session = sessions.of(None, request_of("page", VISITOR))
        batch = desk.join(VISITOR, "batch", 1, "page")
        assert desk.next(ago=PATIENCE_S + 1) is batch
        desk.join(ANOTHER, "long", 1)
        assert desk.next() is None, "one of them at a time"
        photo = desk.join(VISITOR, session="page")
        assert desk.next(ago=PATIENCE_S + 1) is photo, "the visitor's own"
        desk.turns.cancelled(photo._id, "page")
        assert session.stop.is_set() and not session.batch_stop.is_set()
        desk.turns.cancelled(batch._id, "page")
        assert session.batch_stop.is_set()

    at_desk(test)


def test_a_visitor_waits_for_one_save_of_another_and_no_more(at_desk):
    async def test(desk: Desk, sessions: Sessions) -> None:
        first, second, *_ = [desk.join(ATTACKER, "save", 1) for _ in range(4)]
        mine = desk.join(VISITOR, "save", 1)
        assert desk.next() is first and desk.next() is None
        desk.finish(first)
        assert desk.next() is mine
        desk.finish(mine)
        assert desk.next() is second

    at_desk(test)


def test_without_limits_per_address_they_come_in_turn(at_desk, monkeypatch):
    monkeypatch.setenv("MATTING_LIMITS", "off")

    async def test(desk: Desk, sessions: Sessions) -> None:
        first, second, third = (desk.join(VISITOR) for _ in range(3))
        assert desk.next(ago=PATIENCE_S + 1) is first and desk.next(ago=PATIENCE_S + 1) is second
        assert desk.next() is None and desk.queue.event_ids_to_events[third._id] is third

    at_desk(test)


def test_cancelling_frees_no_turn_while_the_thread_runs_on(at_desk, request_of):
    async def test(desk: Desk, sessions: Sessions) -> None:
        session = sessions.of(None, request_of("a", ATTACKER))
        event = desk.join(ATTACKER, session="a")
        assert desk.next() is event
        with stoppable(torch.nn.Identity(), session):
            desk.turns.cancelled(event._id, "a")
            assert session.stop.is_set()
            desk.finish(event)  # as far as Gradio knows
            again = desk.join(ATTACKER, session="b")
            assert desk.next() is None
        assert desk.next() is again

    at_desk(test)


def test_cancelling_what_waits_stops_no_other_work(at_desk, request_of):
    async def test(desk: Desk, sessions: Sessions) -> None:
        session = sessions.of(None, request_of("a", VISITOR))
        desk.join(VISITOR, session="a")
        desk.next()
        desk.turns.cancelled(desk.join(VISITOR, session="a")._id, "a")
        assert not session.stop.is_set()

    at_desk(test)


def test_work_that_nobody_listens_for_is_dropped(at_desk, request_of):
    async def test(desk: Desk, sessions: Sessions) -> None:
        mine, theirs = (sessions.of(None, request_of(name, name)) for name in "mt")
        running, waiting = desk.join("t", session="t"), desk.join("t", session="t")
        assert desk.next() is running
        kept = desk.join("m", session="m")
        now = time.monotonic()
        with desk.visitors.listens("m"):
            await desk.turns.drop_unheard(now + limits.UNHEARD_S - 1)
            assert running.alive and not theirs.stop.is_set()
            await desk.turns.drop_unheard(now + limits.UNHEARD_S + 1)
        assert not running.alive and theirs.stop.is_set() and waiting._id not in desk.queue.event_ids_to_events
        assert kept._id in desk.queue.event_ids_to_events and not mine.stop.is_set()
        desk.finish(running)
        await desk.turns.drop_unheard(now + limits.UNHEARD_S + 2)
        await desk.turns.drop_unheard(now + limits.UNHEARD_S + limits.UNATTENDED_S + 9)
        assert "t" not in desk.queue.pending_event_ids_session

    at_desk(test)


def test_another_gradio_is_refused_before_the_start(monkeypatch):
    check_gradio()
    monkeypatch.delattr("gradio.queueing.Queue.clean_events")
    with pytest.raises(RuntimeError, match=r"needs gradio 6.31.0; version .* lacks Queue.clean_events"):
        check_gradio()
