"""The thief story, told: `make demo`. Each step with its transactions, gas and time."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import click

from countersign.errors import CountersignError
from scripts.story import Step, Story
from tools.deployment import deploy_local
from tools.devnet import Devnet, DevnetError


def tell(step: Step) -> None:
    click.echo(f"{click.style('●', fg='cyan')} {click.style(step.title, bold=True)}  {step.seconds:.2f} s")
    for transaction, gas in step.transactions:
        click.echo(f"    transaction {transaction}  {gas:,} gas")
    click.echo(f"    {step.outcome}")


def main() -> int:
    start = time.perf_counter()
    try:
        with Devnet() as chain, tempfile.TemporaryDirectory() as folder:
            deploy_local(chain)
            story = Story(chain.url, Path(folder), tell)
            story.run()
    except (DevnetError, CountersignError, AssertionError) as error:
        click.echo(f"{click.style('the story broke', fg='red')}: {error}", err=True)
        return 1
    gas = sum(gas for step in story.steps for _, gas in step.transactions)
    seconds = time.perf_counter() - start
    click.echo(f"\n{len(story.steps)} steps, {gas:,} gas, {seconds:.1f} s: the creator keeps the work.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
