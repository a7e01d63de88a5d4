"""The listening socket, one thread per connection, and what precedes a login: load balancing, TLS, cancellation."""

from __future__ import annotations

import socket
import ssl
import struct
import tempfile
import threading
from pathlib import Path

from sandbox.vertica import protocol
from sandbox.vertica.database import Database, Settings
from sandbox.vertica.protocol import Channel, DisconnectedError
from sandbox.vertica.session import Session

_BACKLOG = 64


class VerticaServer:
    """Listens from its creation on; `port` is the one it got. `close` ends the listening, not the sessions."""

    def __init__(self, settings: Settings, port: int = 0) -> None:
        self._spools = tempfile.TemporaryDirectory(prefix="vertica-double-")
        self.database = Database(settings, Path(self._spools.name))
        self._listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self._spools.cleanup()

    def _accept(self) -> None:
        while True:
            try:
                sock, peer = self._listener.accept()
            except OSError:  # closed
                return
            name = f"{peer[0]}:{peer[1]}"
            threading.Thread(target=self._serve, args=(sock, name), name=name, daemon=True).start()

    def _serve(self, sock: socket.socket, peer: str) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel = Channel(sock)
        try:
            asked = self._greet(sock, channel)
            if asked is not None:
                Session(self.database, channel, asked, peer).serve()
        except (DisconnectedError, ssl.SSLError, OSError):
            pass  # the client left, or did not trust the certificate
        finally:
            channel.close()

    def _greet(self, sock: socket.socket, channel: Channel) -> dict[str, str] | None:
        """What the startup message asks for; None if the connection only wanted to cancel another's statement."""
        settings = self.database.settings
        while True:
            code, body = channel.read_greeting()
            if code == protocol.LOAD_BALANCE:
                if settings.balance_to:
                    host, port = settings.balance_to
                    channel.put(b"Y", struct.pack("!I", port) + host.encode() + b"\0")
                    channel.flush()
                else:
                    channel.raw(b"N")
            elif code == protocol.SSL:
                channel.raw(b"S" if settings.tls else b"N")
                if settings.tls:
                    channel.replace(settings.tls.wrap_socket(sock, server_side=True))
            elif code == protocol.CANCEL:
                self.database.cancel(*struct.unpack("!II", body))
                return None
            else:
                asked, newest = protocol.startup_parameters(body)
                channel.protocol = min(newest, protocol.NEWEST)
                return asked
