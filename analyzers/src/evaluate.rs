//! What pure callables give: names and payloads that a stream computes instead of holding them.
//!
//! The effects are walked once, in their order, and each call of a callable that only computes is
//! evaluated if all it is given is known. Python is never executed: every function is written here,
//! and gives nothing for what it is not sure of. Work and memory are bounded.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use pickleproof_core::{EffectKind, Trace, Value, ValueKind};

use crate::meaning::{Lookup, Meaning, Meanings};
use crate::names::Named;
use crate::payload::Loads;

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
/// All that is looked at and made in a stream together is not longer.
const MAX_WORK: usize = 1 << 23;
/// Lists of more items are not looked at.
const MAX_ITEMS: usize = 1 << 12;
/// Lists in lists beyond this depth neither.
const MAX_DEPTH: u32 = 4;
/// A `partial` of more arguments is not followed.
const MAX_GIVEN: usize = 64;

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
}

/// A function, and the first arguments that `partial` gives it: partials of partials are one.
#[derive(Debug, Clone)]
struct Applied {
    function: Function,
    given: Vec<Known>,
}

/// What the calls of a stream give, as far as is known.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// What objects are.
    pub(crate) known: HashMap<Value, Known>,
    /// Module and name of what extension codes stood for, where the stream registered them.
    pub(crate) extensions: HashMap<Value, (Value, Value)>,
}

/// Whether anything in a run asks for a name or for bytes that may be computed.
fn is_wanted(meanings: &Meanings<'_, '_>) -> bool {
    let asks = |named: &Rc<Named>| {
        Lookup::of(named).is_some()
            || Loads::of(named).is_some()
            || named.is("copyreg", "add_extension")
    };
    let effects = &meanings.trace.effects;
    meanings.names.all().iter().any(asks)
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
        registered: HashMap::new(),
        iterators: HashSet::new(),
        iterated: HashSet::new(),
        touched: HashSet::new(),
        now: 0,
        work: 0,
    };
    for (index, effect) in meanings.trace.effects.iter().enumerate() {
        evaluator.now = index;
        evaluator.effect(&effect.kind);
        if evaluator.work > MAX_WORK {
            return;
        }
    }
}

struct Evaluator<'e, 't, 'a> {
    meanings: &'e Meanings<'t, 'a>,
    /// Objects that are functions.
    functions: HashMap<Value, Applied>,
    /// What the stream has registered under extension codes so far.
    registered: HashMap<i64, (Value, Value)>,
    /// Results that can be iterated once.
    iterators: HashSet<Value>,
    /// Lists that an iterator goes over.
    iterated: HashSet<Value>,
    /// Containers that something else than these functions was given, and may have changed.
    touched: HashSet<Value>,
    /// Index of the effect that is being evaluated.
    now: usize,
    work: usize,
}

