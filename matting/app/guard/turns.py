"""Whose turn it is, and whose work nobody waits for any more. Looks into Gradio's queue, which has no notion of visitors."""

import time
from collections.abc import Iterator

from gradio.queueing import Event, EventQueue, Queue

from matting.app import limits
from matting.app.guard.visitors import Visitors
from matting.app.service import BATCH_LANE, LONG_LANES, MODEL_LANES, PATIENCE_S
from matting.app.sessions import Sessions

_MOST_ADDRESSES = 10_000  # remembered at once

Taken = tuple[list[Event], bool, str] | None


class Turns:
    """Gives every address one turn at a time, those first whose last turn was longest ago: who sends a lot waits for himself.

    Photos are worked on one by one; only where one takes longer than `PATIENCE_S`, the next begins beside it.
    """

    def __init__(self, queue: Queue, sessions: Sessions, visitors: Visitors):
        self._queue, self._sessions, self._visitors = queue, sessions, visitors
        self._take = queue.get_events
        self._finished: dict[str, float] = {}  # session hashes whose answers may not have been fetched yet, and since when
        self._served: dict[str, float] = {}  # when each address last had its turn
        setattr(queue, "get_events", self.get_events)  # noqa: B010 - a method of theirs, replaced on purpose

    def get_events(self) -> Taken:
        """As Gradio's, with those held back whose turn it is not."""
        held: list[tuple[EventQueue, list[Event]]] = []
        for lane in self._queue.event_queue_per_concurrency_id.values():
            if lane.queue and lane.concurrency_limit is not None:
                waiting = [*lane.queue]
                lane.queue[:] = self._in_turn(lane)
                held.append((lane, waiting))
        taken = self._take()
        for lane, waiting in held:
            lane.queue[:] = [event for event in waiting if taken is None or event not in taken[0]]
        if taken is not None:
            address = address_of_event(taken[0][0])
            self._served.pop(address, None)
            self._served[address] = time.monotonic()
            if len(self._served) > _MOST_ADDRESSES:
                del self._served[next(iter(self._served))]
        return taken

    def _in_turn(self, lane: EventQueue) -> list[Event]:
        """Those of a lane who may begin now, the next one first."""
        if lane.concurrency_id in MODEL_LANES and self._has_just_begun(lane):
            return []
        if lane.concurrency_id in LONG_LANES and any(event.concurrency_id in LONG_LANES for event in self.running()):
            return []
        if not limits.per_address():
            return [*lane.queue]
        busy = self._busy(lane.concurrency_id)
        free = [event for event in lane.queue if address_of_event(event) not in busy]
        return sorted(free, key=lambda event: self._served.get(address_of_event(event), 0.0))

    def _busy(self, lane_id: str) -> set[str]:
        """Addresses at work in a lane, or in any lane of the model's; also where a cancelled event's thread runs on."""
        lanes = MODEL_LANES if lane_id in MODEL_LANES else {lane_id}
        if lane_id not in LONG_LANES:  # a photo does not wait for the visitor's own batch
            lanes = lanes - {BATCH_LANE}
        busy = {address_of_event(event) for event in self.running() if event.concurrency_id in lanes}
        if lane_id in MODEL_LANES:
            busy |= {session.address for session in self._sessions.at_work(batch=BATCH_LANE in lanes)}
        return busy - {""}

    def _has_just_begun(self, lane: EventQueue) -> bool:
        begun = [start for starts in lane.start_times_per_fn.values() for start in starts]
        return bool(begun) and time.time() - max(begun) < PATIENCE_S

    def running(self) -> Iterator[Event]:
        return (event for job in self._queue.active_jobs if job for event in job)

    def events_of(self, address: str) -> int:
        """How many events an address has waiting or at work."""
        return sum(address_of_event(event) == address for event in self._queue.event_ids_to_events.values())

    def cancelled(self, event_id: str, session_hash: str) -> None:
        """Gradio only stops waiting for what is at work; it has to be told."""
        for event in self.running():
            if event._id == event_id:
                self._sessions.stop_work(session_hash, batch=event.concurrency_id == BATCH_LANE)

    async def drop_unheard(self, now: float) -> None:
        """End what nobody listens for."""
        queue = self._queue
        for event in [*queue.event_ids_to_events.values()]:
            keys = (event.session_hash, event._id)
            if event.alive and self._visitors.unheard_s(keys, event.enqueue_time, now) > limits.UNHEARD_S:
                self._sessions.stop_work(event.session_hash)
                await queue.clean_events(event_id=event._id)
        waiting = {event.session_hash for event in queue.event_ids_to_events.values()}
        finished = {*queue.pending_event_ids_session, *queue.pending_messages_per_session} - waiting
        self._finished = {key: self._finished.get(key, now) for key in finished}
        for key, since in self._finished.items():
            if self._visitors.unheard_s((key,), since, now) > limits.UNATTENDED_S:
                queue.pending_event_ids_session.pop(key, None)
                queue.pending_messages_per_session.pop(key, None)


def address_of_event(event: Event) -> str:
    return str(event.request.scope.get("visitor", ""))
