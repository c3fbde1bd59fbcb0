"""One transaction at a time, by wallet or demo account: said in plain words, priced, confirmed, followed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import streamlit as st

from app.account import Account
from app.chain import ETH, chain_name, client, demo_sender, is_local, wallet_chain
from app.components.wallet import Answer, Intent, answered, send_intent, wallet
from app.progress import Progress, Sent, call_progress
from app.ui import banner, facts, plain, problem, track
from countersign.canonical import checksum, to_hex
from countersign.chain.sender import intent as intent_name
from countersign.errors import ChainError, NoFunds
from countersign.records import Call

__all__ = [
    "PACE",
    "Action",
    "ask_wallet",
    "choose",
    "chosen",
    "follow",
    "notice",
    "pending",
    "perform",
    "show_cost",
    "watch",
]

PACE = 1.0
"""Seconds between two looks at a pending transaction."""

_DECLINED = 4001
_CHOSEN, _TRIES, _ASKED, _PENDING, _DONE = "chosen", "sending-tries", "sending-asked", "sending-pending", "sending-done"


@dataclass(frozen=True)
class Action:
    """What somebody may have done now. ``name`` follows from what it does, so that asking again after a reload finds
    the same transaction; ``words`` say what will happen."""

    name: str
    label: str
    call: Call
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Pending:
    action: Action
    sender: bytes
    sent: Sent

    def progress(self) -> Progress:
        """Deals and verdicts are read from the newest block: being in one is all there is to wait for."""
        progress = call_progress(self.sent, self.sender, self.action.call)
        return replace(progress, state="final") if progress.state == "mined" else progress


# Any transaction


def show_cost(sender: bytes, call: Call) -> None:
    """Raises Reverted when the contract would refuse, NoFunds when the account cannot pay."""
    balance = client().balance(sender)
    if balance < call.value:
        raise _no_funds(sender, balance, call.value)
    gas = client().estimate(sender, call)
    price = client().gas_price()
    cost = gas * price
    if balance < call.value + cost:
        raise _no_funds(sender, balance, call.value + cost)
    paid = [("You send along", ETH.show(call.value))] if call.value else []
    gas_words = f"{cost / 1e18:.6f} ETH ({gas:,} gas at {price / 1e9:.2f} gwei)"
    facts([("Chain", chain_name()), *paid, ("Expected cost", gas_words), ("Paid by", checksum(sender))])


def _no_funds(sender: bytes, has: int, needs: int) -> NoFunds:
    return NoFunds(
        f"{checksum(sender)} has {has / 1e18:.6f} ETH on {chain_name()}; this needs {needs / 1e18:.6f} ETH.",
        "Choose a demo account, or send it some ETH." if is_local() else "Send it some ETH, then try again.",
    )


@st.fragment(run_every=PACE)
def follow(read: Callable[[], Progress]) -> None:
    """Draw where a transaction stands, again and again, until it stands still."""
    try:
        progress = read()
    except ChainError as error:
        problem(error)
        return
    track(progress)
    if not progress.open:
        st.rerun()


@st.fragment(run_every=PACE)
def watch(read: Callable[[], Progress]) -> None:
    """Draw the page anew once the chain has what the page offers to send: a dialog of the wallet may outlive a reload,
    and no page hears what becomes of it."""
    with suppress(ChainError):
        if read().state != "ready":
            st.rerun()


def ask_wallet(intent: Intent) -> Answer | None:
    """Mount the bridge with the intent; its answer, once there is one. A refusal is said in words."""
    connected, answer = wallet("wallet", wallet_chain(), intent)
    if answer and answer.value is None:
        _explain_refusal(answer, connected.name if connected else "the wallet")
    return answer


def _explain_refusal(answer: Answer, name: str) -> None:
    if answer.code == _DECLINED:
        st.warning(f"Declined: you said no in {plain(name)}. Nothing was sent. Ask again when you are ready.")
    elif "insufficient funds" in answer.message.lower():
        problem(NoFunds("The account cannot pay for this transaction.", f"Send it some ETH on {chain_name()} first."))
    else:
        st.error(f"{plain(name)} says: {plain(answer.message)}\n\n**Next:** Look into the wallet, then ask again.")


# Actions


def perform(account: Account, action: Action) -> None:
    """Say what will happen and what it costs, and let the account send it. Raises ChainError."""
    if action.words:
        st.markdown("\n".join(f"- {plain(words)}" for words in action.words))
    if account.demo is not None:
        show_cost(account.address, action.call)
        _send_by_demo(account, account.demo, action)
    else:
        _send_by_wallet(account, action)


def _send_by_demo(account: Account, number: int, action: Action) -> None:
    if not st.button(action.label, type="primary", key="send-demo"):
        return
    sender, name = demo_sender(number), intent_name(action.name, _tries(action))
    with st.spinner("Sending…"):
        receipt = sender.send(action.call, name)
    sender.forget(name)  # the same may be wanted again, later; until then the page's state guards against doubling
    _sent(account, action, receipt.transaction)


def _send_by_wallet(account: Account, action: Action) -> None:
    attempt = f"{action.name}/{_tries(action)}"
    intent = send_intent(action.label, wallet_chain(), account.address, action.call, attempt)
    st.session_state[_ASKED] = (account, action, intent)
    _take_answer()
    show_cost(account.address, action.call)
    ask_wallet(intent)


def _take_answer() -> None:
    """What was sent counts before anything else: by now the contract may already refuse the same call."""
    asked: tuple[Account, Action, Intent] | None = st.session_state.get(_ASKED)
    answer = answered("wallet", asked[2]) if asked else None
    if asked and answer and answer.value:
        del st.session_state[_ASKED]
        _sent(asked[0], asked[1], answer.value)


def _sent(account: Account, action: Action, transaction: bytes) -> None:
    st.session_state[_PENDING] = _Pending(action, account.address, Sent.now(transaction))
    st.rerun()


def _tries(action: Action) -> int:
    return int(st.session_state.setdefault(_TRIES, {}).get(action.name, 0))


def pending() -> bool:
    """Draw the transaction that is on its way, if there is one: nothing else is offered meanwhile."""
    this: _Pending | None = st.session_state.get(_PENDING)
    if this is None:
        _take_answer()
        return False
    progress = this.progress()
    if progress.state == "final":
        _finish(this, progress)
        return False
    if progress.failed:
        _offer_again(this, progress)
    else:
        follow(this.progress)
    return True


def _finish(this: _Pending, progress: Progress) -> None:
    _close(this)
    st.session_state[_DONE] = (this.action.label, this.sent.transaction, progress.block)
    st.session_state.pop(_CHOSEN, None)


def _close(this: _Pending) -> None:
    """The next wish of the same name is another one."""
    st.session_state[_TRIES] = {**st.session_state[_TRIES], this.action.name: _tries(this.action) + 1}
    del st.session_state[_PENDING]


def _offer_again(this: _Pending, progress: Progress) -> None:
    track(progress)
    st.button("Go on", type="primary", key="pending-close", on_click=_close, args=(this,))


def notice() -> None:
    """What was done last, if nothing else was chosen since."""
    done: tuple[str, bytes, int | None] | None = st.session_state.get(_DONE)
    if done:
        label, transaction, block = done
        banner("good", f"Done: {label}", f"In block {block}, transaction {to_hex(transaction)}.")


def choose(what: str | None) -> None:
    """What the visitor wants to do next; the last notice has been read."""
    st.session_state[_CHOSEN] = what
    st.session_state.pop(_DONE, None)


def chosen() -> str | None:
    """What the visitor wants to do now."""
    held: str | None = st.session_state.get(_CHOSEN)
    return held
