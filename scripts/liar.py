"""A dishonest node, for the demo only: it says the opposite of what its model finds. Run like the honest one:
``python -m scripts.liar oracle run``. What the package's journal forbids, signing both sides, it cannot do either."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from countersign.chain.client import Client
from countersign.checks import Check, Finding, Material, delivery_check
from countersign.keys.signer import open_signer
from countersign.oracle.config import NodeConfig
from countersign.oracle.node import Node, Options
from countersign.settings import Settings


class Turned:
    """A check whose findings are turned round."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self.name, self.weights, self.licence, self.card = check.name, check.weights, check.licence, check.card

    def run(self, material: Material) -> Finding:
        """A lie."""
        found = self._check.run(material)
        return Finding(0 if found.score >= 50 else 100, "a lie", found.details)


def main() -> None:
    """Serve until SIGTERM."""
    settings = Settings.from_env()
    config = NodeConfig.load(settings.home)
    options = Options(config.allowed, config.peers, config.listen, Path(config.files))
    signer = open_signer(config.key, settings.chain_id, str)
    check = Turned(delivery_check(config.check))
    asyncio.run(_serve(Node(settings, options, Client(settings.rpc, settings.chain_id), signer, check, _log)))


def _log(event: str, facts: dict[str, Any]) -> None:
    print(json.dumps({"event": event, "at": time.time(), **facts}), flush=True)


async def _serve(node: Node) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await node.run(stop)
    os._exit(0)  # a model library's threads need not be waited for


if __name__ == "__main__":
    main()
