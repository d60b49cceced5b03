//! Opcodes that reach outside: imports, calls, states, persistent ids, extensions, buffers.

use std::borrow::Cow;

use super::{
    EffectKind, Environment, ErrorKind, Exception, Instruction, Machine, Opcode, Operand, Profile,
    Step, Support, Value, ValueKind,
};
use crate::decode::line_text;
use crate::equality::Equality;
use crate::graph::Name;
use crate::pickletools;
use crate::text;

/// At most so many arguments are spread out of what `pickle.py` takes in a tuple's place.
const MAX_SPREAD: usize = 1 << 16;

/// All that is spread in a run has at most so many items.
const MAX_SPREAD_WORK: u64 = 1 << 22;

impl<'a> Machine<'a> {
    pub(super) fn is_generous(&self) -> bool {
        self.options.environment == Environment::Generous
    }

    pub(super) fn resolves_persistent_ids(&self) -> bool {
        self.is_generous() || self.options.persistent_load
    }

    pub(super) fn import(&mut self, opcode: Opcode, names: (Name<'a>, Name<'a>)) -> Step<Value> {
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
        let value = self.graph.global_value(global);
        if let Some(profile) = self.options.profile {
            let module = self.graph.global_of(global).map(|global| &*global.module);
            if let Some(profile) = module.and_then(profile) {
                if let Some(exception) = profile.raises {
                    return self.fault_class(ErrorKind::ImportFailed, exception);
                }
                self.profiles.insert(value, profile);
            }
        }
        Ok(value)
    }

    /// What an import gave, if it does not support everything.
    fn profile(&self, global: Value) -> Profile {
        if self.profiles.is_empty() {
            return Profile::default();
        }
        self.profiles.get(&global).copied().unwrap_or_default()
    }

    pub(super) fn import_line_names(&mut self, instruction: &Instruction<'a>) -> Step<Value> {
        self.note_names(instruction);
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

    /// The names of GLOBAL and INST as pickletools un-escapes them.
    pub(super) fn import_unescaped(&mut self, instruction: &Instruction<'a>) -> Step {
        let Operand::Lines(module, name) = instruction.operand else {
            return Ok(());
        };
        let version = self.options.version;
        let unescaped = |line| match pickletools::unescaped_name(line_text(line), version) {
            Ok(text) => Ok(Name {
                text: Cow::Owned(text),
                value: None,
            }),
            Err(kind) => self.fault(kind),
        };
        let names = (unescaped(module)?, unescaped(name)?);
        self.import(instruction.opcode, names)?;
        Ok(())
    }

    /// pickletools un-escapes names, and decodes them otherwise.
    pub(super) fn note_names(&mut self, instruction: &Instruction<'a>) {
        let odd = |line: &[u8]| !line.is_ascii() || line.contains(&b'\\');
        let differs = match instruction.operand {
            Operand::Lines(module, name) => odd(module) || odd(name),
            Operand::Line(line) => odd(line),
            _ => false,
        };
        if differs {
            self.divergence.pickletools.get_or_insert(self.offset);
        }
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
            // What a call gave may be text.
            let may_be_text =
                |value: Value| value.kind().is_opaque() || value.kind() == ValueKind::Str;
            if self.is_generous() && may_be_text(module) && may_be_text(name) {
                return self.import_computed(module, name);
            }
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

    fn import_computed(&mut self, module: Value, name: Value) -> Step {
        let object = self.graph.new_object(self.offset, self.effects.len())?;
        let protocol = self.protocol;
        self.effect(
            Opcode::StackGlobal,
            EffectKind::ComputedImport {
                module,
                name,
                object,
                protocol,
            },
        )?;
        self.push(object)
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
        let instance = self.profile(callable).instance;
        if instance != Support::ALL {
            self.supports.insert(object, instance);
        }
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
        let work = self.graph.item_count(arguments) as u64;
        self.spread = self.spread.saturating_add(work);
        if self.spread > MAX_SPREAD_WORK {
            return Err(super::Halt::Limit(crate::LimitKind::Items));
        }
        let graph = &self.graph;
        let mut items: Vec<Value> = match arguments.kind() {
            ValueKind::List => graph.list(arguments),
            ValueKind::Set | ValueKind::FrozenSet => Equality::new(graph).members(arguments),
            ValueKind::Dict => {
                let pairs = Equality::new(graph).pairs(arguments);
                pairs.into_iter().map(|(key, _)| key).collect()
            }
            ValueKind::Str | ValueKind::Character => {
                let text = graph.text(arguments).unwrap_or_default();
                let character =
                    |code_point| Value::pack(ValueKind::Character, u64::from(code_point));
                text::code_points(&text)
                    .take(MAX_SPREAD)
                    .map(character)
                    .collect()
            }
            ValueKind::Bytes | ValueKind::ByteArray | ValueKind::View => {
                let base = graph.view_base(arguments).unwrap_or(arguments);
                let bytes = graph.byte_array(base);
                let bytes = bytes.iter().take(MAX_SPREAD);
                bytes
                    .map(|byte| Value::small_int(i32::from(*byte)))
                    .collect()
            }
            _ => return self.fault_or(kind, Exception::TypeError),
        };
        items.truncate(MAX_SPREAD);
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
        let is_class = (class.kind() == ValueKind::Global && self.profile(class).class)
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

    pub(super) fn fault_type<T>(&self, kind: ErrorKind) -> Step<T> {
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
        let profile = self.profile(class);
        let only_new = arguments == Value::EMPTY_TUPLE
            && class.kind() == ValueKind::Global
            && profile.class
            && !profile.init_args;
        self.call(opcode, class, arguments, None, only_new)
    }
}
