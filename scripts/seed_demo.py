"""Fill a local chain with real works and a real model, as its users would: with the command line.

    ape run seed_demo --network ethereum:local:foundry

Two photographs and a text are sealed and claimed by test:1, a small trained model is published by test:2. What is there
already stays: run it as often as you like.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import click
from ape.api import ProviderAPI
from ape.cli import ConnectedProviderCommand

from countersign.certificate import path_beside
from countersign.settings import LOCAL_CHAIN, Settings

WORKS = ("images/china.jpg", "images/flower.jpg", "descr/breast_cancer.rst")


@click.command(cls=ConnectedProviderCommand, help=__doc__)
def cli(provider: ProviderAPI) -> None:
    if provider.chain_id != LOCAL_CHAIN:
        raise click.ClickException(f"This is chain {provider.chain_id}: the demo is for the local chain only.")
    folder = Settings.from_env().home / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    rpc = str(provider.http_uri)
    works = [_copy(name, folder) for name in WORKS]
    drafted = [str(work) for work in works if path_beside(work).exists()]
    fresh = [str(work) for work in works if not path_beside(work).exists()]
    if drafted:
        _countersign(rpc, "test:1", "seal", *drafted, "--resume")
    for origin, suffix in (("digitalCapture", ".jpg"), ("digitalCreation", ".rst")):
        if chosen := [work for work in fresh if work.endswith(suffix)]:
            _countersign(rpc, "test:1", "seal", *chosen, "--origin", origin)
    for work in works:
        if _countersign(rpc, "test:1", "claim", str(work)):
            click.echo(f"{work.name} is left as it is: somebody claims it already.")
    _countersign(rpc, "test:2", "model", "publish", str(_trained_model(folder)), "--licence", "BSD-3-Clause")


def _copy(name: str, folder: Path) -> Path:
    source = files("sklearn") / "datasets" / name
    path = folder / Path(name).name
    path.write_bytes(source.read_bytes())
    return path


def _trained_model(folder: Path) -> Path:
    """Logistic regression on the Wisconsin breast cancer data: small, real, the same at every run."""
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = load_breast_cancer()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data.data, data.target)
    scaler, regression = model.steps[0][1], model.steps[1][1]
    weights = {
        "mean": scaler.mean_.round(6).tolist(),
        "scale": scaler.scale_.round(6).tolist(),
        "coefficients": regression.coef_[0].round(6).tolist(),
        "intercept": round(float(regression.intercept_[0]), 6),
    }
    path = folder / "breast-cancer-regression.json"
    path.write_text(json.dumps(weights, indent=1) + "\n")
    return path


def _countersign(rpc: str, key: str, *arguments: str) -> int:
    """Exit code of a command: 0 done, 1 the answer is no. What could not be done at all ends the script."""
    command = [sys.executable, "-m", "countersign", *arguments, "--key", key, "--rpc", rpc]
    code = subprocess.run(command, check=False).returncode
    if code > 1:
        raise click.ClickException(f"'countersign {' '.join(arguments[:2])}' failed; see above.")
    return code
