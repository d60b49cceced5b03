//! Opcodes that reach outside: imports, calls, states, persistent ids, extensions, buffers.

use std::borrow::Cow;

use super::{
    Dialect, EffectKind, Environment, ErrorKind, Exception, Instruction, Machine, Opcode, Operand,
    OutOfBand, Step, Value, ValueKind,
};
use crate::decode::line_text;
use crate::graph::Name;

/// At most so many arguments are spread out of what `pickle.py` takes in a tuple's place.
const MAX_SPREAD: usize = 1 << 16;

impl<'a> Machine<'a> {
    pub(super) fn is_generous(&self) -> bool {
        self.options.environment == Environment::Generous
    }

    pub(super) fn resolves_persistent_ids(&self) -> bool {
        self.is_generous() || self.options.persistent_load
    }

    fn import(&mut self, opcode: Opcode, names: (Name<'a>, Name<'a>)) -> Step<Value> {
        let operands = names.0.value.zip(names.1.value);
        let global = self
            .graph
            .import(names, self.offset, self.effects.len(), self.protocol);
        let protocol = self.protocol;
        self.effect(
            opcode,
            EffectKind::Import {
                global,
                operands,
                protocol,
            },
        )?;
        Ok(self.graph.global_value(global))
    }

    pub(super) fn import_line_names(&mut self, instruction: &Instruction<'a>) -> Step<Value> {
        let (module, name) = match instruction.operand {
            Operand::Lines(module, name) => (line_text(module), line_text(name)),
            _ => (&[][..], &[][..]),
        };
        let literal = |text| Name {
            text: Cow::Borrowed(text),
            value: None,
        };
        self.import(instruction.opcode, (literal(module), literal(name)))
    }

    pub(super) fn import_lines(&mut self, instruction: &Instruction<'a>) -> Step {
        let global = self.import_line_names(instruction)?;
        self.push(global)
    }

    pub(super) fn import_operands(&mut self) -> Step {
        // C reports what is missing as what is wrong: "STACK_GLOBAL requires str".
        let (name, module) = if self.is_python() {
            (self.pop()?, self.pop()?)
        } else {
            let name = self.pop().unwrap_or(Value::NONE);
            (name, self.pop().unwrap_or(Value::NONE))
        };
        let (Some(module_text), Some(name_text)) = (self.graph.text(module), self.graph.text(name))
        else {
            return self.fault(ErrorKind::NamesNotText);
        };
        let names = (
            Name {
                text: module_text,
                value: Some(module),
            },
            Name {
                text: name_text,
                value: Some(name),
            },
        );
        let global = self.import(Opcode::StackGlobal, names)?;
        self.push(global)
    }

    /// Records a call and pushes what it gives.
    fn call(
        &mut self,
        opcode: Opcode,
        callable: Value,
        arguments: Value,
        keywords: Option<Value>,
        only_new: bool,
    ) -> Step {
        let object = self.graph.new_object(self.offset, self.effects.len())?;
        self.effect(
            opcode,
            EffectKind::Call {
                callable,
                arguments,
                keywords,
                object,
                only_new,
            },
        )?;
        self.push(object)
    }

    pub(super) fn reduce(&mut self) -> Step {
        let arguments = self.pop()?;
        let callable = self.pop()?;
        let arguments = self.spread(arguments, ErrorKind::ArgumentsNotTuple)?;
        if !callable.kind().is_opaque() {
            return self.fault(ErrorKind::NotCallable);
        }
        self.call(Opcode::Reduce, callable, arguments, None, false)
    }

    /// A tuple; `pickle.py` takes anything that `*` spreads.
    fn spread(&mut self, arguments: Value, kind: ErrorKind) -> Step<Value> {
        if arguments.kind() == ValueKind::Tuple {
            return Ok(arguments);
        }
        if arguments.kind().is_opaque() && self.is_generous() {
            return Ok(arguments);
        }
        if !self.is_python() {
            return self.fault(kind);
        }
        let items: Vec<Value> = match arguments.kind() {
            ValueKind::List | ValueKind::Set | ValueKind::FrozenSet => {
                self.graph.items(arguments).take(MAX_SPREAD).collect()
            }
            ValueKind::Dict => self
                .graph
                .items(arguments)
                .step_by(2)
                .take(MAX_SPREAD)
                .collect(),
            ValueKind::Str | ValueKind::Character => {
                let text = self.graph.text(arguments).unwrap_or_default();
                String::from_utf8_lossy(&text)
                    .chars()
                    .take(MAX_SPREAD)
                    .map(|character| {
                        Value::pack(ValueKind::Character, u64::from(u32::from(character)))
                    })
                    .collect()
            }
            ValueKind::Bytes | ValueKind::ByteArray | ValueKind::View => {
                let base = self.graph.view_base(arguments).unwrap_or(arguments);
                let bytes = self.graph.byte_string(base).unwrap_or_default();
                bytes
                    .iter()
                    .take(MAX_SPREAD)
                    .map(|byte| Value::small_int(i32::from(*byte)))
                    .chain(self.graph.items(base).take(MAX_SPREAD))
                    .collect()
            }
            _ => return self.fault_or(kind, Exception::TypeError),
        };
        Ok(self.graph.new_tuple(self.offset, &items)?)
    }

