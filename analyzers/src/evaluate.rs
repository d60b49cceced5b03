//! What pure callables give: names and payloads that a stream computes instead of holding them.
//!
//! The effects are walked once, in their order, and each call of a callable that only computes is
//! evaluated if all it is given is known. Python is never executed: every function is written here,
//! and gives nothing for what it is not sure of. Work and memory are bounded.

use std::collections::HashMap;
use std::rc::Rc;

use pickleproof_core::{EffectKind, Trace, Value, ValueKind};

use crate::meaning::{Lookup, Meaning, Meanings};
use crate::names::Named;

mod bytes;
mod functions;
mod text;

/// A value that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Known {
    /// None.
    None,
    /// A str.
    Text(String),
    /// A bytes object or a bytearray.
    Bytes(Vec<u8>),
    /// An int or a bool.
    Int(i64),
    /// A list, a tuple, or what an iterator would give.
    List(Vec<Known>),
    /// `slice(start, stop, step)`
    Slice([Option<i64>; 3]),
}

/// Longer results are not kept.
const MAX_LENGTH: usize = 1 << 16;
/// All results of a stream together are not longer.
const MAX_SPENT: usize = 1 << 24;
/// Lists of more items are not looked at.
const MAX_ITEMS: usize = 1 << 12;
/// Lists in lists beyond this depth neither.
const MAX_DEPTH: u32 = 4;

/// Something to be called that only computes.
#[derive(Debug, Clone)]
enum Function {
    /// A global.
    Global(String, String),
    /// A method of a known value.
    Method(Known, String),
    /// `attrgetter(name)`
    Getter(String),
    /// `methodcaller(name, *arguments)`
    Caller(String, Vec<Known>),
    /// `partial(function, *arguments)`
    Partial(Box<Function>, Vec<Known>),
}

/// What the calls of a stream give, as far as is known.
pub(crate) type Results = HashMap<Value, Known>;

/// Whether anything in a run asks for a name that may be computed.
fn is_wanted(meanings: &Meanings<'_, '_>) -> bool {
    let looks_up = |named: &Rc<Named>| Lookup::of(named).is_some();
    let effects = &meanings.trace.effects;
    meanings.names.all().iter().any(looks_up)
        || effects
            .iter()
            .any(|effect| matches!(effect.kind, EffectKind::ComputedImport { .. }))
}

/// Evaluates the calls of a run, into the `results` of its meanings.
pub(crate) fn evaluate(meanings: &Meanings<'_, '_>) {
    if !is_wanted(meanings) {
        return;
    }
    let mut evaluator = Evaluator {
        meanings,
        functions: HashMap::new(),
        spent: 0,
    };
    for effect in &meanings.trace.effects {
        if let EffectKind::Call {
            callable,
            arguments,
            keywords: None,
            object,
            ..
        } = effect.kind
        {
            evaluator.call(callable, arguments, object);
        }
    }
}

struct Evaluator<'e, 't, 'a> {
    meanings: &'e Meanings<'t, 'a>,
    /// Objects that are functions.
    functions: HashMap<Value, Function>,
    spent: usize,
}

