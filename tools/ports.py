"""The ports of `make up`; run as a script, says which of them is taken."""

from __future__ import annotations

import os
import socket
import sys

PORTS = {"COUNTERSIGN_RPC_PORT": 8545, "COUNTERSIGN_WEB_PORT": 8501}
"""Environment variable and default of each port."""


class PortError(Exception):
    """A port cannot be used; the message says which and what to do."""


def port_is_free(port: int) -> bool:
    """Whether this machine's port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def chosen_port(variable: str) -> int:
    """The port that the environment or its default names, if it is free. Raises PortError."""
    text = os.environ.get(variable) or str(PORTS[variable])
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise PortError(f"{variable} is '{text}', not a port: set it to a number such as {PORTS[variable]}.")
    if not port_is_free(int(text)):
        other = PORTS[variable] + 1000
        raise PortError(
            f"Port {text} is taken: stop what listens there, or choose another: {variable}={other} make up."
        )
    return int(text)


def main() -> int:
    """Exit 1 with one sentence when a port is taken."""
    try:
        for variable in PORTS:
            chosen_port(variable)
    except PortError as error:
        print(f"countersign: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
