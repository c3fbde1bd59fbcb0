"""Write from Ape's build what the package ships: the ABIs, and the CREATE2 addresses of every chain."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tools.create2 import DEPLOYER, ROOT, SALT, BuildError, compiler_of, plan, read_build

ABI_FOLDER = Path("countersign", "chain", "abi")
CREATE2_FILE = Path("deployments", "create2.json")


def exported(build: dict[str, Any]) -> dict[Path, str]:
    """The text of every generated file, by its path in the repository."""
    planned = plan(build)
    contracts = {
        p.name: {"address": p.address, "initCodeHash": p.init_code_hash, "arguments": list(p.arguments)}
        for p in planned
    }
    addresses = {
        "deployer": DEPLOYER,
        "salt": "0x" + SALT.hex(),
        "compiler": compiler_of(build),
        "contracts": contracts,
    }
    files = {ABI_FOLDER / f"{p.name}.json": _text(build["contractTypes"][p.name]["abi"]) for p in planned}
    return files | {CREATE2_FILE: _text(addresses)}


def _text(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"


def main() -> int:
    """Write the files and name those that changed."""
    try:
        files = exported(read_build())
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    for path, text in files.items():
        file = ROOT / path
        if not file.exists() or file.read_text() != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