impl<'t, 'a> Evaluator<'_, 't, 'a> {
    fn trace(&self) -> &'t Trace<'a> {
        self.meanings.trace
    }

    fn call(&mut self, callable: Value, arguments: Value, object: Value) {
        let Some(function) = self.function(callable) else {
            return;
        };
        let values: Vec<Value> = self
            .trace()
            .graph
            .items(arguments)
            .take(MAX_ITEMS)
            .collect();
        if let Some(made) = self.makes_function(&function, &values) {
            self.functions.insert(object, made);
            return;
        }
        let result = match (&function, values.as_slice()) {
            (Function::Global(module, name), [called, items])
                if module == "builtins" && name == "map" =>
            {
                self.map(*called, *items)
            }
            (Function::Global(_, name), [called, items, rest @ ..]) if name == "reduce" => {
                self.reduce(*called, *items, rest.first())
            }
            _ => {
                let known: Option<Vec<Known>> =
                    values.iter().map(|value| self.known(*value)).collect();
                known.and_then(|known| apply(&function, &known))
            }
        };
        if let Some(result) = result {
            let length = result.length();
            self.spent = self.spent.saturating_add(length);
            if length <= MAX_LENGTH && self.spent <= MAX_SPENT {
                self.meanings.results.borrow_mut().insert(object, result);
            }
        }
    }

    /// What a value is as a function.
    fn function(&self, value: Value) -> Option<Function> {
        if let Some(function) = self.functions.get(&value) {
            return Some(function.clone());
        }
        match self.meanings.of(value) {
            Meaning::Global(named) => {
                Some(Function::Global(named.module.clone(), named.name.clone()))
            }
            Meaning::Module(_) | Meaning::Made(_) | Meaning::Unknown => None,
        }
    }

    /// The function that a call gives, if it gives one.
    fn makes_function(&self, function: &Function, values: &[Value]) -> Option<Function> {
        let Function::Global(module, name) = function else {
            if let (Function::Getter(name), [object]) = (function, values) {
                return Some(Function::Method(self.known(*object)?, name.clone()));
            }
            return None;
        };
        let text = |value: &Value| match self.known(*value)? {
            Known::Text(text) => Some(text),
            _ => None,
        };
        match (module.as_str(), name.as_str(), values) {
            ("builtins", "getattr", [object, name, ..]) => {
                Some(Function::Method(self.known(*object)?, text(name)?))
            }
            ("operator" | "_operator", "attrgetter", [name]) => Some(Function::Getter(text(name)?)),
            ("operator" | "_operator", "methodcaller", [name, given @ ..]) => {
                let given: Option<Vec<Known>> =
                    given.iter().map(|value| self.known(*value)).collect();
                Some(Function::Caller(text(name)?, given?))
            }
            ("functools" | "_functools", "partial", [called, given @ ..]) => {
                let given: Option<Vec<Known>> =
                    given.iter().map(|value| self.known(*value)).collect();
                Some(Function::Partial(Box::new(self.function(*called)?), given?))
            }
            _ => None,
        }
    }

    fn map(&self, called: Value, items: Value) -> Option<Known> {
        let function = self.function(called)?;
        let items = self.known(items)?.iterate()?;
        let mapped: Option<Vec<Known>> = items
            .into_iter()
            .map(|item| apply(&function, &[item]))
            .collect();
        mapped.map(Known::List)
    }

    fn reduce(&self, called: Value, items: Value, first: Option<&Value>) -> Option<Known> {
        let function = self.function(called)?;
        let mut items = self.known(items)?.iterate()?.into_iter();
        let mut result = match first {
            Some(first) => self.known(*first)?,
            None => items.next()?,
        };
        for item in items {
            result = apply(&function, &[result, item])?;
            if result.length() > MAX_LENGTH {
                return None;
            }
        }
        Some(result)
    }

    fn known(&self, value: Value) -> Option<Known> {
        self.meanings.known(value)
    }
}

impl Meanings<'_, '_> {
    /// What a value is, if it is plain data or what was evaluated.
    pub(crate) fn known(&self, value: Value) -> Option<Known> {
        self.known_at(value, 0)
    }

    fn known_at(&self, value: Value, depth: u32) -> Option<Known> {
        let graph = &self.trace.graph;
        let short = |value| {
            graph
                .literal_length(value)
                .is_none_or(|length| length <= MAX_LENGTH)
        };
        match value.kind() {
            ValueKind::None => Some(Known::None),
            ValueKind::Bool | ValueKind::Int => graph.small_integer(value).map(Known::Int),
            ValueKind::Str | ValueKind::Character if short(value) => {
                let text = graph.text(value)?.into_owned();
                String::from_utf8(text).ok().map(Known::Text)
            }
            ValueKind::Bytes if short(value) => graph
                .byte_string(value)
                .map(|bytes| Known::Bytes(bytes.into_owned())),
            ValueKind::ByteArray if graph.item_count(value) <= MAX_LENGTH => {
                Some(Known::Bytes(graph.byte_array(value)))
                    .filter(|known| known.length() <= MAX_LENGTH)
            }
            ValueKind::Tuple | ValueKind::List
                if depth < MAX_DEPTH && graph.item_count(value) <= MAX_ITEMS =>
            {
                let items: Option<Vec<Known>> = graph
                    .list(value)
                    .into_iter()
                    .map(|item| self.known_at(item, depth.saturating_add(1)))
                    .collect();
                items.map(Known::List)
            }
            ValueKind::Object => self.results.borrow().get(&value).cloned(),
            _ => None,
        }
    }
}

impl Known {
    fn length(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::List(items) => items
                .iter()
                .fold(8, |sum, item| sum.saturating_add(item.length())),
            Self::None | Self::Int(_) | Self::Slice(_) => 8,
        }
    }

    /// What `iter()` gives one after another.
    fn iterate(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(items) => Some(items.clone()),
            Self::Text(text) => Some(text.chars().map(|it| Self::Text(it.into())).collect()),
            Self::Bytes(bytes) => Some(
                bytes
                    .iter()
                    .map(|byte| Self::Int(i64::from(*byte)))
                    .collect(),
            ),
            Self::None | Self::Int(_) | Self::Slice(_) => None,
        }
    }
}

/// What a function gives.
fn apply(function: &Function, arguments: &[Known]) -> Option<Known> {
    // Partials of partials come from the stream: no recursion on them.
    let mut function = function;
    let mut arguments = arguments.to_vec();
    while let Function::Partial(inner, given) = function {
        arguments.splice(..0, given.iter().cloned());
        function = inner;
        if arguments.len() > MAX_ITEMS {
            return None;
        }
    }
    match function {
        Function::Global(module, name) => functions::call(module, name, &arguments),
        Function::Method(receiver, name) => functions::method(receiver, name, &arguments),
        Function::Caller(name, given) => functions::method(arguments.first()?, name, given),
        Function::Getter(_) | Function::Partial(..) => None,
    }
}
