"""Puts the guard in front of a launched app, and keeps house while it runs."""

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from gradio.routes import App

from matting.app import limits
from matting.app.guard.bodies import RefusedError
from matting.app.guard.log import report
from matting.app.guard.middleware import Guard
from matting.app.guard.origins import Origins
from matting.app.guard.turns import Turns
from matting.app.guard.visitors import Visitors, address_of
from matting.app.live import LiveDesk
from matting.app.memory import give_back
from matting.app.sessions import Sessions
from matting.app.space import Space

_EVERY_S = 1
_SWEEP_EVERY_S = 60
_NAMES_OF_FILES = re.compile(r"[0-9a-f]{40,}|(upload-|tmp).*")  # folders of uploads and of what Gradio makes of them
_TOO_MANY_PAGES = "Too many pages of this app are open at your address. Please close some."


class Keeper:
    """What happens every second while the app runs."""

    def __init__(self, app: App, sessions: Sessions, visitors: Visitors, live: LiveDesk | None = None):
        self.app, self.sessions, self.visitors, self.live = app, sessions, visitors, live
        self.turns = Turns(app.get_blocks()._queue, sessions, visitors)
        self._idle: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        self._swept = time.monotonic()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - it must go on
                report(error)

    async def look(self) -> None:
        now = time.monotonic()
        await self.turns.drop_unheard(now)
        self.sessions.sweep(self.visitors.attended, now)
        self.close_idle(now)
        if self.live is not None:
            self.live.sweep()
        if now - self._swept > _SWEEP_EVERY_S:
            self._swept = now
            self.visitors.forget(now)
            await asyncio.to_thread(sweep_files, Path(self.app.uploaded_file_dir), time.time())
            await asyncio.to_thread(give_back)

    def close_idle(self, now: float) -> None:
        """Close connections that never ask for anything, and those of one address that are too many."""
        server = getattr(self.app.get_blocks(), "server", None)
        state = getattr(server, "server_state", None)
        counted: dict[str, int] = {}
        for connection in [*state.connections] if state else []:
            address = address_of({"client": connection.client})
            counted[address] = counted.get(address, 0) + 1
            busy = connection.cycle is not None and not connection.cycle.response_complete
            since = now if busy else self._idle.get(connection, now)
            self._idle[connection] = since
            many = limits.per_address() and address and counted[address] > limits.CONNECTIONS_EACH and not busy
            if many or now - since > limits.IDLE_CONNECTION_S:
                connection.transport.close()

    def admit(self, session_hash: str, address: str) -> None:
        """Make room for a page; the oldest one of the same address that nobody looks at goes.

        Raises:
            RefusedError: if all of them are open.
        """
        pages, holder = self.visitors.pages, self.app.state_holder
        pages.pop(session_hash, None)
        if limits.per_address() and address:
            own = [key for key, owner in pages.items() if owner == address and key in holder]
            if len(own) >= limits.SESSIONS_EACH:
                gone = next((key for key in own if not self.visitors.attended(key)), None)
                if gone is None:
                    raise RefusedError(429, _TOO_MANY_PAGES)
                self.forget(gone)
        pages[session_hash] = address
        while len(pages) > limits.SESSIONS:
            self.forget(next(iter(pages)))

    def forget(self, session_hash: str) -> None:
        """Drop a page and what Gradio holds of it."""
        self.visitors.pages.pop(session_hash, None)
        self.app.state_holder.delete_state(session_hash)
        self.app.state_holder.session_data.pop(session_hash, None)
        self.app.state_holder.time_last_used.pop(session_hash, None)


def sweep_files(folder: Path, now: float) -> None:
    """Remove uploads, and what Gradio made of them, that are older than any use of them."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # somebody else was faster
            if _NAMES_OF_FILES.fullmatch(path.name) and now - _newest(path) > limits.FILES_S:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def _newest(path: Path) -> float:
    return max(file.stat().st_mtime for file in [path, *path.rglob("*")])


@asynccontextmanager
async def guarded(app: App) -> AsyncIterator[None]:
    """The lifespan of the app."""
    space = app.get_blocks()
    if not isinstance(space, Space):
        raise TypeError(f"expected a Space, got {type(space).__name__}")
    if app.middleware_stack is None:
        raise TypeError("expected an app whose middleware is built, as it is while its lifespan begins")
    keeper = Keeper(app, space.sessions, space.visitors, space.live)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: report(context.get("exception") or RuntimeError()))
    app.middleware_stack = Guard(
        app.middleware_stack,
        space.visitors,
        Origins.from_environment(),
        keeper.turns.events_of,
        keeper.admit,
        keeper.turns.cancelled,
    )
    if space.live is not None:
        app.router.routes[:0] = space.live.routes()
    keeping = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        keeping.cancel()
