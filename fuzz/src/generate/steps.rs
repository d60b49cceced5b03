//! Which opcode comes next, and the opcodes of containers.

use pickleproof_core::Opcode;

use super::state::Kind;
use super::writer::Writer;

/// One more than the largest choice of [`Writer::step`].
const CHOICES: usize = 100;

impl Writer<'_> {
    /// One opcode and what it needs.
    pub(super) fn step(&mut self) {
        match self.entropy.below(CHOICES) {
            0..=19 => self.literal(),
            20..=29 => self.put(),
            30..=36 => self.get(),
            37..=41 => self.mark(),
            42..=51 => self.close_mark(),
            52..=56 => {
                let count = self.entropy.below(3).saturating_add(1);
                while self.state.above().len() < count && !self.fault() {
                    self.literal();
                }
                self.tuple(count);
            }
            57..=61 => self.append(),
            62..=66 => self.set_item(),
            67..=69 => self.many(),
            70..=74 => self.global(),
            75..=79 => self.reduce(),
            80..=82 => self.new_object(),
            83..=85 => self.build(),
            86 | 87 => self.instantiate(),
            88 => self.persistent_id(),
            89 => self.buffer(),
            90 => self.by_index(),
            91 => self.recursive(),
            92 | 93 => self.duplicate(),
            94 | 95 => self.pop(),
            96 => self.begin_frame(),
            97 if self.entropy.chance(1, 4) => {
                let protocol = self.entropy.byte() % 6;
                self.emit(Opcode::Proto, &[protocol]);
            }
            97 if self.entropy.chance(1, 4) => self.end_frame(),
            98 if self.entropy.chance(1, 2) => self.hashed(),
            99 if self.entropy.chance(1, 2) => self.viewed(),
            _ => self.key(),
        }
    }

    /// With a fault, something else on top than an opcode needs.
    pub(super) fn confuse(&mut self) {
        if !self.fault() {
            return;
        }
        match self.entropy.below(4) {
            0 => self.mark(),
            1 => {
                self.emit(Opcode::Pop, &[]);
                self.state.pop_any();
            }
            2 => {
                self.get_if(|_| true);
            }
            _ => self.literal(),
        }
    }

    pub(super) fn tuple(&mut self, count: usize) {
        let opcode = match count {
            0 | 1 => Opcode::Tuple1,
            2 => Opcode::Tuple2,
            _ => Opcode::Tuple3,
        };
        let above = self.state.above();
        let items = above
            .get(above.len().saturating_sub(count)..)
            .unwrap_or_default();
        let hashable = items.iter().all(|kind| kind.is_hashable());
        self.replace(opcode, count, Kind::Tuple { hashable });
    }

    /// TUPLE, LIST, DICT or FROZENSET of what is above the newest mark.
    pub(super) fn collect(&mut self, opcode: Opcode) {
        let hashable = self.state.above().iter().all(|kind| kind.is_hashable());
        let kind = match opcode {
            Opcode::Tuple => Kind::Tuple { hashable },
            Opcode::Dict => Kind::Dict,
            Opcode::FrozenSet => Kind::FrozenSet,
            _ => Kind::List,
        };
        self.emit(opcode, &[]);
        self.state.pop_mark();
        self.state.push(kind);
    }

    /// Any opcode that takes what is above the newest mark.
    fn close_mark(&mut self) {
        if !self.state.has_mark() && !self.fault() {
            return self.mark();
        }
        let above = self.state.above();
        let count = above.len();
        let hashable = above.iter().all(|kind| kind.is_hashable());
        let keys = above.iter().step_by(2).all(|kind| kind.is_hashable());
        let pairs = count.is_multiple_of(2) && keys;
        let first = above.first().copied();
        let target = self.state.target();
        let bold = self.bold();
        match self.entropy.below(10) {
            0 if pairs || bold => self.collect(Opcode::Dict),
            1 if (hashable && self.may_use(4)) || bold => self.collect(Opcode::FrozenSet),
            2 | 3 => self.collect(Opcode::List),
            4 => {
                self.emit(Opcode::PopMark, &[]);
                self.state.pop_mark();
            }
            5 if bold || target.is_some_and(|kind| kind == Kind::List || kind.is_opaque()) => {
                self.extend(Opcode::Appends);
            }
            6 if bold
                || (pairs && target.is_some_and(|kind| kind == Kind::Dict || kind.is_opaque())) =>
            {
                self.extend(Opcode::SetItems);
            }
            7 if bold
                || (hashable
                    && target.is_some_and(|kind| kind == Kind::Set || kind.is_opaque())) =>
            {
                self.extend(Opcode::AddItems);
            }
            8 if bold || first == Some(Kind::Global) => {
                self.emit(Opcode::Obj, &[]);
                self.state.pop_mark();
                self.state.push(Kind::Object);
            }
            _ => self.collect(Opcode::Tuple),
        }
    }

    fn extend(&mut self, opcode: Opcode) {
        self.emit(opcode, &[]);
        self.state.pop_mark();
    }

    fn append(&mut self) {
        let takes: fn(Kind) -> bool = |kind| kind == Kind::List || kind.is_opaque();
        self.need(takes, |writer| writer.fresh(Opcode::EmptyList, Kind::List));
        self.item();
        self.confuse();
        self.emit(Opcode::Append, &[]);
        self.state.pop(1);
    }

    fn set_item(&mut self) {
        let takes: fn(Kind) -> bool = |kind| kind == Kind::Dict || kind.is_opaque();
        self.need(takes, |writer| writer.fresh(Opcode::EmptyDict, Kind::Dict));
        self.hashable();
        self.item();
        self.confuse();
        self.emit(Opcode::SetItem, &[]);
        self.state.pop(2);
    }

    pub(super) fn fresh(&mut self, opcode: Opcode, kind: Kind) {
        self.emit(opcode, &[]);
        self.state.push(kind);
    }

    /// Something that can be a key.
    fn hashable(&mut self) {
        if self.fault() {
            self.literal();
        } else if !self.entropy.chance(1, 4) || !self.get_if(Kind::is_hashable) {
            self.key();
        }
    }

    /// A container and a mark with items for it, none of them now and then.
    fn many(&mut self) {
        let count = self.entropy.below(6);
        let set: fn(Kind) -> bool = |kind| kind == Kind::Set || kind.is_opaque();
        let dict: fn(Kind) -> bool = |kind| kind == Kind::Dict || kind.is_opaque();
        let list: fn(Kind) -> bool = |kind| kind == Kind::List || kind.is_opaque();
        match self.entropy.below(3) {
            0 if self.may_use(4) => {
                self.need(set, |writer| writer.fresh(Opcode::EmptySet, Kind::Set));
                self.mark();
                for _ in 0..count {
                    self.hashable();
                }
                self.confuse();
                self.extend(Opcode::AddItems);
            }
            1 => {
                self.need(dict, |writer| writer.fresh(Opcode::EmptyDict, Kind::Dict));
                self.mark();
                for _ in 0..count {
                    self.hashable();
                    self.item();
                }
                self.confuse();
                self.extend(Opcode::SetItems);
            }
            _ => {
                self.need(list, |writer| writer.fresh(Opcode::EmptyList, Kind::List));
                self.mark();
                for _ in 0..count {
                    self.item();
                }
                self.confuse();
                self.extend(Opcode::Appends);
            }
        }
    }

    /// A list or a bytearray of known length, items of which are set by index.
    fn by_index(&mut self) {
        let count = self.entropy.below(4).saturating_add(1);
        let list = !self.may_use(5) || self.entropy.chance(1, 2);
        if list {
            self.fresh(Opcode::EmptyList, Kind::List);
        } else {
            self.bytearray();
        }
        self.mark();
        for _ in 0..count {
            let byte = self.entropy.byte();
            self.emit(Opcode::BinInt1, &[byte]);
            self.state.push(Kind::Atom);
        }
        self.extend(Opcode::Appends);
        for _ in 0..self.entropy.below(3) {
            let index = if self.bold() {
                self.entropy.byte() & 7
            } else {
                u8::try_from(self.entropy.below(count)).unwrap_or(0)
            };
            if self.bold() {
                self.key();
                self.state.pop(1);
            } else if self.entropy.chance(1, 2) {
                self.emit(Opcode::BinInt1, &[index]);
            } else {
                self.emit(Opcode::BinInt, &(!i32::from(index)).to_le_bytes());
            }
            self.state.push(Kind::Atom);
            if self.bold() {
                self.literal();
            } else {
                let byte = self.entropy.byte();
                self.emit(Opcode::BinInt1, &[byte]);
                self.state.push(Kind::Atom);
            }
            self.emit(Opcode::SetItem, &[]);
            self.state.pop(2);
        }
    }

    /// A container that holds itself, directly or through a tuple.
    fn recursive(&mut self) {
        self.fresh(Opcode::EmptyList, Kind::List);
        self.put();
        self.emit(Opcode::Dup, &[]);
        self.state.push(Kind::List);
        if self.entropy.chance(1, 2) {
            self.tuple(1);
        }
        self.emit(Opcode::Append, &[]);
        self.state.pop(1);
    }

    /// A bytearray that is shown by a view, is added to, or both.
    fn viewed(&mut self) {
        if !self.may_use(5) {
            return self.literal();
        }
        self.bytearray();
        self.put();
        if self.entropy.chance(1, 2) {
            self.replace(Opcode::ReadonlyBuffer, 1, Kind::Buffer);
            if !self.bold() {
                return;
            }
            match self.entropy.below(4) {
                0 => {
                    self.emit(Opcode::Pop, &[]);
                    self.state.pop_any();
                }
                1 => self.put(),
                _ => {}
            }
            if !self.get_if(|kind| kind == Kind::ByteArray) {
                return;
            }
        }
        if self.entropy.chance(1, 2) {
            let byte = self.entropy.byte();
            self.emit(Opcode::BinInt1, &[byte]);
            self.state.push(Kind::Atom);
            self.emit(Opcode::Append, &[]);
            self.state.pop(1);
        }
    }

    /// A dict and a set whose keys share parts.
    fn hashed(&mut self) {
        self.hashable();
        for _ in 0..self.entropy.below(4) {
            self.emit(Opcode::Dup, &[]);
            let top = self.state.top().unwrap_or(Kind::Atom);
            self.state.push(top);
            self.tuple(2);
        }
        self.put();
    }

    fn duplicate(&mut self) {
        match self.state.top() {
            Some(kind) => {
                self.emit(Opcode::Dup, &[]);
                self.state.push(kind);
            }
            None if self.fault() => self.emit(Opcode::Dup, &[]),
            None => self.literal(),
        }
    }

    /// POP of an object or of a mark.
    fn pop(&mut self) {
        if self.state.is_empty() && !self.state.has_mark() && !self.fault() {
            return self.literal();
        }
        self.emit(Opcode::Pop, &[]);
        self.state.pop_any();
    }
}
