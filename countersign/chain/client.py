"""Reading a chain over JSON-RPC. One client serves one chain and says clearly when the node serves another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from countersign.canonical import checksum, keccak, to_hex
from countersign.certificate import AccountProof, SlotProof, StateProof, rlp
from countersign.chain.codec import Event, Log, decode_log, decode_result, encode_call, event_topic, revert_error
from countersign.chain.deployments import contracts_on, deal_contracts_on
from countersign.chain.transport import BadAnswer, TooMuch, Transport
from countersign.errors import (
    CertificateError,
    ChainError,
    NoContract,
    NoFunds,
    Reverted,
    TooLarge,
    Unreachable,
    WrongChain,
)
from countersign.records import (
    Block,
    Call,
    Challenge,
    Claim,
    Deal,
    KeyRecord,
    ModelTimes,
    Node,
    Outcome,
    Policy,
    Seal,
    Seat,
    Stage,
    State,
    Verdict,
)

__all__ = ["Client", "Receipt"]

_Record = TypeVar("_Record")

_HEADER_FIELDS = (
    ("parentHash", bytes),
    ("sha3Uncles", bytes),
    ("miner", bytes),
    ("stateRoot", bytes),
    ("transactionsRoot", bytes),
    ("receiptsRoot", bytes),
    ("logsBloom", bytes),
    ("difficulty", int),
    ("number", int),
    ("gasLimit", int),
    ("gasUsed", int),
    ("timestamp", int),
    ("extraData", bytes),
    ("mixHash", bytes),
    ("nonce", bytes),
    ("baseFeePerGas", int),
    ("withdrawalsRoot", bytes),
    ("blobGasUsed", int),
    ("excessBlobGas", int),
    ("parentBeaconBlockRoot", bytes),
    ("requestsHash", bytes),
)
"""Block header in RLP order, up to Osaka; each fork appended fields, so a chain's header is a prefix of these."""


class Receipt(dict[str, Any]):
    """A transaction receipt as the node gave it, with the parts that are used by name."""

    @property
    def ok(self) -> bool:
        """False when the transaction reverted."""
        return int(self["status"], 16) == 1

    @property
    def block(self) -> int:
        """Number of the block that holds it."""
        return int(self["blockNumber"], 16)

    @property
    def gas(self) -> int:
        """Gas used."""
        return int(self["gasUsed"], 16)

    @property
    def transaction(self) -> bytes:
        """Transaction hash."""
        return _bytes(self["transactionHash"])


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _tag(block: int | str) -> str:
    return hex(block) if isinstance(block, int) else block


