//! Calls: what is called, with what.

use std::rc::Rc;

use pickleproof_core::{Opcode, Value, ValueKind};

use super::{Assessor, MAX_SEARCHED, Reason};
use crate::judgement::Trust;
use crate::knowledge::{Guard, Role};
use crate::meaning::{Lookup, Meaning};
use crate::names::Named;

/// Names that are looked up for harm, or that lead into the interpreter.
const TELLING: [&str; 16] = [
    "Popen",
    "check_call",
    "check_output",
    "eval",
    "exec",
    "execv",
    "execve",
    "format",
    "format_map",
    "getoutput",
    "import_module",
    "loads",
    "modules",
    "mro",
    "popen",
    "system",
];

/// Whether it makes a callable that looks up attributes or items by names that it is given.
fn is_getter(named: &Named) -> bool {
    ["operator", "_operator"].into_iter().any(|module| {
        ["attrgetter", "itemgetter", "methodcaller"]
            .into_iter()
            .any(|name| named.is(module, name))
    })
}

impl Assessor<'_, '_> {
    pub(super) fn call(
        &self,
        opcode: Opcode,
        callable: Value,
        arguments: Value,
        keywords: Option<Value>,
    ) -> Reason {
        match self.meanings().of(callable) {
            Meaning::Global(named) => {
                let role = self.role(opcode, arguments);
                self.call_global(named, role, arguments, keywords)
            }
            // A dual-use maker's product does what its maker was told to.
            Meaning::Made(maker) => match maker.trust() {
                Trust::Dual => self.call_dual(maker, arguments, keywords),
                _ => match self.worst_callable(arguments, keywords) {
                    Some(given) if given.is_certain_sink() => Reason::SinkCalled(given),
                    _ => Reason::UnresolvedCalled,
                },
            },
            Meaning::Module(_) | Meaning::Unknown => Reason::UnresolvedCalled,
        }
    }

    /// What an opcode does with a class: it calls it, or it makes an instance with `__new__` alone.
    fn role(&self, opcode: Opcode, arguments: Value) -> Role {
        match opcode {
            Opcode::NewObj | Opcode::NewObjEx => Role::Make,
            // Without arguments these two call no class that is not of Python 2's kind.
            Opcode::Inst | Opcode::Obj if self.trace.graph.item_count(arguments) == 0 => Role::Make,
            _ => Role::Call,
        }
    }

    fn call_global(
        &self,
        named: Rc<Named>,
        role: Role,
        arguments: Value,
        keywords: Option<Value>,
    ) -> Reason {
        match named.trust() {
            // What its constructor does with the text that it is given, it can't do without.
            Trust::Sink | Trust::Dual
                if named.is_harmful_when_called()
                    && (role == Role::Make
                        || named.needs_text() && !self.holds_text(arguments, keywords)) =>
            {
                match self.worst_callable(arguments, keywords) {
                    Some(given) if given.is_certain_sink() => Reason::SinkCalled(given),
                    _ => Reason::UnknownCalled(named),
                }
            }
            Trust::Sink => Reason::SinkCalled(named),
            Trust::Dual => self.call_dual(named, arguments, keywords),
            Trust::Unknown => match self.worst_callable(arguments, keywords) {
                // What an unknown function does with a sink it is given is not hard to guess.
                Some(given) if given.is_certain_sink() => Reason::SinkCalled(given),
                _ => Reason::UnknownCalled(named),
            },
            Trust::Safe => {
                if !named.allows(Role::Call) && !named.allows(role) {
                    return Reason::GuardFailed(named);
                }
                let guard = named.entry.as_ref().map_or(Guard::Any, |entry| entry.guard);
                match (guard, self.worst_callable(arguments, keywords)) {
                    (Guard::Any, _) | (_, None) => Reason::Accounted,
                    (_, Some(given)) if given.is_certain_sink() => Reason::SinkCalled(given),
                    (Guard::Types, Some(given)) if given.allows(Role::Call) => Reason::Accounted,
                    (Guard::Makes, Some(given)) if given.allows(Role::Make) => Reason::Accounted,
                    (Guard::Data | Guard::Types | Guard::Makes, Some(_)) => {
                        Reason::GuardFailed(named)
                    }
                }
            }
        }
    }

    /// A dual-use global is harmless if what it looks up or calls is.
    fn call_dual(&self, named: Rc<Named>, arguments: Value, keywords: Option<Value>) -> Reason {
        match Lookup::of(&named) {
            Some(Lookup::Partial) | None => {}
            Some(Lookup::Attribute) => return self.attribute(named, arguments),
            Some(lookup) => {
                return match self.meanings().looked_up(lookup, arguments, 0) {
                    Some(Meaning::Global(found)) => Self::named(found),
                    _ => Reason::DualCalled(named),
                };
            }
        }
        let graph = &self.trace.graph;
        if named.is("builtins", "type") && graph.item_count(arguments) == 1 {
            return Reason::Accounted;
        }
        // To make a getter gets nothing; what calls it is judged where that is.
        if is_getter(&named) {
            return if graph.items(arguments).all(|item| self.is_plain_name(item)) {
                Reason::Accounted
            } else {
                Reason::DualCalled(named)
            };
        }
        if Lookup::of(&named) == Some(Lookup::Partial)
            && let Some(reason) = self.partial(arguments, keywords)
        {
            return reason;
        }
        if !named.only_calls_back() {
            // A sink that is given to something that may call it is reached.
            return match self.worst_callable(arguments, keywords) {
                Some(given) if given.is_certain_sink() => Reason::SinkCalled(given),
                _ => Reason::DualCalled(named),
            };
        }
        self.calls_back(named, arguments, keywords)
    }

