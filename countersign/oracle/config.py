"""The file of a node, ``node.json`` in its home: what it checks, whom it serves, whom it talks to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from countersign.canonical import checksum, from_address
from countersign.checks import PRIOR_WORK
from countersign.durable import make_private_folder, write_durably
from countersign.errors import InputError
from countersign.oracle.decide import OBJECTION, QUESTION, Allowed

__all__ = ["FORMAT", "NodeConfig", "address_of"]

FORMAT = "countersign-node/1"
_NAME = "node.json"


@dataclass(frozen=True)
class NodeConfig:
    """``check``: a name of countersign.checks; ``key``: a signer URI; ``listen``: host:port of the relay; ``peers``:
    URLs of other nodes; ``files``: the folder from which file: deliveries may be read, "" for none."""

    check: str
    key: str
    policies: tuple[bytes, ...] = ()
    arbiters: tuple[bytes, ...] = ()
    peers: tuple[str, ...] = ()
    listen: str = "127.0.0.1:7101"
    files: str = ""

    def __post_init__(self) -> None:
        """Raises InputError for a bad address of the relay or of a peer."""
        address_of(self.listen)
        for peer in self.peers:
            if urlsplit(peer).scheme not in ("http", "https") or not urlsplit(peer).hostname:
                raise InputError(f"The peer '{peer[:80]}' is no URL.", "Give http://HOST:PORT.")

    @property
    def allowed(self) -> Allowed:
        """Whom the node serves, and what its check answers."""
        question = OBJECTION if self.check == PRIOR_WORK else QUESTION
        return Allowed(frozenset(self.policies), frozenset(self.arbiters), question)

    def save(self, home: Path) -> Path:
        """Write the file durably; its path."""
        make_private_folder(home)
        lists = {"policies": [*map(checksum, self.policies)], "arbiters": [*map(checksum, self.arbiters)]}
        fields = {"format": FORMAT, "check": self.check, "key": self.key, **lists, "peers": [*self.peers]}
        fields |= {"listen": self.listen, "files": self.files}
        write_durably(home / _NAME, json.dumps(fields, indent=2).encode() + b"\n", private=True)
        return home / _NAME

    @classmethod
    def load(cls, home: Path) -> NodeConfig:
        """Read the file. Raises InputError when there is none or it is damaged."""
        path = home / _NAME
        try:
            return _config(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise InputError(f"There is no node in {home}.", "Make one: countersign oracle init.") from error
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is no node's file: {error}.", "Correct it, or make it anew.") from error


def _config(fields: Any) -> NodeConfig:
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    policies, arbiters = (tuple(map(from_address, _texts(fields, name))) for name in ("policies", "arbiters"))
    check, key, listen, files = (_text(fields, name) for name in ("check", "key", "listen", "files"))
    return NodeConfig(check, key, policies, arbiters, tuple(_texts(fields, "peers")), listen, files)


def _text(fields: dict[str, Any], name: str) -> str:
    if not isinstance(fields[name], str):
        raise TypeError(f"'{name}' is not a text")
    value: str = fields[name]
    return value


def _texts(fields: dict[str, Any], name: str) -> list[str]:
    if not isinstance(fields[name], list) or not all(isinstance(each, str) for each in fields[name]):
        raise TypeError(f"'{name}' is not a list of texts")
    values: list[str] = fields[name]
    return values


def address_of(listen: str) -> tuple[str, int]:
    """Host and port. Raises InputError."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise InputError(f"'{listen[:80]}' is no address to listen on.", "Give HOST:PORT, such as 127.0.0.1:7101.")
    return host.strip("[]"), int(port)