    /// NEWOBJ and NEWOBJ_EX.
    pub(super) fn new_object(&mut self, with_keywords: bool) -> Step {
        let keywords = if with_keywords {
            Some(self.pop()?)
        } else {
            None
        };
        let arguments = self.pop()?;
        let class = self.pop()?;
        let is_class = class.kind() == ValueKind::Global
            || (class.kind() == ValueKind::Object && self.is_generous());
        if !is_class {
            return self.fault_or(ErrorKind::NotClass, Exception::TypeError);
        }
        let arguments = self.new_arguments(arguments)?;
        if let Some(keywords) = keywords {
            if keywords.kind() == ValueKind::Dict {
                let text = |key: Value| matches!(key.kind(), ValueKind::Str | ValueKind::Character);
                if !self.graph.items(keywords).step_by(2).all(text) {
                    return self.fault_type(ErrorKind::ArgumentsNotDict);
                }
            } else if !(keywords.kind().is_opaque() && self.is_generous()) {
                return self.fault_or(ErrorKind::ArgumentsNotDict, Exception::TypeError);
            }
        }
        let opcode = if with_keywords {
            Opcode::NewObjEx
        } else {
            Opcode::NewObj
        };
        self.call(opcode, class, arguments, keywords, true)
    }

    fn new_arguments(&mut self, arguments: Value) -> Step<Value> {
        if arguments.kind() == ValueKind::Tuple {
            return Ok(arguments);
        }
        let accepted = self.is_python() || (arguments.kind().is_opaque() && self.is_generous());
        if !accepted {
            // REDUCE raises a TypeError here, NEWOBJ an UnpicklingError.
            return self.fault_class(ErrorKind::ArgumentsNotTuple, Exception::UnpicklingError);
        }
        self.spread(arguments, ErrorKind::ArgumentsNotTuple)
    }

    fn fault_class<T>(&self, kind: ErrorKind, exception: Exception) -> Step<T> {
        Err(super::Halt::Error(
            crate::Error::new(kind, self.offset).raised_as(exception),
        ))
    }

    fn fault_type<T>(&self, kind: ErrorKind) -> Step<T> {
        self.fault_class(kind, Exception::TypeError)
    }

    pub(super) fn inst(&mut self, instruction: &Instruction<'a>) -> Step {
        // C wants its mark before it reads the names, `pickle.py` imports first.
        let (class, mark) = if self.is_python() {
            let class = self.import_line_names(instruction)?;
            (class, self.pop_mark()?)
        } else {
            let mark = self.pop_mark()?;
            (self.import_line_names(instruction)?, mark)
        };
        let arguments = self.arguments_to(mark)?;
        self.instantiate(Opcode::Inst, class, arguments)
    }

    pub(super) fn obj(&mut self) -> Step {
        let mark = self.pop_mark()?;
        let Some(&class) = self.stack.get(mark) else {
            return self.underflow();
        };
        let arguments = self.arguments_to(mark.saturating_add(1))?;
        self.stack.truncate(mark);
        self.instantiate(Opcode::Obj, class, arguments)
    }

    fn arguments_to(&mut self, mark: usize) -> Step<Value> {
        let items = self.stack.get(mark..).unwrap_or_default();
        let arguments = self.graph.new_tuple(self.offset, items)?;
        self.stack.truncate(mark);
        Ok(arguments)
    }