    /// To make a partial calls nothing: it is harmless if all that it holds is harmless to name.
    pub(super) fn partial(&self, arguments: Value, keywords: Option<Value>) -> Option<Reason> {
        let given = self.worst_callable(arguments, keywords)?;
        let harmless = given.trust() == Trust::Safe || given.is_idle_when_named();
        harmless.then_some(Reason::Accounted)
    }

    /// What does nothing but call what it is given is as harmless as that.
    pub(super) fn calls_back(
        &self,
        named: Rc<Named>,
        arguments: Value,
        keywords: Option<Value>,
    ) -> Reason {
        match self.worst_callable(arguments, keywords) {
            Some(given) if given.is_certain_sink() => Reason::SinkCalled(given),
            Some(given) if given.allows(Role::Call) => Reason::Accounted,
            Some(given) if given.trust() == Trust::Unknown => Reason::UnknownCalled(given),
            None if self
                .trace
                .graph
                .items(arguments)
                .all(|item| self.is_accounted_data(item)) =>
            {
                Reason::Accounted
            }
            _ => Reason::DualCalled(named),
        }
    }

    /// `getattr(object, name)`: methods of plain data and of objects are what pickle itself writes
    /// for bound methods.
    fn attribute(&self, named: Rc<Named>, arguments: Value) -> Reason {
        if let Some(Meaning::Global(found)) =
            self.meanings().looked_up(Lookup::Attribute, arguments, 0)
        {
            return Self::named(found);
        }
        let mut items = self.trace.graph.items(arguments);
        let (Some(object), Some(name)) = (items.next(), items.next()) else {
            return Reason::DualCalled(named);
        };
        if !self.is_plain_name(name) {
            return Reason::DualCalled(named);
        }
        match self.meanings().of(object) {
            Meaning::Unknown if !object.kind().is_opaque() => Reason::Accounted,
            Meaning::Made(maker) if maker.trust() <= Trust::Unknown => Reason::UnresolvedCalled,
            _ => Reason::DualCalled(named),
        }
    }

    /// A str that names no way into the interpreter, or a number.
    fn is_plain_name(&self, value: Value) -> bool {
        match value.kind() {
            ValueKind::Int => true,
            ValueKind::Str => {
                let short = self
                    .trace
                    .graph
                    .literal_length(value)
                    .is_some_and(|length| length <= 256);
                short
                    && self.trace.graph.text_lossy(value, 256).is_some_and(|name| {
                        !name.contains("__") && !name.split('.').any(|part| TELLING.contains(&part))
                    })
            }
            _ => false,
        }
    }

    /// Plain data, or an instance of something that is safe to make.
    fn is_accounted_data(&self, value: Value) -> bool {
        if !value.kind().is_opaque() {
            return true;
        }
        match self.meanings().of(value) {
            Meaning::Global(named) | Meaning::Made(named) => {
                named.allows(Role::Call) || named.only_calls_back()
            }
            Meaning::Module(_) | Meaning::Unknown => false,
        }
    }

    /// Whether there is text or bytes anywhere in the arguments, or may be.
    fn holds_text(&self, arguments: Value, keywords: Option<Value>) -> bool {
        let graph = &self.trace.graph;
        let mut todo: Vec<Value> = vec![arguments];
        todo.extend(keywords);
        let mut searched = 0_usize;
        while let Some(value) = todo.pop() {
            searched = searched.saturating_add(1);
            match value.kind() {
                ValueKind::Str | ValueKind::Bytes | ValueKind::ByteArray => return true,
                _ if searched > MAX_SEARCHED => return true,
                _ => todo.extend(graph.items(value).take(MAX_SEARCHED)),
            }
        }
        false
    }

    /// The callable in the arguments that is trusted least, if there is any.
    pub(super) fn worst_callable(
        &self,
        arguments: Value,
        keywords: Option<Value>,
    ) -> Option<Rc<Named>> {
        let graph = &self.trace.graph;
        let mut todo: Vec<Value> = vec![arguments];
        todo.extend(keywords);
        let mut searched = 0_usize;
        let mut worst: Option<Rc<Named>> = None;
        while let Some(value) = todo.pop() {
            searched = searched.saturating_add(1);
            let left = self.budget.get();
            if left == 0 {
                // What was not searched is not known.
                return Some(Rc::new(Named::new("", "arguments that were not searched")));
            }
            self.budget.set(left.saturating_sub(1));
            if searched > MAX_SEARCHED {
                break;
            }
            let found = match value.kind() {
                ValueKind::Global => match self.meanings().of(value) {
                    Meaning::Global(named) if named.is_constant() => continue,
                    found => found,
                },
                ValueKind::Object => match self.meanings().of(value) {
                    found @ Meaning::Global(_) => found,
                    _ => continue,
                },
                _ => {
                    let room = MAX_SEARCHED.saturating_sub(todo.len());
                    todo.extend(graph.items(value).take(room));
                    continue;
                }
            };
            if let Meaning::Global(named) = found {
                let badness = |named: &Rc<Named>| {
                    (
                        named.trust(),
                        !named.allows(Role::Call),
                        !named.allows(Role::Make),
                    )
                };
                if worst
                    .as_ref()
                    .is_none_or(|worst| badness(&named) > badness(worst))
                {
                    worst = Some(named);
                }
            }
        }
        worst
    }
}
