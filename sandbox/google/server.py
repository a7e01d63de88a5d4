"""Google Ads for the unmodified SDK: the services over TLS, in every version that it has, and an OAuth token endpoint.

SANDBOX_GOOGLE_DAILY_OPERATIONS limits how many requests are answered, as an access level does; unset means no limit.
SANDBOX_GOOGLE_REQUESTS_PER_SECOND and `--throttle`: see `sandbox.google.throttles`.
SANDBOX_GOOGLE_QUIRKS makes single accounts misbehave, see `sandbox.google.quirks`.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from sandbox.faults import LOSSES, Faults
from sandbox.google import certificate, oauth
from sandbox.google.gate import Gate
from sandbox.google.quirks import Quirks
from sandbox.google.resources import MANAGER_ID
from sandbox.google.services import Services
from sandbox.pace import Pace
from sandbox.world import World

FAULTS = (
    "rate_limit",
    "expired_token",
    "revoked_token",
    "server_error",
    "html",
    "broken_connection",
    "hang",
    "no_refresh_token",
    *LOSSES,
)
"""The faults that this server can commit; `html` is the token endpoint's."""


def serve(world: World, faults: Faults, pace: Pace) -> Server:
    """Start serving on free ports of 127.0.0.1."""
    return Server(world, faults, pace)


class Server:
    """A running server; `environment` points a pipeline at it."""

    def __init__(self, world: World, faults: Faults, pace: Pace) -> None:
        self._closing = threading.Event()
        quirks = Quirks.read()
        tokens = oauth.Tokens(reauthenticate=quirks.has("rapt"))
        self._oauth = oauth.TokenEndpoint(tokens, faults, self._closing, pace)
        trusted = certificate.made()
        self._directory = Path(tempfile.mkdtemp(prefix="sandbox-google-"))
        roots = self._directory / "roots.pem"
        roots.write_bytes(trusted.chain)
        # Threads wait for the round trip, so there are as many of them as requests that a connection takes at once.
        self._server = grpc.server(ThreadPoolExecutor(100))
        gate = Gate(faults, tokens, self._closing, quirks, pace)
        self._server.add_generic_rpc_handlers((Services(world, gate, quirks),))
        port = self._server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(trusted.key, trusted.chain)]))
        self._server.start()
        self.environment = {
            "GOOGLE_CONFIG_FILE": str(self._configuration()),
            "GOOGLE_MANAGER_CUSTOMER_ID": f"{MANAGER_ID[:3]}-{MANAGER_ID[3:6]}-{MANAGER_ID[6:]}",
            "GOOGLE_ADS_ENDPOINT": f"localhost:{port}",
            "GOOGLE_TOKEN_URI": self._oauth.uri,
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(roots),
        }

    def close(self) -> None:
        """Stop serving, whatever is being answered."""
        self._closing.set()
        self._server.stop(grace=None).wait(5)
        self._oauth.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _configuration(self) -> Path:
        path = self._directory / "google-ads.yaml"
        path.touch(mode=0o600)
        path.write_text(
            f"client_id: {oauth.CLIENT_ID}\nclient_secret: {oauth.CLIENT_SECRET}\n"
            f"refresh_token: {oauth.REFRESH_TOKEN}\nuse_proto_plus: false\n",
            encoding="utf-8",
        )
        return path