class Client:
    """A node's answers about one chain, as records. Cheap to make: it connects when first asked."""

    def __init__(self, rpc: str, chain_id: int) -> None:
        """``rpc`` is an http(s) URL, ``chain_id`` the chain it is expected to serve."""
        self.url, self.chain_id = rpc, chain_id
        self.contracts = contracts_on(chain_id)
        self.deals = deal_contracts_on(chain_id)
        self._transport = Transport(rpc)

    @property
    def host(self) -> str:
        """The node's name for messages: its URL may hold a password or an access key."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    # Transport

    def rpc(self, method: str, *parameters: Any) -> Any:
        """One JSON-RPC call. Raises Unreachable (TooLarge where a smaller request may pass), Reverted, NoFunds, or
        ChainError with the node's words."""
        try:
            answer = self._transport.ask(method, list(parameters))
        except BadAnswer as error:
            raise (TooLarge if isinstance(error, TooMuch) else Unreachable)(
                f"The node at {self.host} does not answer as a node does: {error}.",
                "Try again; if it stays so, set --rpc or COUNTERSIGN_RPC to another node's URL.",
            ) from error
        except Exception as error:  # requests, urllib3 and ssl each raise their own tree
            at = f"at {self.host} does not answer" if urlsplit(self.url).netloc else "cannot be asked: that is no URL"
            raise Unreachable(
                f"The node {at} ({type(error).__name__}).",
                "Start one with 'make up', or set --rpc or COUNTERSIGN_RPC to a node's URL.",
            ) from error
        if isinstance(answer.get("error"), dict):
            raise _rpc_error(method, answer["error"])
        return answer["result"]

    def quantity(self, method: str, *parameters: Any) -> int:
        """One JSON-RPC call whose result is a number."""
        return self._read(lambda raw: int(raw, 16), method, *parameters)

    def _read(self, read: Callable[[Any], _Record], method: str, *parameters: Any) -> _Record:
        """What ``read`` makes of the result of one JSON-RPC call. Raises Unreachable where it is not of that kind."""
        result = self.rpc(method, *parameters)
        try:
            return read(result)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise Unreachable(
                f"What answers at {self.host} is no node: it does not understand {method}.",
                "Set --rpc or COUNTERSIGN_RPC to a node's URL.",
            ) from error

    def check(self) -> None:
        """Raise WrongChain or NoContract unless the node serves the expected chain with Countersign on it."""
        served = self.quantity("eth_chainId")
        if served != self.chain_id:
            raise WrongChain(
                f"The node at {self.host} serves chain {served}, not {self.chain_id}.",
                f"Set --chain {served}, or use a node of chain {self.chain_id}.",
            )
        if not self.has_code(self.contracts.registry):
            raise NoContract(
                f"There is no Countersign registry at {checksum(self.contracts.registry)} on chain {served}.",
                "Deploy it first: 'make up' does on the local chain, scripts/deploy.py elsewhere.",
            )

    # Blocks

    def block(self, at: int | str) -> Block | None:
        """The block at a number or tag ("latest", "finalized"), or None when there is none."""
        return self._read(_block, "eth_getBlockByNumber", _tag(at), False)

    def head(self) -> Block:
        """The newest block."""
        return self._required("latest")

    def finalized(self) -> Block:
        """The newest block the chain can no longer forget."""
        return self._required("finalized")

    def _required(self, tag: str) -> Block:
        block = self.block(tag)
        if block is None:
            raise ChainError(f"The node has no {tag} block yet.", "Wait until it has caught up.")
        return block

    def header(self, number: int) -> bytes:
        """RLP of a block's header, rebuilt from its fields and checked against its hash."""
        found = self._read(_header, "eth_getBlockByNumber", _tag(number), False)
        if found is None:
            raise ChainError(f"The node does not know block {number}.", "Wait until it has caught up.")
        header, name = found
        if keccak(header) != name:
            raise ChainError(f"The header of block {number} has fields unknown to this version.", "Update countersign.")
        return header

    # State

    def has_code(self, address: bytes) -> bool:
        """Whether a contract lives there."""
        return len(self.rpc("eth_getCode", to_hex(address), "latest")) > 2

    def balance(self, address: bytes) -> int:
        """Balance in wei."""
        return self.quantity("eth_getBalance", to_hex(address), "latest")

    def gas_price(self) -> int:
        """Price in wei that a transaction would pay per gas now."""
        return self.quantity("eth_gasPrice")

    def call(self, to: bytes, contract: str, function: str, *arguments: Any, at: int | str = "latest") -> Any:
        """The result of a view of one of our contracts."""
        call = {"to": to_hex(to), "data": to_hex(encode_call(contract, function, *arguments))}
        data = _bytes(self.rpc("eth_call", call, _tag(at)))
        if not data:
            raise NoContract(f"There is no {contract} at {checksum(to)}.", "Deploy it, or check --chain and --rpc.")
        return decode_result(contract, function, data)

    def seal_of(self, root: bytes, sealer: bytes, at: int | str = "latest") -> Seal | None:
        """The seal of ``root`` by ``sealer``, or None."""
        seal = Seal(*self._registry("sealOf", root, sealer, at=at))
        return seal if seal.time else None

    def claim_of(self, content: bytes, at: int | str = "latest") -> Claim | None:
        """The claim on ``content``, or None."""
        claim = Claim(*self._registry("claimOf", content, at=at))
        return claim if any(claim.creator) else None

    def _registry(self, function: str, *arguments: Any, at: int | str = "latest") -> Any:
        return self.call(self.contracts.registry, "ContentRegistry", function, *arguments, at=at)

    def root_of(self, key: bytes) -> bytes:
        """Name of the identity a key belongs to."""
        return bytes(self.call(self.contracts.identities, "Identities", "rootOf", key))

    def current_of(self, key: bytes) -> bytes:
        """The key that speaks today for the identity that ``key`` belongs to."""
        return bytes(self.call(self.contracts.identities, "Identities", "currentOf", key))

    def key_of(self, key: bytes) -> KeyRecord:
        """What Identities stores of a key."""
        return KeyRecord(*self.call(self.contracts.identities, "Identities", "keyOf", key))

    def model_times(self, model_id: bytes) -> ModelTimes:
        """When a model version was published, deprecated, revoked."""
        return ModelTimes(*self.call(self.contracts.models, "ModelRegistry", "timesOf", model_id))

    # Verdicts and deals

    def node_of(self, node: bytes) -> Node:
        """What OracleNodes stores of a node."""
        return Node(*self.call(self.deals.nodes, "OracleNodes", "nodeOf", node))

    def reward_of(self, account: bytes) -> int:
        """Wei that slashes brought an account and that it has not withdrawn."""
        return int(self.call(self.deals.nodes, "OracleNodes", "rewardOf", account))

    def policy_of(self, policy: bytes) -> Policy:
        """The policy at that address. Raises Reverted when this chain's Oracle created none there."""
        check, arbiter, fee, bond, slash, submit, challenge, ruling, k, pass_score, seats = self._oracle(
            "policyOf", policy
        )
        made = tuple(Seat(node, model) for node, model in seats)
        return Policy(check, made, k, pass_score, submit, challenge, ruling, fee, bond, slash, arbiter)

    def verdict(self, subject: bytes, policy: bytes) -> Verdict:
        """The stored record of a request's newest round; ``requested_at`` is 0 when nobody asked."""
        fields: tuple[Any, ...] = self._oracle("recordOf", subject, policy)
        requested, final, ruled, signers, suspended, paid, bound, number, outcome, stage = fields
        return Verdict(requested, final, ruled, signers, suspended, paid, bound, number, Outcome(outcome), Stage(stage))

    def verdict_of(self, subject: bytes, policy: bytes) -> tuple[Outcome, int, int]:
        """Outcome, finalAt and effectiveAt: before effectiveAt the outcome may change."""
        outcome, final_at, effective_at = self._oracle("verdictOf", subject, policy)
        return Outcome(outcome), final_at, effective_at

    def challenge_of(self, subject: bytes, policy: bytes) -> Challenge:
        """The stored challenge."""
        return Challenge(*self._oracle("challengeOf", subject, policy))

    def deal_of(self, deal: bytes, at: int | str = "latest") -> Deal:
        """The stored record of a deal; its state is NONE when there is none."""
        delivery, delivered_at, ruling_by, milestone, state = self._escrow("dealOf", deal, at=at)
        return Deal(delivery, delivered_at, ruling_by, milestone, State(state))

    def credit_of(self, token: bytes, account: bytes) -> int:
        """What an account can withdraw because a payment to it failed."""
        return int(self._escrow("creditOf", token, account))

    def _oracle(self, function: str, *arguments: Any) -> Any:
        return self.call(self.deals.oracle, "Oracle", function, *arguments)

    def _escrow(self, function: str, *arguments: Any, at: int | str = "latest") -> Any:
        return self.call(self.deals.escrow, "Escrow", function, *arguments, at=at)

    def arbitration_cost(self, arbiter: bytes) -> int:
        """Wei that an ERC-792 arbiter asks for a dispute now. Raises NoContract when it names no cost."""
        from eth_abi.abi import encode

        data = keccak(b"arbitrationCost(bytes)")[:4] + encode(["bytes"], [b""])
        try:
            answer = _bytes(self.rpc("eth_call", {"to": to_hex(arbiter), "data": to_hex(data)}, "latest"))
        except Reverted:
            answer = b""
        if len(answer) != 32:
            raise NoContract(f"{checksum(arbiter)} is no arbiter: it names no cost.", "Name an ERC-792 contract.")
        return int.from_bytes(answer, "big")

    def is_valid_signature(self, signer: bytes, digest: bytes, signature: bytes) -> bool:
        """ERC-1271: what the contract wallet ``signer`` says of a signature now."""
        from eth_abi.abi import encode

        magic = bytes.fromhex("1626ba7e")
        data = magic + encode(["bytes32", "bytes"], [digest, signature])
        try:
            answer = _bytes(self.rpc("eth_call", {"to": to_hex(signer), "data": to_hex(data)}, "latest"))
        except Reverted:
            return False
        return answer[:4] == magic

    def prove(self, slots: dict[bytes, tuple[bytes, ...]], number: int, *, header: bytes | None = None) -> StateProof:
        """State proof of ``slots`` (address → slots) as of block ``number``, checked before it is returned.

        ``header`` is that block's, where it is known already. Raises ChainError when the node no longer keeps that
        state, or gives a proof that does not fit the header.
        """
        accounts = tuple(self._account(address, wanted, number) for address, wanted in slots.items())
        proof = StateProof(header or self.header(number), accounts)
        try:
            proof.check()
        except CertificateError as error:
            raise ChainError(
                f"The node at {self.host} proves nothing: what it gives does not fit the header of block {number}.",
                "It is broken, or it lies: ask another node (--rpc).",
            ) from error
        return proof

    def _account(self, address: bytes, slots: tuple[bytes, ...], number: int) -> AccountProof:
        try:
            return self._asked(address, slots, number)
        except Unreachable:
            raise
        except ChainError as error:
            raise ChainError(
                f"The node at {self.host} does not prove the state of block {number}: {error.message}",
                "Nodes prune old state and some offer no proofs: ask another one (--rpc), for old blocks an archive.",
            ) from error

    def _asked(self, address: bytes, slots: tuple[bytes, ...], number: int) -> AccountProof:
        def read(raw: Any) -> AccountProof:
            entries = zip(slots, raw["storageProof"], strict=True)
            proven = tuple(SlotProof(slot, tuple(map(_bytes, entry["proof"]))) for slot, entry in entries)
            return AccountProof(address, tuple(map(_bytes, raw["accountProof"])), proven)

        return self._read(read, "eth_getProof", to_hex(address), [to_hex(slot) for slot in slots], _tag(number))

    def logs(self, first: int, last: int) -> list[Log]:
        """Logs of our contracts in blocks ``first`` … ``last``, in order."""
        c, d = self.contracts, self.deals
        addresses = [to_hex(at) for at in (c.registry, c.identities, c.models, d.nodes, d.oracle, d.escrow)]
        query = {"address": addresses, "fromBlock": _tag(first), "toBlock": _tag(last)}
        return self._read(_logs, "eth_getLogs", query)

    def events(
        self, contract: bytes, name: str, *indexed: Sequence[bytes] | None, first: int = 0, last: int | str = "latest"
    ) -> list[Event]:
        """Events ``name`` of a contract in blocks ``first`` … ``last``, oldest first; ``indexed`` are the values that
        each indexed parameter may have, None for any. Raises ChainError where the node does not search that far."""
        wanted = [
            None if values is None else [to_hex(value.rjust(32, b"\0")) for value in values] for values in indexed
        ]
        topics: list[Any] = [to_hex(event_topic(name)), *wanted]
        query = {"address": to_hex(contract), "topics": topics, "fromBlock": _tag(first), "toBlock": _tag(last)}
        return [event for log in self._read(_logs, "eth_getLogs", query) if (event := decode_log(log))]

    # Transactions

    def receipt(self, transaction: bytes) -> Receipt | None:
        """The receipt of a mined transaction, or None."""
        return self._read(_receipt, "eth_getTransactionReceipt", to_hex(transaction))

    def sent(self, transaction: bytes) -> Call | None:
        """What a transaction calls and with which data; None when the node does not know it or it makes a contract."""
        return self._read(_sent, "eth_getTransactionByHash", to_hex(transaction))

    def estimate(self, sender: bytes, call: Call) -> int:
        """Gas the call would need. Raises Reverted, in words, when the contract would refuse."""
        return self.quantity("eth_estimateGas", _fields(sender, call))

    def explain(self, sender: bytes, call: Call, block: int) -> ChainError:
        """Why the transaction reverted in ``block``, as far as a replay on the state before it tells."""
        try:
            self.rpc("eth_call", _fields(sender, call), _tag(block - 1))
        except ChainError as error:
            return error
        return revert_error(b"", "its circumstances changed while it was pending")


