//! Opcodes that import, call, set state, or ask the loader.

use pickleproof_core::Opcode;

use super::state::Kind;
use super::writer::Writer;

impl Writer<'_> {
    /// Pushes a global: by GLOBAL, by STACK_GLOBAL, by an extension code.
    pub(super) fn global(&mut self) {
        if !self.options.extensions.is_empty() && self.entropy.chance(1, 8) {
            return self.extension();
        }
        if !self.may_use(4) || self.entropy.chance(1, 4) {
            self.names(Opcode::Global);
            self.state.push(Kind::Global);
            return;
        }
        let (module, name) = self.name_pair();
        for text in [module, name] {
            if !self.entropy.chance(1, 8) || !self.get_if(|kind| kind == Kind::Text) {
                self.push_text(text);
            }
            if self.entropy.chance(1, 3) {
                self.put();
            }
        }
        self.confuse();
        self.replace(Opcode::StackGlobal, 2, Kind::Global);
    }

    fn extension(&mut self) {
        let code = if self.fault() {
            i32::from_le_bytes(
                self.entropy
                    .any()
                    .to_le_bytes()
                    .first_chunk()
                    .copied()
                    .unwrap_or_default(),
            )
        } else {
            let count = self.options.extensions.len();
            let place = self.entropy.below(count);
            self.options.extensions.get(place).copied().unwrap_or(1)
        };
        if let (Ok(code), false) = (u8::try_from(code), self.entropy.chance(1, 4)) {
            self.emit(Opcode::Ext1, &[code]);
        } else if let (Ok(code), false) = (u16::try_from(code), self.entropy.chance(1, 4)) {
            self.emit(Opcode::Ext2, &code.to_le_bytes());
        } else {
            self.emit(Opcode::Ext4, &code.to_le_bytes());
        }
        self.state.push(Kind::Global);
    }

    /// An object of some kind: the top, an entry of the memo, or a new one.
    pub(super) fn need(&mut self, wanted: fn(Kind) -> bool, make: fn(&mut Self)) {
        if self.fault() {
            return self.literal();
        }
        if self.state.top().is_some_and(wanted) && self.entropy.chance(3, 4) {
            return;
        }
        if self.entropy.chance(1, 3) && self.get_if(wanted) {
            return;
        }
        make(self);
    }

    /// A tuple of arguments on top of what is to be called.
    fn arguments(&mut self) {
        match self.entropy.below(4) {
            _ if self.fault() => self.literal(),
            0 => {
                self.emit(Opcode::EmptyTuple, &[]);
                self.state.push(Kind::Tuple { hashable: true });
            }
            1 => {
                self.mark();
                for _ in 0..self.entropy.below(4) {
                    self.item();
                }
                self.collect(Opcode::Tuple);
            }
            2 if self.get_if(|kind| matches!(kind, Kind::Tuple { .. })) => {}
            _ => {
                let count = self.entropy.below(2).saturating_add(1);
                for _ in 0..count {
                    self.item();
                }
                self.tuple(count);
            }
        }
    }

    /// Something to put into a container or a call.
    pub(super) fn item(&mut self) {
        if !self.entropy.chance(1, 4) || !self.get_if(|_| true) {
            self.literal();
        }
    }

    pub(super) fn reduce(&mut self) {
        self.need(Kind::is_opaque, Self::global);
        self.arguments();
        self.confuse();
        self.replace(Opcode::Reduce, 2, Kind::Object);
    }

    pub(super) fn new_object(&mut self) {
        let is_class: fn(Kind) -> bool = |kind| kind == Kind::Global;
        self.need(is_class, Self::global);
        self.arguments();
        if self.may_use(4) && self.entropy.chance(1, 3) {
            self.keywords();
            self.confuse();
            self.replace(Opcode::NewObjEx, 3, Kind::Object);
        } else {
            self.confuse();
            self.replace(Opcode::NewObj, 2, Kind::Object);
        }
    }

    /// A dict whose keys are text, some of them more than once.
    fn keywords(&mut self) {
        self.emit(Opcode::EmptyDict, &[]);
        self.state.push(Kind::Dict);
        for _ in 0..self.entropy.below(3) {
            if self.bold() {
                self.key();
            } else {
                let key = self.entropy.pick(&[b"a", b"b"]).unwrap_or(b"a");
                self.push_text(key);
            }
            self.item();
            self.emit(Opcode::SetItem, &[]);
            self.state.pop(2);
        }
    }

    /// BUILD with any state: what is built takes everything.
    pub(super) fn build(&mut self) {
        self.need(Kind::is_opaque, Self::global);
        match self.entropy.below(4) {
            0 => self.keywords(),
            1 => {
                for _ in 0..2 {
                    match self.entropy.below(3) {
                        0 => self.none_or_bool(),
                        1 => self.item(),
                        _ => self.keywords(),
                    }
                }
                self.tuple(2);
            }
            _ => self.item(),
        }
        self.confuse();
        self.emit(Opcode::Build, &[]);
        self.state.pop(1);
    }

    /// INST and OBJ: a mark, a class, arguments.
    pub(super) fn instantiate(&mut self) {
        if !self.fault() {
            self.mark();
        }
        let obj = self.may_use(1) && self.entropy.chance(1, 2);
        if obj {
            let made: fn(Kind) -> bool = |_| false;
            self.need(made, Self::global);
        }
        for _ in 0..self.entropy.below(4) {
            self.item();
        }
        self.confuse();
        if obj {
            self.emit(Opcode::Obj, &[]);
        } else {
            self.names(Opcode::Inst);
        }
        self.state.pop_mark();
        self.state.push(Kind::Object);
    }

    pub(super) fn persistent_id(&mut self) {
        if !self.options.persistent_ids && !self.fault() {
            return self.literal();
        }
        if self.may_use(1) && self.entropy.chance(3, 4) {
            if self.state.top().is_none() && !self.fault() {
                self.literal();
            }
            self.replace(Opcode::BinPersId, 1, Kind::Object);
        } else {
            self.persistent_id_line();
        }
    }

    /// NEXT_BUFFER, or READONLY_BUFFER on something that has a buffer.
    pub(super) fn buffer(&mut self) {
        if !self.may_use(5) {
            return self.literal();
        }
        if (self.buffers > 0 && self.entropy.chance(1, 2)) || self.fault() {
            self.buffers = self.buffers.saturating_sub(1);
            self.emit(Opcode::NextBuffer, &[]);
            self.state.push(Kind::Buffer);
            return;
        }
        let has_buffer: fn(Kind) -> bool =
            |kind| matches!(kind, Kind::Bytes | Kind::ByteArray | Kind::Buffer);
        self.need(has_buffer, Self::bytearray);
        // A bytearray becomes a view, which is good for nothing further.
        self.replace(Opcode::ReadonlyBuffer, 1, Kind::Buffer);
    }
}