    fn instantiate(&mut self, opcode: Opcode, class: Value, arguments: Value) -> Step {
        if !class.kind().is_opaque() {
            // `pickle.py` fails while it builds its message from `__name__`.
            return self.fault_or(ErrorKind::NotCallable, Exception::AttributeError);
        }
        let only_new = arguments == Value::EMPTY_TUPLE && class.kind() == ValueKind::Global;
        self.call(opcode, class, arguments, None, only_new)
    }

    pub(super) fn build(&mut self) -> Step {
        let state = self.pop()?;
        let object = self.top()?;
        if object.kind().is_opaque() {
            return self.effect(Opcode::Build, EffectKind::Build { object, state });
        }
        self.build_plain(state)
    }

    /// BUILD on a plain object, which has neither `__setstate__` nor `__dict__`.
    fn build_plain(&mut self, state: Value) -> Step {
        let (mut state, mut slots) = (state, None);
        if state.kind() == ValueKind::Tuple && self.graph.item_count(state) == 2 {
            let mut items = self.graph.items(state);
            if let (Some(first), Some(second)) = (items.next(), items.next()) {
                (state, slots) = (first, Some(second));
            }
        }
        if self.is_python() {
            if self.is_true(state) {
                return self.fault(ErrorKind::MissingMethod);
            }
            slots = slots.filter(|slots| self.is_true(*slots));
        } else if !state.is_none() {
            return match state.kind() {
                ValueKind::Dict => self.fault(ErrorKind::MissingMethod),
                _ => self.fault(ErrorKind::InvalidState),
            };
        }
        let Some(slots) = slots else { return Ok(()) };
        if slots.kind() != ValueKind::Dict {
            return self.fault_or(ErrorKind::InvalidState, Exception::AttributeError);
        }
        match self.graph.items(slots).next() {
            None => Ok(()),
            Some(key) => match self.graph.text(key).as_deref() {
                None | Some(b"__class__") => self.fault_type(ErrorKind::MissingMethod),
                Some(_) => self.fault(ErrorKind::MissingMethod),
            },
        }
    }

    /// Python's truth of a value; opaque ones are true.
    fn is_true(&self, value: Value) -> bool {
        match value.kind() {
            ValueKind::None => false,
            ValueKind::Bool | ValueKind::Int => value.signed_payload() != 0,
            ValueKind::Float => self
                .graph
                .float_bits(value)
                .is_none_or(|bits| f64::from_bits(bits) != 0.0),
            ValueKind::Str => self.graph.text(value).is_none_or(|text| !text.is_empty()),
            ValueKind::Bytes => self
                .graph
                .byte_string(value)
                .is_none_or(|bytes| !bytes.is_empty()),
            ValueKind::Tuple
            | ValueKind::List
            | ValueKind::Dict
            | ValueKind::Set
            | ValueKind::FrozenSet => self.graph.item_count(value) > 0,
            ValueKind::ByteArray => self.graph.length(value) > 0,
            ValueKind::View => self
                .graph
                .view_base(value)
                .is_none_or(|base| self.graph.length(base) > 0),
            ValueKind::LongInt | ValueKind::Character | ValueKind::Global | ValueKind::Object => {
                true
            }
        }
    }

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
        let given = self.options.buffers.as_ref().map_or(0, Vec::len);
        if self.buffers.len() >= given {
            return self.fault(ErrorKind::MissingBuffer);
        }
        self.new_born(Opcode::NextBuffer, |object| EffectKind::Buffer { object })?;
        self.buffers.extend(self.stack.last());
        Ok(())
    }

    pub(super) fn readonly_buffer(&mut self) -> Step {
        let top = self.top()?;
        match top.kind() {
            ValueKind::Bytes | ValueKind::View => Ok(()),
            ValueKind::ByteArray => self.view_top(top),
            // An object of the environment's may turn out to be a buffer.
            ValueKind::Object | ValueKind::Global if self.is_generous() => Ok(()),
            _ => match self.given_buffer(top) {
                Some(OutOfBand::ReadOnly) => Ok(()),
                Some(OutOfBand::Writable) => self.view_top(top),
                None => self.fault(ErrorKind::NotBuffer),
            },
        }
    }

    fn view_top(&mut self, base: Value) -> Step {
        let view = self.graph.new_view(self.offset, base)?;
        self.views.push(view);
        self.stack.pop();
        self.push(view)
    }

    fn given_buffer(&self, value: Value) -> Option<OutOfBand> {
        let index = self.buffers.iter().position(|buffer| *buffer == value)?;
        self.options.buffers.as_ref()?.get(index).copied()
    }
}