def _fields(sender: bytes, call: Call) -> dict[str, str]:
    return {"from": to_hex(sender), "to": to_hex(call.to), "data": to_hex(call.data), "value": hex(call.value)}


def _block(raw: Any) -> Block | None:
    if raw is None:
        return None
    return Block(_count(raw["number"]), _bytes(raw["hash"]), _bytes(raw["parentHash"]), _count(raw["timestamp"]))


def _header(raw: Any) -> tuple[bytes, bytes] | None:
    """RLP of the fields a header has, and its hash as the node says it."""
    if raw is None:
        return None
    fields: list[rlp.Item] = []
    for name, kind in _HEADER_FIELDS:
        if raw.get(name) is not None:
            fields.append(rlp.encode_int(int(raw[name], 16)) if kind is int else _bytes(raw[name]))
    return rlp.encode(fields), _bytes(raw["hash"])


def _receipt(raw: Any) -> Receipt | None:
    """None, or a receipt whose parts can all be read."""
    if raw is None:
        return None
    receipt = Receipt(raw)
    _ = receipt.ok, receipt.block, receipt.gas, receipt.transaction
    return receipt


def _sent(raw: Any) -> Call | None:
    if raw is None or raw["to"] is None:
        return None
    return Call(_bytes(raw["to"]), _bytes(raw["input"]), int(raw["value"], 16))


