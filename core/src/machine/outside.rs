//! Opcodes that ask the loader for something: persistent ids, extension codes, buffers.

use std::borrow::Cow;

use super::{
    Dialect, EffectKind, ErrorKind, Instruction, Machine, Opcode, Operand, OutOfBand, Step, Value,
    ValueKind,
};
use crate::decode::line_text;
use crate::graph::Name;

impl<'a> Machine<'a> {
    fn new_born(&mut self, opcode: Opcode, kind: impl FnOnce(Value) -> EffectKind) -> Step {
        let object = self.graph.new_object(self.offset, self.effects.len())?;
        self.effect(opcode, kind(object))?;
        self.push(object)
    }

    pub(super) fn persistent_id_line(&mut self, instruction: &Instruction<'a>) -> Step {
        let Operand::Line(line) = instruction.operand else {
            return Ok(());
        };
        if self.options.dialect == Dialect::C && !self.resolves_persistent_ids() {
            return self.fault(ErrorKind::MissingPersistentLoad);
        }
        self.note_names(instruction);
        if !line_text(line).is_ascii() {
            return self.fault(ErrorKind::InvalidPersistentId);
        }
        if !self.resolves_persistent_ids() {
            return self.fault(ErrorKind::MissingPersistentLoad);
        }
        self.new_born(Opcode::PersId, |object| EffectKind::PersistentLoad {
            id: None,
            object,
        })
    }

    pub(super) fn persistent_id(&mut self) -> Step {
        if self.options.dialect == Dialect::C && !self.resolves_persistent_ids() {
            return self.fault(ErrorKind::MissingPersistentLoad);
        }
        let id = self.pop()?;
        if !self.resolves_persistent_ids() {
            return self.fault(ErrorKind::MissingPersistentLoad);
        }
        self.new_born(Opcode::BinPersId, |object| EffectKind::PersistentLoad {
            id: Some(id),
            object,
        })
    }

    pub(super) fn extension(&mut self, instruction: &Instruction<'a>) -> Step {
        let code = match instruction.operand {
            Operand::Uint(code) => i32::try_from(code).unwrap_or(i32::MAX),
            Operand::Int(code) => code,
            _ => 0,
        };
        if code <= 0 {
            return self.fault(ErrorKind::InvalidExtension);
        }
        if let Some((_, value)) = self
            .extension_cache
            .iter()
            .find(|(cached, _)| *cached == code)
        {
            let value = *value;
            return self.push(value);
        }
        let registered = self
            .options
            .extensions
            .iter()
            .find(|(known, _, _)| *known == code);
        if let Some((_, module, name)) = registered {
            let owned = |text: &String| Name {
                text: Cow::Owned(text.clone().into_bytes()),
                value: None,
            };
            let names = (owned(module), owned(name));
            let global = self.import(instruction.opcode, names)?;
            self.extension_cache.push((code, global));
            return self.push(global);
        }
        if !self.is_generous() {
            return self.fault(ErrorKind::UnknownExtension);
        }
        self.new_born(instruction.opcode, |object| EffectKind::Extension {
            code,
            object,
        })
    }

    pub(super) fn next_buffer(&mut self) -> Step {
        if self.is_generous() {
            return self.new_born(Opcode::NextBuffer, |object| EffectKind::Buffer { object });
        }
        let buffers = self.options.buffers.as_ref();
        let Some(given) = buffers.and_then(|buffers| buffers.get(self.buffers)) else {
            return self.fault(ErrorKind::MissingBuffer);
        };
        self.buffers = self.buffers.saturating_add(1);
        let (kind, bytes) = match given {
            OutOfBand::ReadOnly(bytes) => (ValueKind::Bytes, bytes.clone()),
            OutOfBand::Writable(bytes) => (ValueKind::ByteArray, bytes.clone()),
        };
        let object = self.graph.give(kind, self.offset, bytes)?;
        self.effect(Opcode::NextBuffer, EffectKind::Buffer { object })?;
        self.push(object)
    }

    pub(super) fn readonly_buffer(&mut self) -> Step {
        let top = self.top()?;
        match top.kind() {
            ValueKind::Bytes | ValueKind::View => Ok(()),
            ValueKind::ByteArray => self.view_top(top),
            // An object of the environment's may turn out to be a buffer.
            ValueKind::Object | ValueKind::Global if self.is_generous() => Ok(()),
            _ => self.fault(ErrorKind::NotBuffer),
        }
    }

    fn view_top(&mut self, base: Value) -> Step {
        let view = self.graph.new_view(self.offset, base)?;
        self.views.push(view);
        self.stack.pop();
        self.push(view)
    }
}
