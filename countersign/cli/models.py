"""``model publish|show``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from countersign import models
from countersign.canonical import checksum, from_hex, model_id, to_hex
from countersign.chain.sender import intent
from countersign.cli.shell import Shell, command, digest
from countersign.errors import InputError
from countersign.records import ZERO
from countersign.times import utc

__all__ = ["model_command"]


@click.group("model")
def model_command() -> None:
    """Model versions: which weights, card, data and licence stand behind an output."""


@command(
    "publish",
    """
countersign model publish weights.onnx --card README.md --licence Apache-2.0 --key keystore:me.json
countersign model publish tuned.onnx --parent 0x… --licence MIT
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--card", type=click.Path(path_type=Path), help="The model card; its SHA-256 is published.")
@click.option("--licence", default="", metavar="SPDX", help="SPDX licence expression, e.g. Apache-2.0.")
@click.option("--data", metavar="0x…", help="RFC 6962 root over the training items.")
@click.option("--metrics", type=click.Path(path_type=Path), help="Metrics document; its SHA-256 is published.")
@click.option("--parent", "parents", multiple=True, metavar="ID", help="A model it derives from; repeatable.")
def _publish(shell: Shell, file: Path, licence: str, data: str | None, parents: tuple[str, ...], **said: Any) -> None:
    """Publish the model in FILE now, under your name. Writes FILE.model.json, which says what was published."""
    weights = digest(shell, file).sha256
    documents = {name: digest(shell, path).sha256 if path else ZERO for name, path in said.items()}
    signer, client = shell.signer(), shell.client()
    model = models.describe(
        signer.address,
        weights,
        licence=licence,
        data=from_hex(data, 32, "data root") if data else ZERO,
        parents=[from_hex(parent, 32, "model id") for parent in parents],
        **documents,
    )
    manifest = file.with_name(file.name + ".model.json")
    models.save_manifest(manifest, file.name, model)
    identifier = model_id(model)
    if not client.model_times(identifier).published_at:
        call = models.publish_call(client.contracts, model)
        shell.send(shell.sender(client, signer), call, intent("publish", identifier), "publish")
    shell.answer(
        {"modelId": to_hex(identifier), "manifest": str(manifest), "publisher": checksum(signer.address)},
        f"published {to_hex(identifier)}\nmanifest: {manifest}",
    )


@command("show", "countersign model show weights.onnx.model.json\ncountersign model show 0x…")
@click.argument("target", metavar="MANIFEST|ID")
def _show(shell: Shell, target: str) -> int:
    """When a model version was published, deprecated, revoked, and by whom."""
    identifier = from_hex(target, 32, "model id") if target.startswith("0x") else _manifest_id(Path(target))
    times = shell.client().model_times(identifier)
    facts = {"modelId": to_hex(identifier), **vars(times)}
    shell.answer(facts, _text(identifier, vars(times)))
    return 0 if times.published_at else 1


def _manifest_id(path: Path) -> bytes:
    if not path.name.endswith(".model.json"):
        raise InputError(f"{path} is not a manifest.", "Give a .model.json file or a model id (0x…).")
    return model_id(models.load_manifest(path))


def _text(identifier: bytes, times: dict[str, int]) -> str:
    if not times["published_at"]:
        return f"{to_hex(identifier)} is not published on this chain."
    lines = [f"model      {to_hex(identifier)}"]
    lines += [f"{name.removesuffix('_at'):<10} {utc(time)}" for name, time in times.items() if time]
    return "\n".join(lines)


for _command in (_publish, _show):
    model_command.add_command(_command)
