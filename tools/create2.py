"""Which contracts the project deploys, and where: computed from Ape's build alone, the same on every chain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from Crypto.Hash import keccak
from eth_utils.address import to_checksum_address

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / ".build" / "__local__.json"
DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""Arachnid's CREATE2 deployer: its calldata is the salt and then the init code."""
SALT = bytes(32)

NEEDS: dict[str, tuple[str, ...]] = {
    "Identities": (),
    "ContentRegistry": ("Identities",),
    "ModelRegistry": ("Identities",),
    "OracleNodes": (),
    "Oracle": ("OracleNodes", "ModelRegistry"),
    "Escrow": ("Oracle",),
}
"""Each contract, after those whose addresses its constructor takes."""


class BuildError(Exception):
    """There is no build, or not all of it; the message says what to do."""


@dataclass(frozen=True)
class Planned:
    """One contract as it will be deployed. ``runtime`` has zeros in place of immutable values."""

    name: str
    address: str
    arguments: tuple[str, ...]
    init_code: bytes
    runtime: bytes

    @property
    def init_code_hash(self) -> str:
        """Keccak-256 of the init code, constructor arguments included."""
        return keccak256_hex(self.init_code)

    @property
    def calldata(self) -> bytes:
        """What to send to the CREATE2 deployer."""
        return SALT + self.init_code


def keccak256_hex(data: bytes) -> str:
    """0x-prefixed Keccak-256."""
    return "0x" + keccak.new(digest_bits=256, data=data).hexdigest()


def create2_address(init_code: bytes) -> str:
    """Where the deployer puts this init code (EIP-1014), with checksum (EIP-55)."""
    preimage = b"\xff" + bytes.fromhex(DEPLOYER[2:]) + SALT + bytes.fromhex(keccak256_hex(init_code)[2:])
    return to_checksum_address("0x" + keccak256_hex(preimage)[-40:])


def read_build(manifest: Path = MANIFEST) -> dict[str, Any]:
    """Ape's build as an ethPM manifest. Raises BuildError."""
    try:
        build: dict[str, Any] = json.loads(manifest.read_text())
    except FileNotFoundError:
        raise BuildError("The contracts are not compiled: run `make abi`.") from None
    if missing := sorted(NEEDS.keys() - build["contractTypes"].keys()):
        raise BuildError(f"The build lacks {', '.join(missing)}: run `make abi`.")
    return build


def compiler_of(build: dict[str, Any]) -> dict[str, Any]:
    """The compiler settings that the code depends on."""
    compiler = next(c for c in build["compilers"] if "ContentRegistry" in c["contractTypes"])
    optimizer = compiler["settings"]["optimizer"]
    return {
        "version": compiler["version"],
        "evmVersion": compiler["settings"]["evmVersion"],
        "optimizer": optimizer["enabled"],
        "runs": optimizer["runs"],
    }


def plan(build: dict[str, Any]) -> list[Planned]:
    """Every contract to deploy, in order."""
    planned: dict[str, Planned] = {}
    for name, needs in NEEDS.items():
        planned[name] = _planned(name, build["contractTypes"][name], tuple(planned[need].address for need in needs))
    return list(planned.values())


def _planned(name: str, contract: dict[str, Any], arguments: tuple[str, ...]) -> Planned:
    words = b"".join(bytes.fromhex(argument[2:]).rjust(32, b"\0") for argument in arguments)
    init_code = _code(contract["deploymentBytecode"]) + words
    return Planned(name, create2_address(init_code), arguments, init_code, _code(contract["runtimeBytecode"]))


def _code(bytecode: dict[str, Any]) -> bytes:
    return bytes.fromhex(bytecode["bytecode"].removeprefix("0x"))