impl<'t, 'a> Evaluator<'_, 't, 'a> {
    fn trace(&self) -> &'t Trace<'a> {
        self.meanings.trace
    }

    fn effect(&mut self, effect: &EffectKind) {
        match *effect {
            EffectKind::Call {
                callable,
                arguments,
                keywords,
                object,
                ..
            } => {
                let evaluated = keywords.is_none() && self.call(callable, arguments, object);
                if !evaluated {
                    self.touch([Some(arguments), keywords].into_iter().flatten());
                }
            }
            EffectKind::Extension { code, object } => {
                if let Some(names) = self.registered.get(&i64::from(code)) {
                    let mut results = self.meanings.results.borrow_mut();
                    results.extensions.insert(object, *names);
                }
            }
            EffectKind::Build { object, state } => self.touch([object, state]),
            EffectKind::SetItem { key, value, .. } => self.touch([key, value]),
            EffectKind::Append { item, .. } | EffectKind::Add { item, .. } => self.touch([item]),
            EffectKind::Extend { items, .. } => {
                let items = self.trace().graph.span(items).to_vec();
                self.touch(items);
            }
            EffectKind::PersistentLoad { id, .. } => self.touch(id),
            EffectKind::Import { .. }
            | EffectKind::ComputedImport { .. }
            | EffectKind::Buffer { .. } => {}
        }
    }

    /// Takes note that something unknown has its hands on these containers from now on.
    fn touch(&mut self, values: impl IntoIterator<Item = Value>) {
        let mut todo: Vec<Value> = values.into_iter().collect();
        while let Some(value) = todo.pop() {
            let graph = &self.trace().graph;
            if graph.item_count(value) > 0 && self.touched.insert(value) {
                self.work = self.work.saturating_add(graph.item_count(value));
                todo.extend(graph.items(value));
                todo.extend(graph.assignments(value).map(|(_, item, _)| item));
                if self.iterated.contains(&value) {
                    // What its iterator will give is not known any more, nor what came of it.
                    self.work = usize::MAX;
                    return;
                }
            }
        }
    }

    /// Evaluates a call; whether that was all that it does.
    fn call(&mut self, callable: Value, arguments: Value, object: Value) -> bool {
        let graph = &self.trace().graph;
        let values: Vec<Value> = graph.items(arguments).take(MAX_ITEMS).collect();
        let Some(applied) = self.function(callable) else {
            return false;
        };
        if let (Function::Global(module, name), [module_name, qualified, code]) =
            (&applied.function, values.as_slice())
            && module == "copyreg"
            && name == "add_extension"
            && let Some(code) = graph.small_integer(*code)
        {
            self.registered.insert(code, (*module_name, *qualified));
            return false;
        }
        if let Some(made) = self.makes_function(&applied, &values) {
            self.functions.insert(object, made);
            // A bound method of a container can change it.
            return false;
        }
        let builtin = match &applied.function {
            Function::Global(module, name) if module == "builtins" => name.as_str(),
            Function::Global(_, name) if name == "reduce" => "reduce",
            _ => "",
        };
        let result = match (builtin, values.as_slice()) {
            ("map", [called, items]) => self.map(*called, *items),
            ("reduce", [called, items, rest @ ..]) => self.reduce(*called, *items, rest.first()),
            _ => {
                let known: Option<Vec<Known>> =
                    values.iter().map(|value| self.known(*value)).collect();
                known.and_then(|known| self.apply(&applied, known))
            }
        };
        let Some(result) = result else { return false };
        let length = result.length();
        self.work = self.work.saturating_add(length);
        if length > MAX_LENGTH || self.work > MAX_WORK {
            return false;
        }
        if matches!(builtin, "map" | "iter" | "reversed") {
            self.iterators.insert(object);
            self.iterated.extend(values);
        }
        let mut results = self.meanings.results.borrow_mut();
        results.known.insert(object, result);
        true
    }

    /// What a value is as a function.
    fn function(&self, value: Value) -> Option<Applied> {
        if let Some(function) = self.functions.get(&value) {
            return Some(function.clone());
        }
        match self.meanings.of(value) {
            Meaning::Global(named) => Some(Applied {
                function: Function::Global(named.module.clone(), named.name.clone()),
                given: Vec::new(),
            }),
            Meaning::Module(_) | Meaning::Made(_) | Meaning::Unknown => None,
        }
    }

    /// The function that a call gives, if it gives one.
    fn makes_function(&mut self, applied: &Applied, values: &[Value]) -> Option<Applied> {
        if !applied.given.is_empty() {
            return None;
        }
        let plain = |function| {
            Some(Applied {
                function,
                given: Vec::new(),
            })
        };
        let (module, name) = match &applied.function {
            Function::Global(module, name) => (module.as_str(), name.as_str()),
            Function::Getter(name) => {
                let [object] = values else { return None };
                return plain(Function::Method(self.known(*object)?, name.clone()));
            }
            Function::Method(..) | Function::Caller(..) => return None,
        };
        match (module, name, values) {
            ("builtins", "getattr", [object, name]) => {
                plain(Function::Method(self.known(*object)?, self.text(*name)?))
            }
            ("operator" | "_operator", "attrgetter", [name]) => {
                plain(Function::Getter(self.text(*name)?))
            }
            ("operator" | "_operator", "methodcaller", [name, given @ ..]) => {
                let given: Option<Vec<Known>> =
                    given.iter().map(|value| self.known(*value)).collect();
                plain(Function::Caller(self.text(*name)?, given?))
            }
            ("functools" | "_functools", "partial", [called, given @ ..]) => {
                let mut applied = self.function(*called)?;
                for value in given {
                    applied.given.push(self.known(*value)?);
                }
                let length: usize = applied.given.iter().map(Known::length).sum();
                self.work = self.work.saturating_add(length);
                (applied.given.len() <= MAX_GIVEN).then_some(applied)
            }
            _ => None,
        }
    }

    fn text(&mut self, value: Value) -> Option<String> {
        match self.known(value)? {
            Known::Text(text) => Some(text),
            _ => None,
        }
    }

    fn map(&mut self, called: Value, items: Value) -> Option<Known> {
        let function = self.function(called)?;
        let items = self.known(items)?.iterate()?;
        let mut mapped = Vec::new();
        for item in items {
            mapped.push(self.apply(&function, vec![item])?);
        }
        Some(Known::List(mapped))
    }

    fn reduce(&mut self, called: Value, items: Value, first: Option<&Value>) -> Option<Known> {
        let function = self.function(called)?;
        let mut items = self.known(items)?.iterate()?.into_iter();
        let mut result = match first {
            Some(first) => self.known(*first)?,
            None => items.next()?,
        };
        for item in items {
            result = self.apply(&function, vec![result, item])?;
        }
        Some(result)
    }

    /// What a function gives.
    fn apply(&mut self, applied: &Applied, arguments: Vec<Known>) -> Option<Known> {
        let given = [applied.given.clone(), arguments].concat();
        let result = match &applied.function {
            Function::Global(module, name) => functions::call(module, name, &given),
            Function::Method(receiver, name) => functions::method(receiver, name, &given),
            Function::Caller(name, arguments) => match given.as_slice() {
                [receiver] => functions::method(receiver, name, arguments),
                _ => None,
            },
            Function::Getter(_) => None,
        }?;
        let length = result.length();
        let spent = given.iter().map(Known::length).sum::<usize>();
        self.work = self.work.saturating_add(length).saturating_add(spent);
        (length <= MAX_LENGTH && self.work <= MAX_WORK).then_some(result)
    }

    /// What a value is at this moment, if it is plain data or what was evaluated.
    fn known(&mut self, value: Value) -> Option<Known> {
        self.known_at(value, 0)
    }

    fn known_at(&mut self, value: Value, depth: u32) -> Option<Known> {
        let graph = &self.trace().graph;
        let length = graph.literal_length(value).unwrap_or(1);
        self.work = self.work.saturating_add(length).saturating_add(1);
        if length > MAX_LENGTH || self.work > MAX_WORK {
            return None;
        }
        match value.kind() {
            ValueKind::None => Some(Known::None),
            ValueKind::Bool | ValueKind::Int => graph.small_integer(value).map(Known::Int),
            ValueKind::Str | ValueKind::Character => {
                let text = graph.text(value)?.into_owned();
                String::from_utf8(text).ok().map(Known::Text)
            }
            ValueKind::Bytes => {
                let bytes = graph.byte_string(value)?;
                Some(Known::Bytes(bytes.into_owned()))
            }
            // What changes later, or may have been changed by a call, is not what it was.
            ValueKind::List if graph.changed(value) > self.now || self.touched.contains(&value) => {
                None
            }
            ValueKind::Tuple | ValueKind::List
                if depth < MAX_DEPTH && graph.item_count(value) <= MAX_ITEMS =>
            {
                let mut items = Vec::new();
                for item in graph.list(value) {
                    items.push(self.known_at(item, depth.saturating_add(1))?);
                }
                Some(Known::List(items))
            }
            ValueKind::Object => {
                let mut results = self.meanings.results.borrow_mut();
                if self.iterators.contains(&value) {
                    // It is used up.
                    return results.known.remove(&value);
                }
                results.known.get(&value).cloned()
            }
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
