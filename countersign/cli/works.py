"""``seal``, ``claim``, ``retract``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign import seal
from countersign.canonical import checksum, from_hex, to_hex
from countersign.certificate import BUNDLE_SUFFIX, Certificate, path_beside
from countersign.certificate.document import SUFFIX
from countersign.chain.sender import intent
from countersign.cli.batches import fingerprints, seal_batch
from countersign.cli.bundles import taken_out
from countersign.cli.credentials import Described, Marks, credentialed, disclosed, marking_options, with_copies
from countersign.cli.finding import EarlierWorks
from countersign.cli.shell import Shell, certificate_path, command, content_of, digest
from countersign.errors import InputError, NotFinal, WrongChain
from countersign.fingerprint.c2pa.container import original_of
from countersign.records import ORIGINS, ZERO

if TYPE_CHECKING:
    from countersign.chain.client import Client
    from countersign.chain.sender import Sender
    from countersign.keys.signer import Signer

__all__ = ["claim_command", "retract_command", "seal_command"]

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
_WAIT = click.option("--wait/--no-wait", default=True, help="Wait until the seal is final (default).")


@command(
    "seal",
    """
countersign seal photo.jpg --key keystore:me.json --origin trainedAlgorithmicMedia
countersign seal *.png --key test:0          one transaction for all of them
countersign seal photos/ --key test:0        any number of works: photos.countersign.bundle has all certificates
countersign seal photo.jpg --key test:0 --origin trainedAlgorithmicMedia --c2pa --training notAllowed --disclosure
countersign seal photo.jpg --resume          go on after a crash or without waiting
""",
)
@_FILES
@click.option("--origin", type=click.Choice([o for o in ORIGINS if o]), metavar="TERM", default=None,
              help="IPTC digital source type, e.g. trainedAlgorithmicMedia, digitalCapture, humanEdits.")  # fmt: skip
@click.option("--model", metavar="ID", help="The model that made it (modelId, 0x…).")
@click.option("--metadata", type=click.Path(path_type=Path), help="A document about it; only its SHA-256 is sealed.")
@click.option("--parent", "parents", multiple=True, metavar="FILE|0x…", help="A work it derives from; repeatable.")
@click.option("--fingerprint/--no-fingerprint", default=None,
              help="Seal an ISCC of each file too, which finds copies (default: if 'media' is there).")  # fmt: skip
@click.option("--bundle", type=click.Path(path_type=Path), help="Pack all certificates into this one file.")
@click.option("--skip-bad", is_flag=True, help="In a bundle, leave out files that are empty or cannot be read.")
@click.option("--resume", is_flag=True, help="Go on with what is drafted already.")
@marking_options
@_WAIT
def seal_command(shell: Shell, files: tuple[Path, ...], bundle: Path | None, skip_bad: bool, resume: bool, wait: bool,
                 **said: Any) -> None:  # fmt: skip
    """Seal FILES before you post them: nothing about them becomes public.

    Writes FILE.countersign.json beside each: first as a draft with its secret salt, then, once the seal is final, as
    the certificate. Of a folder it writes one FOLDER.countersign.bundle, out of which 'countersign certificate' takes
    single certificates. With --c2pa, publish the copy that carries Content Credentials: it is sealed too, and the file
    itself is left as it is.

    Sealed first is not the same as created: the seal proves that you had these bytes at that time.
    """
    marks = Marks.taken_from(said)
    marks.require_use(metadata=bool(said["metadata"]))
    given = bool(marks) or any(value is not None and value != () for value in said.values())
    if resume and given:
        raise InputError("A draft already says what the work is.", "Leave the other options out with --resume.")
    files = tuple(dict.fromkeys(files))
    if bundle or any(file.is_dir() or file.name.endswith(BUNDLE_SUFFIX) for file in files):
        if marks:
            raise InputError("A bundle has neither Content Credentials nor disclosures.", "Name the files one by one.")
        seal_batch(shell, files, bundle, _said(shell, **said) if given else None, skip_bad, wait)
    elif skip_bad:
        raise InputError("Without a bundle no file is left out.", "Pack the files with --bundle NAME, or name others.")
    else:
        _seal_each(shell, files, None if resume else _said(shell, **said), marks, wait)


def _seal_each(shell: Shell, files: tuple[Path, ...], said: seal.Said | None, marks: Marks, wait: bool) -> None:
    """A certificate beside each file; ``said`` is None to go on with the drafts that lie there."""
    if said is None:
        drafts = dict(_load_draft(shell, file) for file in with_copies(files))
        signer, client = shell.signer(), shell.client()
    else:
        _require_no_drafts(files)
        described = [(file, said.of(file, digest(shell, file).sha256), said.parents) for file in files]
        signer, client = shell.signer(), shell.client()
        drafts = _draft(shell, client, signer, _marked(shell, client, signer, described, marks))
    done = _seal_and_prove(shell, client, signer, drafts, wait)
    shell.answer([_summary(path, c) for path, c in done.items()], _sealed_text(done))


def _load_draft(shell: Shell, file: Path) -> tuple[Path, Certificate]:
    """Draft of a work, or the draft itself. A file that changed since is refused: its new bytes would not be sealed."""
    path = certificate_path(file)
    if not path.exists():
        raise InputError(f"The draft {path} cannot be read: there is none.", "Seal that file without --resume.")
    certificate = Certificate.load(path)
    if path != file and file.exists() and digest(shell, file).sha256 != certificate.work.content:
        raise InputError(f"{file} changed since its draft was made.", "Restore it, or move the draft away and seal it.")
    return path, certificate


def _require_no_drafts(files: tuple[Path, ...]) -> None:
    for file in files:
        if path_beside(file).exists():
            raise InputError(f"{path_beside(file)} exists already.", "Use --resume to go on with it, or move it away.")


def _said(shell: Shell, origin: str | None, model: str | None, metadata: Path | None, parents: tuple[str, ...],
          fingerprint: bool | None) -> seal.Said:  # fmt: skip
    """What the options say of every work."""
    return seal.Said(
        origin=origin or "",
        model=from_hex(model, 32, "model id") if model else ZERO,
        metadata=digest(shell, metadata).sha256 if metadata else ZERO,
        parents=tuple(content_of(shell, parent) for parent in parents),
        fingerprinted=fingerprints(fingerprint),
    )


def _marked(shell: Shell, client: Client, signer: Signer, described: list[Described], marks: Marks) -> list[Described]:
    """The works with what the options mark them with. Whoever is interrupted here runs the same command again."""
    if marks.disclosure:
        described = disclosed(described, marks.training)
    if not marks.c2pa:
        return described
    marked = credentialed(shell, described, marks, lambda work: _drafts(shell, client, signer, [work])[0])
    _require_no_drafts(tuple(file for file, *_ in marked))
    return marked


def _drafts(shell: Shell, client: Client, signer: Signer, works: list[Described]) -> list[Certificate]:
    secret = seal.load_secret(shell.settings.secret_path)
    entries = [seal.Draft(_name(file), work, seal.salt_of(secret, work), parents) for file, work, parents in works]
    return seal.drafts(entries, signer.address, client.contracts)


def _draft(shell: Shell, client: Client, signer: Signer, works: list[Described]) -> dict[Path, Certificate]:
    """Drafts on disk, salts included: from here on nothing can be lost."""
    made = {}
    for (file, *_), draft in zip(works, _drafts(shell, client, signer, works), strict=True):
        draft.save(path_beside(file), replace=False)
        made[path_beside(file)] = draft
    shell.say(f"draft saved: {', '.join(path.name for path in made)}")
    return made


def _name(file: Path) -> str:
    """The file's name as Unicode text: on Linux a name may be any bytes."""
    return file.name.encode(errors="replace").decode()


