"""Rebuild the contracts and compare them with what a chain runs; exit 1 on any difference.

    ape run verify_deployment --network ethereum:sepolia:node

The address proves the init code and with it the constructor's arguments; the code is compared byte by byte, but for
the immutable values that the constructor wrote into it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from ape import project
from ape.api import ProviderAPI
from ape.cli import ConnectedProviderCommand

from tools.create2 import Planned, compiler_of, keccak256_hex, plan, read_build
from tools.records import record_path

PUSH1, PUSH32 = 0x60, 0x7F


@click.command(cls=ConnectedProviderCommand, help=__doc__)
@click.option("--record", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The record to check.")
def cli(provider: ProviderAPI, record: Path | None) -> None:
    path = record or record_path(provider.chain_id)
    if not path.exists():
        raise click.ClickException(f"No record of chain {provider.chain_id} at {path}: deploy first, or name --record.")
    recorded = json.loads(path.read_text())
    project.load_contracts()
    build = read_build()
    same = [_report("compiler", _difference(recorded.get("compiler"), compiler_of(build)))]
    for planned in plan(build):
        code = bytes(provider.get_code(planned.address))
        same.append(_report(planned.name, _contract(planned, recorded["contracts"].get(planned.name, {}), code)))
    sys.exit(0 if all(same) else 1)


def _report(name: str, problem: str | None) -> bool:
    click.echo(f"{name:16} {problem or 'same'}")
    return problem is None


def _difference(recorded: Any, built: Any) -> str | None:
    return None if recorded == built else f"DIFFERENT: the record says {recorded}, this build {built}"


def _contract(planned: Planned, recorded: dict[str, Any], code: bytes) -> str | None:
    """What differs between the build, the record and the code on chain, or None."""
    if not code:
        return f"DIFFERENT: no code at {planned.address}, where this build belongs"
    if not equal_but_immutables(planned.runtime, code):
        return f"DIFFERENT: the code at {planned.address} is not that of this build"
    built = {
        "address": planned.address,
        "arguments": list(planned.arguments),
        "initCodeHash": planned.init_code_hash,
        "runtimeHash": keccak256_hex(code),
    }
    return next((p for key, value in built.items() if (p := _difference(recorded.get(key), value))), None)


def equal_but_immutables(built: bytes, code: bytes) -> bool:
    """Whether both are equal outside the 32-byte operands that the build leaves zero: there immutables are written."""
    if len(built) != len(code):
        return False
    masked = bytearray(code)
    for start in _zero_operands(built):
        masked[start : start + 32] = bytes(32)
    return bytes(masked) == built


def _zero_operands(code: bytes) -> list[int]:
    """Where the operands of `PUSH32 0` begin."""
    found, position = [], 0
    while position < len(code):
        opcode = code[position]
        if opcode == PUSH32 and code[position + 1 : position + 33] == bytes(32):
            found.append(position + 1)
        position += 1 + (opcode - PUSH1 + 1 if PUSH1 <= opcode <= PUSH32 else 0)
    return found
