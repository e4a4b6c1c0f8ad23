"""The web process as it is in life, uvicorn with its pages and streams, on the database of the test that starts it.

In a thread of the tests and not in a process, whose settings would know no test database and no files that nobody
collected. It can be stopped and started again at the same address.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import uvicorn


class WebServer:
    def __init__(self, port: int = 0) -> None:
        self._socket = self._listen(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        from helpdesk.asgi import application

        if self._socket.fileno() < 0:
            self._socket = self._listen(self.port)
        config = uvicorn.Config(application, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
        server = self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(server)), daemon=True)
        self._thread.start()
        while not server.started:
            time.sleep(0.01)

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(10)
        self._server = None
        self._socket.close()

    async def _run(self, server: uvicorn.Server) -> None:
        from helpdesk.streaming import hub

        serving = asyncio.ensure_future(server.serve(sockets=[self._socket]))
        while not server.should_exit:
            await asyncio.sleep(0.02)
        hub.close()  # which the signal does, that no thread gets
        await serving

    @staticmethod
    def _listen(port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", port))
        return listener


@contextlib.contextmanager
def reserved_port() -> Iterator[int]:
    """Nobody is given it by chance, and servers here can listen at it, one after the other."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextlib.contextmanager
def running(port: int = 0) -> Iterator[WebServer]:
    server = WebServer(port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