def _seal_and_prove(
    shell: Shell, client: Client, signer: Signer, drafts: dict[Path, Certificate], wait: bool
) -> dict[Path, Certificate]:
    sender = shell.sender(client, signer)
    done: dict[Path, Certificate] = {}
    for _, group in groupby(sorted(drafts.items(), key=_root), key=_root):
        batch = dict(group)
        first = next(iter(batch.values()))
        _require_chain(client, first)
        for path, certificate in batch.items():
            batch[path] = _signed(signer, path, certificate)
        sealer = _sealer(client, first, signer)
        for path, certificate in batch.items():
            done[path] = _sealed(shell, client, sender, replace(certificate, sealer=sealer), wait)
            done[path].save(path)
    return done


def _signed(signer: Signer, path: Path, draft: Certificate) -> Certificate:
    """The creator's consent is in the certificate; the draft is on disk before the key is used."""
    if draft.signature or signer.address != draft.creator:
        return draft
    signed = replace(draft, signature=signer.sign_digest(draft.digest))
    signed.save(path)
    return signed


def _sealer(client: Client, draft: Certificate, signer: Signer) -> bytes:
    """Who sealed an interrupted draft already, or else who is going to: a seal may have vanished with its block."""
    known = filter(None, (draft.sealer, draft.creator))
    return next((sealer for sealer in known if client.seal_of(draft.root, sealer)), signer.address)


def _sealed(shell: Shell, client: Client, sender: Sender, draft: Certificate, wait: bool) -> Certificate:
    """The certificate; without ``wait`` the draft, which names its sealer now, as long as the seal is not final."""
    sealer = draft.opening().sealer

    def attempt() -> Certificate:
        if client.seal_of(draft.root, sealer) is None:  # not yet, or the chain took it back
            shell.send(sender, seal.seal_call(draft), intent("seal", draft.root, sender.address), "seal")
        return seal.prove(client, draft, sealer)

    try:
        return shell.until_final(attempt, wait)
    except NotFinal:
        return draft


def _root(draft: tuple[Path, Certificate]) -> bytes:
    return draft[1].root


def _proved(shell: Shell, client: Client, certificate: Certificate, sealer: bytes, wait: bool) -> Certificate:
    return shell.until_final(lambda: seal.prove(client, certificate, sealer), wait)


