"""Both stories, told: `make demo`. Each step with its transactions, gas and time."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import click

from countersign.errors import CountersignError
from scripts.payment import PaymentStory
from scripts.story import Step, Story
from tools.deployment import deploy_local
from tools.devnet import Devnet, DevnetError


def tell(step: Step) -> None:
    """One step for people."""
    click.echo(f"{click.style('●', fg='cyan')} {click.style(step.title, bold=True)}  {step.seconds:.2f} s")
    for transaction, gas in step.transactions:
        click.echo(f"    transaction {transaction}  {gas:,} gas")
    click.echo(f"    {step.outcome}")


def count_down(seconds: int) -> None:
    """The challenge window, on one line of a terminal."""
    if sys.stdout.isatty():
        click.echo(f"\r    challenge window: {seconds} s " if seconds else "\r" + 40 * " " + "\r", nl=False)


def thief() -> Story:
    """A creator seals, then posts; a thief tries everything and loses."""
    with Devnet() as chain, tempfile.TemporaryDirectory() as folder:
        deploy_local(chain)
        story = Story(chain.url, Path(folder), tell)
        story.run()
        return story


def payment() -> Story:
    """A buyer pays for what AI oracles found good, and only for that."""
    with Devnet(block_time=1) as chain, tempfile.TemporaryDirectory() as folder:
        deploy_local(chain)
        story = PaymentStory(chain.url, Path(folder), tell, count_down)
        story.run()
        return story


def main() -> int:
    """Exit 1 when a story ends otherwise than it should."""
    for title, tell_story, moral in (
        ("The thief", thief, "the creator keeps the work"),
        ("The payment", payment, "payment followed the verdict"),
    ):
        click.echo(click.style(f"\n{title}\n", bold=True))
        start = time.perf_counter()
        try:
            story = tell_story()
        except (DevnetError, CountersignError, AssertionError, TimeoutError) as error:
            click.echo(f"{click.style('the story broke', fg='red')}: {error}", err=True)
            return 1
        gas = sum(gas for step in story.steps for _, gas in step.transactions)
        click.echo(f"\n{len(story.steps)} steps, {gas:,} gas, {time.perf_counter() - start:.1f} s: {moral}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
