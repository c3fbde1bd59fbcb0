"""`publish`, `publishFor`, `deprecate`, `revoke`: every guard, every event."""

from __future__ import annotations

from dataclasses import replace

import ape
import pytest
from support import NOBODY, ZERO, Model, commitment_to, sha256, sign


@pytest.fixture
def model(creator) -> Model:
    return Model(creator.address)


@pytest.fixture
def published(models, creator, model):
    return models.publish(model.words, sender=creator)


def test_publish(models, creator, model, published):
    model_id = models.modelIdOf(model.words)
    (event,) = published.events
    assert (event.modelId, event.publisher, event.weights) == (model_id, creator, model.weights)
    publisher, *fields = tuple(event.model)
    assert (publisher.lower(), *fields) == (creator.address.lower(), *model.words[1:])
    assert models.timesOf(model_id) == (published.timestamp, 0, 0)
    with ape.reverts(models.AlreadyPublished, modelId=model_id, publishedAt=published.timestamp):
        models.publish(model.words, sender=creator)


def test_what_is_no_publication(models, creator, thief, model):
    with ape.reverts(models.NoWeights):
        models.publish(replace(model, weights=ZERO).words, sender=creator)
    with ape.reverts(models.NotCurrentKey, caller=thief, current=creator):
        models.publish(model.words, sender=thief)
    assert models.timesOf(models.modelIdOf(model.words)) == (0, 0, 0)


def test_every_field_is_in_the_id(models, creator, thief, model):
    others = [replace(model, **{name: sha256("other")}) for name in vars(model) if name not in ("publisher", "licence")]
    others += [model, replace(model, licence="MIT"), replace(model, publisher=thief.address)]
    assert len({models.modelIdOf(other.words) for other in others}) == len(vars(model)) + 1


def test_publish_for(models, registry, creator, thief, model):
    bad = [
        sign(thief, models, "Model", model.message),
        sign(creator, models, "Model", replace(model, licence="MIT").message),
        sign(creator, models, "Model", model.message, chainId=1),
        sign(creator, models, "Model", model.message, verifyingContract=registry.address),
        b"",
    ]
    for signature in bad:
        with ape.reverts(models.BadSignature, expected=creator):
            models.publishFor(model.words, signature, sender=thief)
    with ape.reverts(models.BadSignature, expected=NOBODY):
        models.publishFor(replace(model, publisher=NOBODY).words, bytes(65), sender=thief)
    signature = sign(creator, models, "Model", model.message)
    receipt = models.publishFor(model.words, signature, sender=thief)
    assert receipt.events[0].publisher == creator
    with ape.reverts(models.AlreadyPublished):
        models.publishFor(model.words, signature, sender=thief)


def test_a_smart_wallet_publishes(models, wallet, creator, thief):
    model = Model(wallet.address)
    models.publishFor(model.words, sign(creator, models, "Model", model.message), sender=thief)
    assert models.timesOf(models.modelIdOf(model.words)).publishedAt


def test_deprecate_then_revoke(models, creator, model, published):
    model_id = models.modelIdOf(model.words)
    deprecated = models.deprecate(model.words, sender=creator)
    assert deprecated.events == [models.Deprecated(modelId=model_id)]
    with ape.reverts(models.AlreadyEnded, modelId=model_id, endedAt=deprecated.timestamp):
        models.deprecate(model.words, sender=creator)
    revoked = models.revoke(model.words, sender=creator)
    assert revoked.events == [models.Revoked(modelId=model_id)]
    assert models.timesOf(model_id) == (published.timestamp, deprecated.timestamp, revoked.timestamp)
    for verb in (models.deprecate, models.revoke):
        with ape.reverts(models.AlreadyEnded, modelId=model_id, endedAt=revoked.timestamp):
            verb(model.words, sender=creator)
    with ape.reverts(models.AlreadyPublished):
        models.publish(model.words, sender=creator)


def test_what_cannot_end(models, creator, thief, model, published):
    other = replace(model, metrics=sha256("other"))
    for verb in (models.deprecate, models.revoke):
        with ape.reverts(models.NotPublished, modelId=models.modelIdOf(other.words)):
            verb(other.words, sender=creator)
        with ape.reverts(models.NotCurrentKey, caller=thief, current=creator):
            verb(model.words, sender=thief)


def test_a_marked_key_publishes_and_ends_nothing_its_successor_does(
    models, identities, creator, next_key, thief, model, published, adopt
):
    identities.register(commitment_to(next_key), NOBODY, sender=creator)
    cutoff = identities.markCompromised(creator, sender=creator).timestamp
    new = replace(model, metrics=sha256("new"))
    for verb in (models.publish, models.deprecate, models.revoke):
        with ape.reverts(models.KeyCutOff, key=creator, cutoff=cutoff):
            verb(new.words, sender=creator)
    with ape.reverts(models.KeyCutOff, key=creator, cutoff=cutoff):
        models.publishFor(new.words, sign(creator, models, "Model", new.message), sender=thief)

    adopt(creator, next_key)
    with ape.reverts(models.NotCurrentKey, caller=creator, current=next_key):
        models.revoke(model.words, sender=creator)
    models.revoke(model.words, sender=next_key)
    models.publish(new.words, sender=next_key)
    with ape.reverts(models.BadSignature, expected=next_key):
        models.publishFor(model.words, sign(creator, models, "Model", model.message), sender=thief)
