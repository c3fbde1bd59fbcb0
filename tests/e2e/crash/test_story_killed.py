"""Every command of the demo story, killed (SIGKILL) at points drawn with a seed, and on a bad line: whoever repeats it
gets exactly what an undisturbed run gives: the same files, events, nonces, and money to the wei.

COUNTERSIGN_SEED chooses the points; the same seed chooses the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

import pytest
from faults import at_random, seed_of
from plot import STEPS
from stage import SlowChain, Stage, Step
from victims import Victims

from tools.deployment import deploy_local
from tools.devnet import Devnet

SEED = seed_of(20261122)
NAMES = [step.name for step in STEPS]
CASES = [(name, how) for name in NAMES for how in ("killed", "on a bad line") if name != "keys new" or how == "killed"]
"""Making a key needs no chain."""
FAULTS_PER_REQUEST = 0.06


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    root = tmp_path_factory.mktemp("stage")
    with Devnet() as chain, SlowChain(chain) as proxy, Victims() as victims:
        deploy_local(chain)
        chain.rpc("anvil_setBlockTimestampInterval", 1)
        yield Stage(chain, proxy, victims, root, STEPS)


def require_same(stage: Stage, step: Step, told: str) -> None:
    """What there is now is what an undisturbed run leaves."""
    stage.require_sound()
    expected, found = (step.compared(stage, facts) for facts in (stage.reference(step).facts, stage.facts()))
    assert found == expected, told


@pytest.mark.parametrize(("name", "how"), CASES)
def test_a_command_is_repeated(
    stage: Stage, name: str, how: str, trials: int, covered: Callable[[str, int], None]
) -> None:
    step = stage.advance_to(name)
    reference, kills = stage.reference(step), stage.kills
    for trial in range(-(-trials // (step.share if how == "killed" else 5))):
        told, random = f"COUNTERSIGN_SEED={SEED}, {name}, {how}, trial {trial}", Random(f"{SEED}:{name}:{trial}")
        with stage.turned_back():
            if how == "killed":
                told += f": {stage.killed(step, reference, random)}"
            else:
                stage.on_bad_line(step, at_random(random.getrandbits(32), FAULTS_PER_REQUEST), told)
            require_same(stage, step, told)
    covered(name, stage.kills - kills)
    assert (stage.kills > kills) == (how == "killed")
