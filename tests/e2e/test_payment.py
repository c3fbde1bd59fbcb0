"""The payment story: money follows the verdict of five node processes, whoever lies or sleeps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from countersign.records import State
from scripts.payment import PaymentStory
from tools.deployment import deploy_local
from tools.devnet import Devnet

PRICE = 10**17


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaymentStory]:
    with Devnet(block_time=1) as chain:
        deploy_local(chain)
        story = PaymentStory(chain.url, tmp_path_factory.mktemp("payment"))
        story.run()
        yield story


def test_each_deal_pays_whom_it_should(story: PaymentStory) -> None:
    assert list(story.paid.values()) == [PRICE, PRICE, 0, PRICE * 3 // 10]


def test_the_committee_answers_within_five_seconds(story: PaymentStory) -> None:
    assert len(story.verdict_seconds) == 3
    assert max(story.verdict_seconds) <= 5


def test_only_the_equivocator_lost_stake(story: PaymentStory) -> None:
    stakes = [story.client.node_of(node.address).stake for node in story.nodes]
    assert stakes == [10**9, *[2 * 10**9] * 4]


def test_the_escrow_is_empty(story: PaymentStory) -> None:
    assert story.client.balance(story.client.deals.escrow) == 0


def test_no_process_is_left(story: PaymentStory) -> None:
    assert all(node.process and node.process.poll() is not None for node in story.nodes)


def test_a_deal_that_ended_stays_ended(story: PaymentStory) -> None:
    from countersign.index.query import Query
    from countersign.index.store import Store
    from countersign.index.sync import catch_up

    store = Store(story.folder / "index.sqlite", story.client.contracts)
    catch_up(story.client, store)
    deals = Query(store.path).deals_of(story.buyer.address)
    assert len(deals) == 4
    assert {story.client.deal_of(deal["deal_id"]).state for deal in deals} == {State.ENDED}