def _count(text: str) -> int:
    """A number as every node gives them; the index could not store a larger one."""
    number = int(text, 16)
    if not 0 <= number < 1 << 63:
        raise ValueError("a number of no block, time or place")
    return number


def _logs(raw: Any) -> list[Log]:
    if not isinstance(raw, list):  # an empty object would pass for no logs
        raise TypeError("no list of logs")
    return [_log(one) for one in raw]


def _log(raw: dict[str, Any]) -> Log:
    read, time = bytes.fromhex, raw.get("blockTimestamp")  # which most nodes give; it saves a request for each block
    return Log(
        read(raw["address"][2:]),
        tuple([read(topic[2:]) for topic in raw["topics"]]),
        read(raw["data"][2:]),
        _count(raw["blockNumber"]),
        _count(raw["logIndex"]),
        read(raw["transactionHash"][2:]),
        _count(time) if time else None,
    )


def _rpc_error(method: str, error: dict[str, Any]) -> ChainError:
    """Nodes word the same failure differently; EIP-1474 code 3 and revert data mean a contract said no."""
    words, data = str(error.get("message", "")), error.get("data")
    if isinstance(data, str) and data.startswith("0x") and (len(data) > 2 or error.get("code") == 3):
        return revert_error(_bytes(data), words)
    if "revert" in words.lower():
        return revert_error(b"", words)
    if "insufficient funds" in words.lower():
        return NoFunds("The account cannot pay for this transaction.", "Send it some of the chain's coin first.")
    return ChainError(f"The node refused {method}: {words}.", "Check the request, or use another node.")
