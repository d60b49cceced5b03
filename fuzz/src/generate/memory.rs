//! Opcodes of the memo.

use pickleproof_core::Opcode;

use super::state::Kind;
use super::writer::Writer;

impl Writer<'_> {
    /// Stores the top under the next index, one that is taken, or one that leaves a gap.
    pub(super) fn put(&mut self) {
        let Some(kind) = self.state.top() else {
            return self.literal();
        };
        let next = self.state.next_memo();
        if self.may_use(4) && self.entropy.chance(5, 8) {
            self.emit(Opcode::Memoize, &[]);
            self.state.store(next, kind);
            return;
        }
        let index = match self.entropy.below(16) {
            0 | 1 => u32::from(self.entropy.byte()),
            2 | 3 => self.known_index().unwrap_or(next),
            4 => next.saturating_add(u32::from(self.entropy.byte() & 7)),
            5 if self.entropy.chance(1, 4) => u32::try_from(self.entropy.below(5000)).unwrap_or(0),
            _ => next,
        };
        self.indexed(Opcode::Put, Opcode::BinPut, Opcode::LongBinPut, index);
        self.state.store(index, kind);
    }

    fn known_index(&mut self) -> Option<u32> {
        let count = self.state.memo().len();
        let place = self.entropy.below(count);
        self.state.memo().get(place).map(|(index, _)| *index)
    }

    fn indexed(&mut self, line: Opcode, short: Opcode, long: Opcode, index: u32) {
        if !self.may_use(1) || self.entropy.chance(1, 16) {
            self.index_line(line, index);
        } else if let (Ok(byte), false) = (u8::try_from(index), self.entropy.chance(1, 8)) {
            self.emit(short, &[byte]);
        } else {
            self.emit(long, &index.to_le_bytes());
        }
    }

    /// Pushes an entry, if there is one.
    pub(super) fn get(&mut self) {
        if self.fault() {
            let index = u32::from(self.entropy.byte() & 15);
            self.fetch(index, Kind::Object);
        } else if !self.get_if(|_| true) {
            self.literal();
        }
    }

    /// Pushes an entry of some kind; says whether there was one.
    pub(super) fn get_if(&mut self, wanted: impl Fn(Kind) -> bool) -> bool {
        let count = self.state.memo().len();
        let start = self.entropy.below(count);
        let (before, after) = self.state.memo().split_at(start);
        let found = after.iter().chain(before).find(|(_, kind)| wanted(*kind));
        let Some(&(index, kind)) = found else {
            return false;
        };
        self.fetch(index, kind);
        true
    }

    fn fetch(&mut self, index: u32, kind: Kind) {
        self.indexed(Opcode::Get, Opcode::BinGet, Opcode::LongBinGet, index);
        self.state.push(kind);
    }
}
