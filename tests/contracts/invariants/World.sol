// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, Opening, Work} from "../../../contracts/interfaces/IContentRegistry.sol";
import {Adoption, Change, Identity} from "../../../contracts/interfaces/IIdentities.sol";
import {Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {Watch} from "./Watch.sol";

/// Four owners, two thieves, a batch service, and everything they may try, in any order.
///
/// Owner 0 has a commitment and a guardian, 1 a guardian, 2 a commitment, 3 nothing. Content number n is made by owner
/// n % 4, who reveals it only after a second has passed since the seal, and answers the theft of a key within 5 days. A
/// thief knows what was revealed, holds stolen keys, and sees every pending transaction.
contract World is Watch {
    struct Draft {
        Work work;
        Opening opening;
        bytes signature;
        address signer;
        uint256 number;
        bool honest;
        bytes32 root;
    }

    uint256 internal constant THIEVES = 2;

    Draft[] internal _drafts;
    mapping(uint256 number => uint256) internal _draftOf;
    mapping(uint256 number => bool) internal _revealed;
    mapping(uint256 owner => uint256) internal _generation;
    mapping(address key => uint256) internal _stolenAt;
    mapping(bytes32 root => mapping(bytes32 leaf => bool)) internal _grown;

    mapping(bytes32 what => uint256) public count;

    constructor() {
        _deploy();
        for (uint256 i = 0; i < OWNERS; ++i) {
            _track(_key(i, 0));
        }
        for (uint256 i = 0; i < THIEVES; ++i) {
            isThief[_track(_thief(i))] = true;
        }
        _prepare(0, true, true);
        _prepare(1, false, true);
        _prepare(2, true, false);
        _watch();
    }

    /* SEALS AND CLAIMS */

    /// An owner seals a content, alone or in a batch, before anybody else knows it.
    function seal(uint256 number, uint64 index, uint64 size, bool byService) external step {
        number = _find(number, CONTENTS, _isNew);
        if (number == CONTENTS) return;
        address creator = _key(number, _generation[number % OWNERS]);
        address sealer = byService ? _service() : creator;
        _draftOf[number] = _draft(number, creator, sealer, index, size, true) + 1;
    }

    function reveal(uint256 number) external step {
        number = _find(number, CONTENTS, _isSecret);
        if (number == CONTENTS) return;
        Draft storage draft = _drafts[_draftOf[number] - 1];
        _revealed[number] = _sealTime(draft.root, draft.opening.sealer) < block.timestamp;
    }

    /// A thief seals revealed bytes for himself or in the name of a stolen key.
    function sealStolen(uint256 number, uint256 seed, uint64 index, uint64 size) external step {
        number = _find(number, CONTENTS, _isRevealed);
        if (number == CONTENTS) return;
        address creator = _keys[_find(seed, _keys.length, _isHeld)];
        _draft(number, creator, seed % 3 == 0 ? _thief(seed) : creator, index, size, false);
    }

    /// Anybody copies a pending seal, or seals words that are no tree's root.
    function copySeal(uint256 seed, uint256 who) external step {
        if (_drafts.length == 0 || seed % 7 == 0) return _seal(_thief(who), bytes32(seed % 2));
        _seal(_thief(who), _drafts[seed % _drafts.length].root);
    }

    /// Whoever holds the key claims, with a signature, or only signs and leaves the rest to whoever sends it.
    function claim(uint256 seed, uint256 how) external step {
        uint256 number = _find(seed, _drafts.length, seed % 4 == 0 ? _isOpen : _isWinning);
        if (number == _drafts.length) return;
        Draft storage draft = _drafts[number];
        address speaker = identities.currentOf(draft.opening.creator);
        if (draft.honest ? isThief[speaker] : !_thiefHolds(speaker)) return;
        if (how % 3 != 0) _signDraft(draft, speaker);
        if (how % 3 == 1) return;
        bool ok = _open(speaker, draft.work, draft.opening, how % 3 == 2 ? draft.signature : bytes(""), draft.signer);
        if (ok && _stolenAt[speaker] != 0) ++count["stolenClaim"];
        if (ok && draft.honest && draft.number % OWNERS != 3) _ownerClaimed[draft.work.content] = true;
    }

    /// Anybody sends a signature again, with whichever copy of the seal he likes.
    function replay(uint256 seed, uint256 who, bool otherSealer) external step {
        seed = _find(seed, _drafts.length, _isSigned);
        if (seed == _drafts.length) return;
        Draft memory draft = _drafts[seed];
        if (otherSealer) draft.opening.sealer = _thief(who);
        _open(_thief(who), draft.work, draft.opening, draft.signature, draft.signer);
    }

    /// A thief changes parts of an opening that he saw, and sends it as himself, or with the signature that he saw.
    function forge(uint256 seed, uint256 what, uint64 index, uint64 size, bool signed) external step {
        if (_drafts.length == 0) return;
        Draft memory draft = _drafts[seed % _drafts.length];
        bytes32 meant = _messageOf(draft);
        if (what & 64 != 0) (index, size) = (index % 9, size % 9);
        if (what & 1 != 0) (draft.opening.index, draft.opening.size) = (index, size);
        if (what & 2 != 0) draft.opening.path = new bytes32[](what % 5);
        if (what & 4 != 0) draft.opening.creator = _thief(seed);
        if (what & 8 != 0) draft.opening.sealer = _thief(seed);
        if (what & 16 != 0) draft.work.metadata = bytes32(seed);
        if (what & 32 != 0) draft.work.content = content(seed);
        bytes memory signature = signed && draft.signer != address(0) ? draft.signature : bytes("");
        address signer = _messageOf(draft) == meant ? draft.signer : address(0);
        _open(_thief(seed), draft.work, draft.opening, signature, signer);
    }

    function retract(uint256 number, uint256 who, bool on) external step {
        number = _find(number, CONTENTS, _isClaimed);
        address creator = registry.claimOf(content(number)).creator;
        address sender = who % 3 == 0 ? _keys[who % _keys.length] : identities.currentOf(creator);
        bool allowed =
            creator != address(0) && identities.currentOf(creator) == sender && identities.keyOf(sender).cutoff == 0;
        VM.prank(sender);
        try registry.retract(content(number), on) {
            _rule("C7", allowed);
            _mayRestore = allowed;
            ++count["retract"];
        } catch {
            _rule("C7", !allowed);
        }
    }

    /* KEYS */

    function steal(uint256 owner, uint256 luck) external step {
        if (luck % 4 != 0) return;
        address current = identities.currentOf(nameOf(owner));
        if (_stolenAt[current] == 0) _stolenAt[current] = block.timestamp;
        ++count["steal"];
    }

    /// A thief uses a stolen key for everything that it may do.
    function abuse(uint256 owner, uint256 what, uint256 who) external step {
        address current = identities.currentOf(nameOf(owner));
        if (!_thiefHolds(current)) return what % 2 == 0 ? _mark(_thief(who), current) : _cancel(_thief(who), owner);
        if (what % 8 == 0) return _mark(current, current);
        if (what % 4 == 1) return _register(current, keccak256(abi.encode(_thief(who))), _thief(who ^ 1));
        if (what % 4 == 2) return _cancel(current, owner);
        _rotate(current, nameOf(owner), THIEVES_SECRET + who % THIEVES, _thief(who), 0, address(0));
    }

    /// A thief adopts any key into any identity: only a key that he holds, into an identity that he may hand over.
    function abduct(uint256 seed, uint256 who, bool own) external step {
        address name = own ? _thief(who) : _keys[who % _keys.length];
        address key = _keys[seed % _keys.length];
        bool held = _thiefHolds(key);
        if (held && _secretOf(key) == 0) return;
        bool ok = _rotate(_thiefHolds(name) ? name : _thief(who), name, held ? _secretOf(key) : 0, key, 0, address(0));
        _rule("I9", !ok || held);
        if (ok) ++count["abduct"];
    }

    /// A thief plays the guardian.
    function usurp(uint256 owner, uint256 who) external step {
        Adoption memory a = Adoption(nameOf(owner), _thief(who), 0, address(0));
        bytes memory signature = _signAdoption(THIEVES_SECRET + who % THIEVES, a);
        bool guards = identities.identityOf(nameOf(owner)).guardian == _thief(who);
        VM.prank(_thief(who));
        try identities.recover(a, signature) {
            _rule("I8", guards);
        } catch {}
    }

    /// An owner moves to the next key, or answers a theft.
    function rotate(uint256 owner) external step {
        _respond(owner % OWNERS);
    }

    function guard(uint256 owner, uint256 what, uint40 from) external step {
        owner %= 2;
        address current = identities.currentOf(nameOf(owner));
        if (what % 12 == 0) return _mark(_guardian(owner), current);
        if (what % 3 == 1) return _cancel(_guardian(owner), owner);
        if (what % 3 == 2) return _recover(owner);
        if (_find(what, _keys.length, _isEnded) == _keys.length) return;
        address key = _keys[_find(what, _keys.length, _isEnded)];
        VM.prank(_guardian(owner));
        try identities.suspect(key, uint40(START + from % 4 days)) {
            ++count["suspect"];
        } catch {}
    }

    /// Time passes; no owner who prepared leaves a theft without an answer for more than 5 days.
    function wait(uint256 time) external step {
        time = time % 4 == 0 ? time % 2 : time % 3 days;
        for (uint256 i = 0; i < OWNERS - 1; ++i) {
            uint256 stolenAt = _stolenAt[identities.currentOf(nameOf(i))];
            if (stolenAt != 0 && block.timestamp + time > stolenAt + 5 days) _respond(i);
        }
        _watch();
        VM.warp(block.timestamp + time);
        VM.roll(block.number + 1);
    }

    /* MODELS */

    function model(uint256 owner, uint256 version, uint256 what, uint256 who) external step {
        address publisher = nameOf(owner);
        bytes32 weights = bytes32(version % 8 == 0 ? 0 : version % 2 + 1);
        Model memory m = Model(publisher, weights, 0, 0, 0, keccak256(""), 0, 0);
        bytes32 id = models.modelIdOf(m);
        if (_modelIds.length < OWNERS * 3) _modelIds.push(id);
        address sender = who % 4 != 0 ? identities.currentOf(publisher) : _keys[who % _keys.length];
        bool allowed = identities.currentOf(publisher) == sender && identities.keyOf(sender).cutoff == 0;
        bytes4[3] memory verbs = [models.publish.selector, models.deprecate.selector, models.revoke.selector];
        VM.prank(sender);
        (bool ok,) = address(models).call(abi.encodeWithSelector(verbs[what % 3], m));
        if (ok) _rule("M3", allowed && weights != 0);
        if (ok) ++count["model"];
    }

    /* INTERNAL: WHO */

    uint256 internal constant THIEVES_SECRET = 9000;

    function _secret(uint256 owner, uint256 generation) internal pure returns (uint256) {
        return (owner % OWNERS + 1) * 1000 + generation;
    }

    function _key(uint256 owner, uint256 generation) internal returns (address) {
        return _addr(_secret(owner, generation));
    }

    function _thief(uint256 who) internal returns (address) {
        return _addr(THIEVES_SECRET + who % THIEVES);
    }

    function _guardian(uint256 owner) internal returns (address) {
        return _addr(7000 + owner);
    }

    function _service() internal returns (address) {
        return _addr(8000);
    }

    /* INTERNAL: WHAT FITS NOW */

    /// The first number from `seed` on, cyclically below `many`, that fits; `many` when none does.
    function _find(uint256 seed, uint256 many, function(uint256) internal view returns (bool) fits)
        internal
        view
        returns (uint256)
    {
        for (uint256 i = 0; i < many; ++i) {
            uint256 number = (seed % many + i) % many;
            if (fits(number)) return number;
        }
        return many;
    }

    function _isNew(uint256 number) internal view returns (bool) {
        return _draftOf[number] == 0;
    }

    function _isSecret(uint256 number) internal view returns (bool) {
        return _draftOf[number] != 0 && !_revealed[number];
    }

    function _isRevealed(uint256 number) internal view returns (bool) {
        return _revealed[number];
    }

    function _isOpen(uint256 number) internal view returns (bool) {
        return !_drafts[number].honest || _revealed[_drafts[number].number];
    }

    function _isWinning(uint256 number) internal view returns (bool) {
        Draft storage draft = _drafts[number];
        uint40 held = registry.claimOf(draft.work.content).sealedAt;
        return _isOpen(number) && (held == 0 || _sealTime(draft.root, draft.opening.sealer) < held);
    }

    function _isClaimed(uint256 number) internal view returns (bool) {
        return registry.claimOf(content(number)).creator != address(0);
    }

    function _isHeld(uint256 number) internal view returns (bool) {
        return _thiefHolds(_keys[number]);
    }

    function _isEnded(uint256 number) internal view returns (bool) {
        return identities.keyOf(_keys[number]).cutoff != 0;
    }

    function _isSigned(uint256 number) internal view returns (bool) {
        return _drafts[number].signer != address(0);
    }

    function _thiefHolds(address key) internal view returns (bool) {
        return isThief[key] || _stolenAt[key] != 0;
    }

    /* INTERNAL: SEALS AND CLAIMS */

    function _draft(uint256 number, address creator, address sealer, uint64 index, uint64 size, bool honest)
        internal
        returns (uint256)
    {
        Draft memory draft;
        (draft.number, draft.honest) = (number, honest);
        draft.work = Work(content(number), 0, keccak256("digitalCapture"), 0, 0, bytes32(_drafts.length));
        bytes32 salt = keccak256(abi.encode("salt", _drafts.length));
        (size, index) = (size % 9 + 1, index % (size % 9 + 1));
        draft.opening = Opening(creator, sealer, salt, index, size, _siblings(salt, _depth(index, size)));
        bytes32 leaf = _leafOf(draft.work, draft.opening);
        draft.root = _naiveRoot(leaf, index, size, draft.opening.path, draft.opening.path.length);
        _drafts.push(draft);
        _grown[draft.root][leaf] = true;
        _seal(sealer, draft.root);
        ++count[honest ? bytes32("seal") : bytes32("sealStolen")];
        return _drafts.length - 1;
    }

    function _siblings(bytes32 salt, uint256 length) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            path[i] = keccak256(abi.encode(salt, i));
        }
    }

    function _leafOf(Work memory work, Opening memory o) internal view returns (bytes32) {
        return _hashLeaf(registry.leafOf(o.creator, registry.workIdOf(work), o.salt));
    }

    /// What a signature of the draft says.
    function _messageOf(Draft memory draft) internal pure returns (bytes32) {
        return keccak256(abi.encode(draft.opening.creator, draft.work));
    }

    function _signDraft(Draft storage draft, address speaker) internal {
        uint256 secret = _secretOf(speaker);
        if (secret == 0) return;
        draft.signature = _signClaim(secret, draft.opening.creator, registry.workIdOf(draft.work));
        draft.signer = speaker;
    }

    function _secretOf(address key) internal returns (uint256) {
        for (uint256 i = 0; i < OWNERS; ++i) {
            for (uint256 generation = 0; generation <= _generation[i]; ++generation) {
                if (_key(i, generation) == key) return _secret(i, generation);
            }
        }
        return isThief[key] ? THIEVES_SECRET + (key == _thief(0) ? 0 : 1) : 0;
    }

    /// Sends a claim and compares what the registry does with what the rules say. `signer` made `signature`, over just
    /// this work and creator; 0 when it is of something else.
    function _open(address sender, Work memory work, Opening memory o, bytes memory signature, address signer)
        internal
        returns (bool ok)
    {
        uint40 sealedAt = _shown(work, o);
        bool fair = sealedAt != 0 && _consented(o, sealedAt);
        fair = fair && identities.currentOf(o.creator) == (signature.length == 0 ? sender : signer);
        Claim memory holder = registry.claimOf(work.content);
        VM.prank(sender);
        if (signature.length == 0) {
            try registry.claim(work, o) {
                ok = true;
            } catch {}
        } else {
            try registry.claimFor(work, o, signature) {
                ok = true;
            } catch {}
        }
        _rule("C2", !ok || fair);
        _rule("C3", !fair || ok == (holder.creator == address(0) || sealedAt < holder.sealedAt));
        if (fair && (_lowestShown[work.content] == 0 || sealedAt < _lowestShown[work.content])) {
            _lowestShown[work.content] = sealedAt;
        }
        if (ok) ++count[holder.creator == address(0) ? bytes32("claim") : bytes32("supersede")];
        if (!ok) ++count[fair ? bytes32("late") : bytes32("refused")];
    }

    /// When the root that holds this opening's leaf was sealed; 0: no such root, or not before this second.
    function _shown(Work memory work, Opening memory o) internal view returns (uint40 sealedAt) {
        if (o.index >= o.size || o.path.length != _depth(o.index, o.size)) return 0;
        bytes32 leaf = _leafOf(work, o);
        bytes32 root = _naiveRoot(leaf, o.index, o.size, o.path, o.path.length);
        sealedAt = _grown[root][leaf] ? _sealTime(root, o.sealer) : 0;
        return sealedAt < block.timestamp ? sealedAt : 0;
    }

    function _consented(Opening memory o, uint40 sealedAt) internal view returns (bool) {
        bool own = identities.rootOf(o.sealer) == identities.rootOf(o.creator);
        address key = own ? o.sealer : identities.currentOf(o.creator);
        uint40 cutoff = identities.keyOf(key).cutoff;
        return cutoff == 0 || (own ? sealedAt : block.timestamp) < cutoff;
    }

    /* INTERNAL: KEYS */

    function _prepare(uint256 owner, bool committed, bool guarded) internal {
        bytes32 commitment = committed ? keccak256(abi.encode(_key(owner, 1))) : bytes32(0);
        _register(_key(owner, 0), commitment, guarded ? _guardian(owner) : address(0));
    }

    function _register(address key, bytes32 commitment, address guardian) internal {
        VM.prank(key);
        try identities.register(commitment, guardian) {
            ++count["register"];
        } catch {}
    }

    function _mark(address by, address key) internal {
        bool allowed = by == key || by == identities.identityOf(identities.rootOf(key)).guardian;
        VM.prank(by);
        try identities.markCompromised(key) {
            _rule("I8", allowed);
            marked[key] = true;
            ++count["mark"];
        } catch {}
    }

    function _cancel(address by, uint256 owner) internal {
        address current = identities.currentOf(nameOf(owner));
        bool allowed = (by == current && !_ended(current)) || by == identities.identityOf(nameOf(owner)).guardian;
        VM.prank(by);
        try identities.cancel(nameOf(owner)) {
            _rule("I8", allowed);
            ++count["cancel"];
        } catch {}
    }

    function _respond(uint256 owner) internal {
        address current = _key(owner, _generation[owner]);
        Identity memory state = identities.identityOf(nameOf(owner));
        bool doubted = _stolenAt[current] != 0 || identities.keyOf(current).cutoff != 0;
        if (state.commitment == 0 && state.guardian != address(0) && doubted) {
            _mark(_guardian(owner), current);
            return _recover(owner);
        }
        uint256 next = _generation[owner] + 1;
        bytes32 commitment = state.commitment == 0 ? bytes32(0) : keccak256(abi.encode(_key(owner, next + 1)));
        _rotate(current, nameOf(owner), _secret(owner, next), _key(owner, next), commitment, state.guardian);
        _advance(owner);
    }

    function _recover(uint256 owner) internal {
        uint256 next = _generation[owner] + 1;
        bytes32 commitment = owner == 0 ? keccak256(abi.encode(_key(owner, next + 1))) : bytes32(0);
        Adoption memory a = Adoption(nameOf(owner), _key(owner, next), commitment, _guardian(owner));
        bytes memory signature = _signAdoption(_secret(owner, next), a);
        VM.prank(_guardian(owner));
        try identities.recover(a, signature) {} catch {}
        _advance(owner);
    }

    /// `secret` 0 signs with a wrong key.
    function _rotate(address sender, address name, uint256 secret, address key, bytes32 commitment, address guardian)
        internal
        returns (bool ok)
    {
        Adoption memory a = Adoption(name, key, commitment, guardian);
        bytes memory signature = _signAdoption(secret == 0 ? THIEVES_SECRET + THIEVES : secret, a);
        VM.prank(sender);
        try identities.rotate(a, signature) {
            ok = true;
        } catch {}
    }

    /// The owner goes on with the next key once it is in force.
    function _advance(uint256 owner) internal {
        address next = _key(owner, _generation[owner] + 1);
        if (identities.currentOf(nameOf(owner)) != next) return;
        ++_generation[owner];
        _track(next);
        ++count["adopt"];
    }
}
