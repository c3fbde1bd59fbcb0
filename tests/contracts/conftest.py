"""Session fixtures: the contracts are deployed once; ape takes every test back to a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import ape
import pytest
from ape.api import AccountAPI, ReceiptAPI
from ape.contracts import ContractContainer, ContractInstance
from ape.managers.accounts import TestAccountManager
from ape.managers.chain import ChainManager
from ape.managers.project import Project
from escrow_support import COST, Court
from support import NOBODY, ZERO, Opening, Work, hash_leaf, sign
from verdicts_support import STAKE, SUBJECT, Asked, Committee, Policy

MOCKS = Path(__file__).parent / "mocks"


@pytest.fixture(scope="session", autouse=True)
def clock(chain: ChainManager) -> None:
    """Every block is one second after its parent, however fast the machine is."""
    chain.provider.make_request("anvil_setBlockTimestampInterval", [1])


@pytest.fixture
def same_second(chain: ChainManager) -> Callable[[], AbstractContextManager[None]]:
    """Within it, blocks have the time of their parent."""

    @contextmanager
    def stop() -> Iterator[None]:
        chain.provider.make_request("anvil_setBlockTimestampInterval", [0])
        yield
        chain.provider.make_request("anvil_setBlockTimestampInterval", [1])

    return stop


@pytest.fixture(scope="session")
def people(accounts: list[AccountAPI]) -> list[AccountAPI]:
    """The chain's test accounts; number 0 only deploys."""
    return accounts


@pytest.fixture(scope="session")
def creator(people: list[AccountAPI]) -> AccountAPI:
    """The first key of the creator's identity."""
    return people[1]


@pytest.fixture(scope="session")
def next_key(people: list[AccountAPI]) -> AccountAPI:
    """The key that the creator commits to."""
    return people[2]


@pytest.fixture(scope="session")
def guardian(people: list[AccountAPI]) -> AccountAPI:
    """The creator's cold key."""
    return people[3]


@pytest.fixture(scope="session")
def service(people: list[AccountAPI]) -> AccountAPI:
    """A batch service that seals for others."""
    return people[4]


@pytest.fixture(scope="session")
def thief(people: list[AccountAPI]) -> AccountAPI:
    """Sees everything that was revealed or is pending."""
    return people[5]


@pytest.fixture(scope="session")
def identities(project: Project, people: list[AccountAPI]) -> ContractInstance:
    """Identities."""
    return people[0].deploy(project.Identities)


@pytest.fixture(scope="session")
def registry(project: Project, people: list[AccountAPI], identities: ContractInstance) -> ContractInstance:
    """ContentRegistry."""
    return people[0].deploy(project.ContentRegistry, identities)


@pytest.fixture(scope="session")
def models(project: Project, people: list[AccountAPI], identities: ContractInstance) -> ContractInstance:
    """ModelRegistry."""
    return people[0].deploy(project.ModelRegistry, identities)


@pytest.fixture(scope="session")
def nodes(project: Project, people: list[AccountAPI]) -> ContractInstance:
    """OracleNodes."""
    return people[0].deploy(project.OracleNodes)


@pytest.fixture(scope="session")
def oracle(
    project: Project, people: list[AccountAPI], nodes: ContractInstance, models: ContractInstance
) -> ContractInstance:
    """Oracle."""
    return people[0].deploy(project.Oracle, nodes, models)


@pytest.fixture(scope="session")
def recruit(
    accounts: TestAccountManager, nodes: ContractInstance, oracle: ContractInstance
) -> Callable[..., Committee]:
    """So many new keys, ascending by address, that join with ``STAKE`` under the Oracle."""

    make = accounts.containers["test"].generate_account

    def join(count: int) -> Committee:
        keys = sorted((make() for _ in range(count)), key=lambda key: int(key.address, 16))
        for key in keys:
            key.balance = 10 * STAKE
            nodes.join(oracle, ZERO, value=STAKE, sender=key)
        return keys

    return join


@pytest.fixture(scope="session")
def committee(recruit: Callable[..., Committee]) -> Committee:
    """Five nodes."""
    return recruit(5)


@pytest.fixture(scope="session")
def court(project: Project, mocks: Project, people: list[AccountAPI], chain: ChainManager) -> Court:
    """An Escrow whose verdicts are what anyone told the mock."""
    verdicts = people[8].deploy(mocks.Verdicts)
    escrow = people[8].deploy(project.Escrow, verdicts)
    arbiter = people[8].deploy(mocks.Arbiter, COST)
    return Court(escrow, verdicts, arbiter, chain, payer=people[6], payee=people[7], others=people[8:])


