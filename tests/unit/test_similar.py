"""Claims like a given work, as the index knows them: earliest first, nothing that only seems alike."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest

if importlib.util.find_spec("numpy") is None:
    pytest.skip("numpy is not installed (extra media)", allow_module_level=True)

from countersign.fingerprint.iscc import Fingerprint
from countersign.index.query import Query
from countersign.index.similar import DISTANCE, Similar, is_telling, likeness
from countersign.index.store import Store
from countersign.records import ZERO, Block, Contracts

HERE = Contracts(31337, bytes(19) + b"\1", bytes(19) + b"\2", bytes(19) + b"\3")
RANDOM = random.Random(4)


def word() -> bytes:
    return RANDOM.randbytes(8)


def flipped(code: bytes, bits: int) -> bytes:
    return (int.from_bytes(code) ^ sum(1 << 5 * bit % 64 for bit in range(bits))).to_bytes(8)


def picture(content: bytes, data: bytes | None = None, kind: str = "image") -> Fingerprint:
    return Fingerprint(kind, content, data or word(), word())


class World:
    """An index, one claim a block."""

    def __init__(self, path: Path) -> None:
        self.store, self.number = Store(path, HERE), 0

    def claim(self, name: int, fingerprint: bytes, sealed_at: int = 1000, creator: int = 7) -> None:
        self.number += 1
        who = creator.to_bytes(20)
        row = (name.to_bytes(32), who, who, ZERO, sealed_at, sealed_at, ZERO, fingerprint, "", ZERO, ZERO, ZERO)
        block = Block(self.number, RANDOM.randbytes(32), ZERO, 2000 + self.number)
        self.store.append([((self.number, 0, 2000, ZERO), ("claims", row))], [block])

    @property
    def similar(self) -> Similar:
        return Similar(Query(self.store.path))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "index.sqlite")


def found(similar: Similar, one: Fingerprint, distance: int = DISTANCE) -> list[tuple[int, str, int]]:
    return [(int.from_bytes(f.claim["content"]), f.unit, f.distance) for f in similar.find(one, distance)]


def test_the_earliest_seal_comes_first(world: World) -> None:
    code = word()
    for name, bits, sealed_at in ((1, 2, 900), (2, 0, 1000), (3, 8, 800), (4, 9, 700)):
        world.claim(name, picture(flipped(code, bits)).packed, sealed_at)
    assert found(world.similar, picture(code)) == [(3, "content", 8), (1, "content", 2), (2, "content", 0)]
    assert found(world.similar, picture(code), 1) == [(2, "content", 0)]


def test_a_text_is_not_like_an_image_but_bytes_are_like_bytes(world: World) -> None:
    code, data = word(), word()
    world.claim(1, picture(code, kind="text").packed)
    world.claim(2, Fingerprint("", b"", flipped(data, 3), word()).packed)
    world.claim(3, picture(code, data).packed)
    assert found(world.similar, picture(code, data)) == [(3, "content", 0), (2, "data", 3)]
    assert found(world.similar, Fingerprint("", b"", data, word())) == [(3, "data", 0), (2, "data", 3)]


def test_images_of_one_colour_are_not_alike(world: World) -> None:
    for blank in (bytes(8), b"\x80" + bytes(7)):
        world.claim(world.number + 1, picture(blank).packed)
        assert found(world.similar, picture(blank)) == []
        assert not is_telling("image", blank)


def test_claims_without_a_fingerprint_or_with_nonsense_are_passed_over(world: World) -> None:
    world.claim(1, ZERO)
    world.claim(2, b"\xff" * 32)
    assert found(world.similar, picture(b"\xff" * 8, b"\xff" * 8), 24) == []


def test_only_the_claim_that_holds_counts(world: World) -> None:
    code = word()
    world.claim(1, picture(code).packed, 1000, creator=7)
    world.claim(1, picture(flipped(code, 20)).packed, 900, creator=8)
    assert found(world.similar, picture(code)) == []


def test_what_is_claimed_or_taken_back_meanwhile_is_seen(world: World) -> None:
    code, similar = word(), world.similar
    assert found(similar, picture(code)) == []
    world.claim(1, picture(code).packed)
    assert found(similar, picture(code)) == [(1, "content", 0)]
    world.store.roll_back(0)
    assert found(similar, picture(code)) == []
    world.claim(2, picture(flipped(code, 1)).packed)
    assert found(similar, picture(code)) == [(2, "content", 1)]


def test_two_works_compared_without_an_index() -> None:
    code, data = word(), word()
    one = picture(code, data)
    assert likeness(one, picture(flipped(code, 8))) == ("content", 8)
    assert likeness(one, picture(flipped(code, 9), flipped(data, 1))) == ("data", 1)
    assert likeness(one, picture(code, kind="text")) is None
    assert likeness(picture(bytes(8)), picture(bytes(8))) is None
