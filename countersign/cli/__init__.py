"""The command line: parse, call, print. Exit code 0 yes or done, 1 no, 2 could not check or do."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

import click

from countersign import __version__
from countersign.cli.text import printable
from countersign.errors import CountersignError

__all__ = ["main"]

_COMMANDS = {
    "seal": "works",
    "flush": "outputs",
    "claim": "works",
    "retract": "works",
    "object": "objections",
    "answer": "objections",
    "objections": "objections",
    "certificate": "bundles",
    "verify": "reading",
    "refresh": "refreshing",
    "show": "reading",
    "mine": "reading",
    "find": "finding",
    "recover": "finding",
    "graph": "provenance",
    "export-evidence": "evidence",
    "model": "models",
    "c2pa": "credentials",
    "oracle": "oracle",
    "keys": "keys",
    "policy": "policies",
    "deal": "deals",
    "request": "deals",
    "index": "index",
    "doctor": "doctor",
}
"""Command → module of this package, imported only when the command runs: `verify` stays light."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"countersign.cli.{_COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="countersign")
def cli() -> None:
    """Seal works before you post them, prove it offline, be paid when AI oracles say that the delivery is good.

    \b
    The flow:
      countersign keys new me.json                       make a key
      countersign seal photo.jpg --key keystore:me.json  seal it; photo.jpg.countersign.json is the certificate
      countersign claim photo.jpg --key keystore:me.json make the claim public, once the seal is final
      countersign verify photo.jpg                       anybody checks, with the file and the certificate

    \b
    More works, copies of them, and disputes:
      countersign seal photos/                           any number in one transaction; certificates in one bundle
      countersign seal photo.jpg --c2pa --disclosure …   also the copy to publish, with Content Credentials
      countersign find copy.jpg                          who claims a similar work; recover rebuilds its certificate
      countersign graph photo.jpg                        what it derives from
      countersign object theirs.jpg --my-work mine.jpg   a public notice against a claim
      countersign export-evidence photo.jpg              one ZIP that is checked offline

    \b
    Payment that follows a verdict of AI oracles:
      countersign policy list                            who judges
      countersign deal propose NAME …                    terms, explained in plain words; nothing is paid
      countersign deal open NAME.terms.json              the buyer pays into the escrow
      countersign deal deliver NAME.terms.json FILE      the seller delivers, the committee judges
      countersign deal settle NAME.terms.json            anybody has it paid as the verdict says

    \b
    Exit codes: 0 yes or done, 1 no, 2 could not check or do.
    """


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the ``countersign`` command: every failure is a sentence and an exit code, never a traceback."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = cli.main(arguments, prog_name="countersign", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except CountersignError as error:
        _complain(arguments, {"error": error.message, "next": error.next_step})
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        _complain(arguments, {"error": "Stopped.", "next": "Run the same command again to go on."})
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has seen enough
        sys.exit(2)
    except OSError as error:
        what = f"{error.filename or 'The system'}: {error.strerror or error}."
        _complain(arguments, {"error": what, "next": "Check name, permissions and disk."})
        sys.exit(2)
    except click.ClickException as error:
        _complain(arguments, {"error": error.format_message(), "next": "See --help."})
        sys.exit(2)


def _complain(arguments: list[str], answer: dict[str, Any]) -> None:
    if "--json" in arguments:
        click.echo(json.dumps(answer))
    else:
        text = f"{click.style('error', fg='red')}: {answer['error']}\n       {answer['next']}"
        click.echo(printable(text), err=True)