@pytest.fixture(scope="session")
def oracle_court(project: Project, people: list[AccountAPI], court: Court, oracle: ContractInstance) -> Court:
    """An Escrow that asks the Oracle."""
    return replace(court, escrow=people[0].deploy(project.Escrow, oracle), verdicts=oracle)


@pytest.fixture(scope="session", autouse=True)
def deployed(
    clock: None, registry: ContractInstance, models: ContractInstance, committee: Committee, oracle_court: Court
) -> None:
    """Everything is deployed before ape takes its first snapshot."""


@pytest.fixture(scope="session")
def mocks() -> Project:
    """The mocks, compiled as a project of their own so that none lies among the contracts."""
    settings = {"contracts_folder": ".", "solidity": {"version": "0.8.37", "evm_version": "cancun"}}
    project = ape.Project(MOCKS, config_override=settings)
    project.load_contracts(use_cache=False)  # Ape overlooks changes made while it did not run
    return project


@pytest.fixture(scope="session")
def wallet_type(mocks: Project) -> ContractContainer:
    """The ERC-1271 mock."""
    return mocks.Wallet


@pytest.fixture
def wallet(wallet_type: ContractContainer, creator: AccountAPI) -> ContractInstance:
    """A smart wallet that the creator owns."""
    return creator.deploy(wallet_type, creator)


@pytest.fixture
def after(chain: ChainManager) -> Callable[[int], int]:
    """Lets at least ``seconds`` pass by a block of exactly that time; returns its time."""

    def pass_time(seconds: int) -> int:
        chain.mine(timestamp=chain.blocks.head.timestamp + seconds)
        return chain.blocks.head.timestamp

    return pass_time


@pytest.fixture
def at(chain: ChainManager) -> Callable[[int], None]:
    """Gives the next transaction exactly that time."""

    def set_time(moment: int) -> None:
        chain.pending_timestamp = moment

    return set_time


@pytest.fixture
def ask(oracle: ContractInstance, committee: Committee, people: list[AccountAPI]) -> Callable[..., Asked]:
    """Creates a policy, by default of the five nodes, and asks it about a subject; further words are its terms."""

    def request(subject: bytes = SUBJECT, sender: AccountAPI | None = None, **terms: object) -> Asked:
        policy = terms.pop("policy", None) or Policy.of(committee, **terms)
        asked = Asked(oracle, policy, subject)
        oracle.createPolicy(policy.words, sender=people[0])
        oracle.request(subject, asked.address, value=policy.fee, sender=sender or people[6])
        return asked.now()

    return request


@pytest.fixture
def seal(registry: ContractInstance) -> Callable[..., Opening]:
    """Seals one work and returns its opening."""

    def seal_one(work: Work, by: AccountAPI, creator: AccountAPI | str | None = None, **fields: bytes) -> Opening:
        named = str(getattr(creator or by, "address", creator))
        opening = replace(Opening(named, by.address), **fields)
        leaf = registry.leafOf(named, registry.workIdOf(work.words), opening.salt)
        registry.seal(hash_leaf(leaf), sender=by)
        return opening

    return seal_one


@pytest.fixture
def sign_claim(registry: ContractInstance) -> Callable[..., bytes]:
    """The signature of ``key`` over a claim by ``creator``; further words override the domain."""

    def sign_work(key: AccountAPI, creator: str, work: Work, **domain: object) -> bytes:
        return sign(key, registry, "Claim", {"creator": creator, "work": work.message}, **domain)

    return sign_work


@pytest.fixture
def adopt(identities: ContractInstance) -> Callable[..., ReceiptAPI]:
    """Hands the identity of ``name`` to ``key`` by `rotate` or, when a guardian sends it, by `recover`."""

    def hand_over(
        name: AccountAPI,
        key: AccountAPI,
        sender: AccountAPI | None = None,
        verb: str = "rotate",
        commitment: bytes = ZERO,
        guardian: AccountAPI | str = NOBODY,
    ) -> ReceiptAPI:
        words = (name.address, key.address, commitment, str(getattr(guardian, "address", guardian)))
        message = dict(zip(("identity", "key", "commitment", "guardian"), words, strict=True))
        signature = sign(key, identities, "Adoption", message)
        return getattr(identities, verb)(words, signature, sender=sender or name)

    return hand_over
