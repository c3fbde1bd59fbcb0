"""Put a Solidity compiler into .solc/: the native one where it can be downloaded, else npm's WebAssembly build."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

VERSION = "0.8.37"
ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".solc"
COMPILER = FOLDER / f"solc-v{VERSION}"
WASM = Path("..", "tools", "solc", COMPILER.name)
TIMEOUT = 20
"""Seconds the download may take: some networks drop packets instead of refusing the connection."""


def works(compiler: Path) -> bool:
    """Whether the compiler starts and is of the version wanted."""
    try:
        answer = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and VERSION in answer.stdout


def download() -> bool:
    """Let solcx fetch the native compiler, in a process of its own that TIMEOUT ends whatever the network does."""
    code = f"import solcx; solcx.install_solc('{VERSION}')"
    env = {**os.environ, "SOLCX_BINARY_PATH": str(FOLDER)}
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return child.wait(TIMEOUT) == 0
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        return False


def main() -> int:
    """Install what is missing, say which compiler is used; exit 1 when neither works."""
    if not works(COMPILER):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        if not (download() and works(COMPILER)):
            COMPILER.unlink(missing_ok=True)
            COMPILER.symlink_to(WASM)
    if not works(COMPILER):
        print(f"solc {VERSION} does not start: run `npm ci` and look at its messages.", file=sys.stderr)
        return 1
    print(f"  solc {VERSION}: {'WebAssembly, from npm' if COMPILER.is_symlink() else 'native'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
