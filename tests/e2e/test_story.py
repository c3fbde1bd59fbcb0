"""The thief story: every try of the thief fails, and verify names the step that says why."""

from __future__ import annotations

import pytest

from countersign.canonical import checksum
from countersign.certificate import Certificate, path_beside
from countersign.fingerprint.digest import digest_file
from countersign.index.query import Query
from countersign.index.store import Store
from countersign.index.sync import catch_up
from countersign.verify import verify
from scripts.story import Story, photograph
from tools.deployment import deploy_local
from tools.devnet import Devnet


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory):
    with Devnet() as chain:
        deploy_local(chain)
        story = Story(chain.url, tmp_path_factory.mktemp("story"))
        story.run()
        yield story


@pytest.mark.parametrize(
    ("certificate", "step"),
    [
        ("thief's certificate (a)", "claim"),
        ("thief's certificate (c)", "opening"),
        ("thief's certificate (d)", "claim"),
        ("thief's certificate (e)", "opening"),
        ("flipped file", "content"),
        ("flipped certificate", "opening"),
    ],
)
def test_what_is_not_genuine_fails_at_the_named_step(story: Story, certificate: str, step: str) -> None:
    report = story.reports[certificate]
    assert report.outcome == "not verified" and report.exit_code == 1
    assert report.failed is not None and report.failed.name == step


def test_the_genuine_certificate_verifies_offline_and_shows_the_claim(story: Story) -> None:
    report = story.reports["genuine"]
    assert report.exit_code == 0
    assert {step.name: step.state for step in report.steps}["claim"] == "pass"


def test_the_wrong_block_hash_is_refused(story: Story) -> None:
    photo = story.folder / photograph().name
    certificate = Certificate.load(path_beside(photo))
    report = verify(certificate, digest_file(photo).sha256, block_hash=b"\x01" * 32)
    assert report.failed is not None and report.failed.name == "block"


def test_without_a_block_hash_or_a_node_nothing_is_called_verified(story: Story) -> None:
    photo = story.folder / photograph().name
    report = verify(Certificate.load(path_beside(photo)), digest_file(photo).sha256)
    assert report.outcome == "could not check" and report.exit_code == 2


def test_the_creator_holds_both_works_and_the_index_tells_the_same(story: Story) -> None:
    store = Store(story.folder / "index.sqlite", story.client.contracts)
    catch_up(story.client, store)
    query = Query(store.path)
    for path in (photograph(), story.folder / "breast_cancer.rst"):
        content = digest_file(path).sha256
        row, claim = query.claim(content), story.client.claim_of(content)
        assert row is not None and claim is not None
        assert checksum(row["creator"]) == checksum(claim.creator) == checksum(story.creator.address)
        assert (row["sealed_at"], row["consent_at"]) == (claim.sealed_at, claim.consent_at)
    assert len(query.history(digest_file(photograph()).sha256)) == 2, "the thief's superseded claim stays on record"


def test_every_step_is_recorded_with_its_cost(story: Story) -> None:
    seals = [gas for step in story.steps if "(b)" in step.title for _, gas in step.transactions]
    assert seals == [seals[0], seals[0]] and seals[0] < 47_434
    assert sum(step.seconds for step in story.steps) < 180
