// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Says whatever it was told: the rare verdicts, reached at once.
contract Verdicts {
    struct Said {
        uint8 outcome;
        uint40 finalAt;
        uint40 effectiveAt;
    }

    mapping(bytes32 subject => mapping(address policy => Said)) internal _said;

    function tell(bytes32 subject, address policy, Said calldata said) external {
        _said[subject][policy] = said;
    }

    function verdictOf(bytes32 subject, address policy) external view returns (uint8, uint40, uint40) {
        Said memory said = _said[subject][policy];
        return (said.outcome, said.finalAt, said.effectiveAt);
    }
}