def _require_chain(client: Client, certificate: Certificate) -> None:
    """A leaf names chain and registry: sealed elsewhere it could never be claimed."""
    if certificate.contracts != client.contracts:
        meant = certificate.contracts.chain_id
        raise WrongChain(
            f"This work was drafted for chain {meant}, registry {checksum(certificate.contracts.registry)}.",
            f"Use --chain {meant} and its node; the registry here is {checksum(client.contracts.registry)}.",
        )


def _summary(path: Path, c: Certificate) -> dict[str, Any]:
    return {
        "certificate": str(path),
        "content": to_hex(c.work.content),
        "creator": checksum(c.creator),
        "root": to_hex(c.root),
        "state": c.state,
    }


def _sealed_text(done: dict[Path, Certificate]) -> str:
    names = "\n".join(f"  {path}" for path in done)
    if any(certificate.state == "draft" for certificate in done.values()):
        return f"sealed, but not final yet: reveal nothing. Run 'countersign seal --resume' in a while:\n{names}"
    works = [path.with_name(path.name.removesuffix(SUFFIX)) for path in done]
    copies = [str(work) for work in works if (original := original_of(work)) and original in works]
    post = f"You may post the copy with Content Credentials now: {', '.join(copies)}"
    post = post if copies else "You may post the work now."
    return f"sealed and final. Certificate{'s' if len(done) > 1 else ''}:\n{names}\n{post}"


@command(
    "claim",
    """
countersign claim photo.jpg --key keystore:me.json
countersign claim photo.jpg --key test:1     anybody may pay for the claim that the creator signed
countersign claim photos.countersign.bundle#summer/beach.jpg --key keystore:me.json
""",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE|BUNDLE#NAME...", type=click.Path(path_type=Path))
@_WAIT
def claim_command(shell: Shell, files: tuple[Path, ...], wait: bool) -> None:
    """Claim sealed FILES: work and salt become public, your name stands beside the content.

    Warns of similar works that others claim with an earlier seal. Refuses while the seal is not final. Claiming twice
    changes nothing. The certificate of a work in a bundle is taken out first and kept beside the work.
    """
    signer, client = shell.signer(), shell.client()
    sender = shell.sender(client, signer)
    earlier, done = EarlierWorks(shell, client), []
    for path in (taken_out(shell, file) for file in files):
        similar = earlier.warn(Certificate.load(path))
        done.append(_claim(shell, client, sender, path, wait) | {"similar": similar})
    shell.answer(done, "\n".join(f"claimed: {entry['content']} by {entry['creator']}" for entry in done))


def _claim(shell: Shell, client: Client, sender: Sender, path: Path, wait: bool) -> dict[str, Any]:
    certificate = Certificate.load(path)
    _require_chain(client, certificate)
    sealer = certificate.opening().sealer
    proved = _proved(shell, client, certificate, sealer, wait)

    def attempt() -> Certificate:
        if not seal.is_claimed(client, proved):  # not yet, or the chain took it back
            _send_claim(shell, client, sender, proved)
        return _prove_claimed(client, proved, sealer)

    with suppress(NotFinal):  # only without --wait
        proved = shell.until_final(attempt, wait)
    proved.save(path)
    return _summary(path, proved)


def _send_claim(shell: Shell, client: Client, sender: Sender, certificate: Certificate) -> None:
    own = client.current_of(certificate.creator) == sender.address
    call = seal.claim_call(certificate, by_signature=not own)
    shell.send(sender, call, intent("claim", certificate.root, certificate.work.content, sender.address), "claim")


def _prove_claimed(client: Client, certificate: Certificate, sealer: bytes) -> Certificate:
    """Refresh the proof once the claim itself is final, so that it shows the claim."""
    finalized, content = client.finalized().number, certificate.work.content
    claim = client.claim_of(content, at=finalized)
    if claim is None or claim != client.claim_of(content):  # none yet, or the one that ours displaced
        raise NotFinal(f"The newest final block {finalized} does not hold the claim.", "Wait and try again.")
    return seal.prove(client, certificate, sealer)


@command("retract", "countersign retract photo.jpg --key keystore:me.json\ncountersign retract 0x… --undo")
@click.argument("target", metavar="FILE|0x…")
@click.option("--undo", is_flag=True, help="Take a retraction back.")
def retract_command(shell: Shell, target: str, undo: bool) -> None:
    """Withdraw your claim on a content; it stays taken. --undo takes that back."""
    content, signer, client = content_of(shell, target), shell.signer(), shell.client()
    if client.claim_of(content) is None or _stands(client, content, undo):
        sender = shell.sender(client, signer)
        call, name = seal.retract_call(client.contracts, content, not undo), intent("retract", content, not undo)
        shell.send(sender, call, name, "retract")
        if _stands(client, content, undo):  # what the journal remembered was an earlier occasion
            sender.forget(name)
            shell.send(sender, call, name, "retract")
    state = "claimed again" if undo else "retracted"
    shell.answer({"content": to_hex(content), "retracted": not undo}, f"{state}: {to_hex(content)}")


def _stands(client: Client, content: bytes, retracted: bool) -> bool:
    claim = client.claim_of(content)
    return claim is not None and claim.retracted == retracted
