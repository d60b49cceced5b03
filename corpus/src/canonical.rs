//! The canonical form of a run, in which results of CPython are recorded.
//!
//! Identity is tracked for containers, globals and objects only; nodes are numbered when they are
//! first mentioned: the result, then every effect in order, then each node's children.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "it only serves tests and fuzz targets, which are to fail where a value is not what it says"
)]

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use pickleproof_core::pickletools::Argument;
use pickleproof_core::{
    Effect, EffectKind, End, Graph, Integer, ProfileOf, Trace, Value, ValueKind,
};
use serde_json::{Value as Json, json};

const SAFE: i64 = (1 << 53) - 1;

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn text_json(text: &[u8]) -> Json {
    match std::str::from_utf8(text) {
        Ok(text) => json!(text),
        Err(_) => json!({"u": hex(text)}),
    }
}

fn integer_json(integer: &Integer) -> Json {
    match integer.to_i64() {
        Some(small) if (-SAFE..=SAFE).contains(&small) => json!(small),
        _ => json!({"i": integer.to_hex()}),
    }
}

/// An argument of pickletools as the records hold it.
#[must_use]
pub fn argument_json(argument: &Argument<'_>) -> Json {
    match argument {
        Argument::None => Json::Null,
        Argument::Bool(value) => json!(value),
        Argument::Int(value) => integer_json(value),
        Argument::Float(bits) => json!({"f": format!("{bits:016x}")}),
        Argument::Str(text) => text_json(text),
        Argument::Bytes(bytes) => json!({"b": hex(bytes)}),
        Argument::ByteArray(bytes) => json!({"ba": hex(bytes)}),
    }
}

struct Canonical<'t, 'a> {
    trace: &'t Trace<'a>,
    context: &'t Context,
    /// Number in the log of each effect, by its index; buffers have none.
    events: Vec<usize>,
    nodes: Vec<Value>,
    index: HashMap<Value, usize>,
    buffers: HashMap<Value, Json>,
    classes: HashMap<Value, usize>,
    equalities: HashMap<Equality, usize>,
    sort_keys: HashMap<Value, Rc<str>>,
}

/// What decides whether two objects are equal to Python.
#[derive(PartialEq, Eq, Hash)]
enum Equality {
    /// An integral number of any type, in hexadecimal.
    Number(String),
    Float(u64),
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    /// The classes of its items.
    Tuple(Vec<usize>),
    FrozenSet(BTreeSet<usize>),
    /// Only itself.
    Identity(Value),
}

/// What a run was given that its trace does not hold.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The out-of-band buffers, as `{"t": "bytes" or "bytearray", "hex": ...}`.
    pub buffers: Vec<Json>,
    /// [`pickleproof_core::Options::profile`].
    pub profile: Option<ProfileOf>,
}

/// The result and log of a run as JSON: `root` if it stopped, `heap` and `log` if not empty.
#[must_use]
pub fn canonical(trace: &Trace<'_>, context: &Context) -> Json {
    let mut form = Canonical {
        trace,
        context,
        events: Vec::new(),
        nodes: Vec::new(),
        index: HashMap::new(),
        buffers: HashMap::new(),
        classes: HashMap::new(),
        equalities: HashMap::new(),
        sort_keys: HashMap::new(),
    };
    let mut next = 0;
    let mut given = context.buffers.iter();
    for effect in &trace.effects {
        form.events.push(next);
        next += match effect.kind {
            EffectKind::Build { object, state } if !form.has_set_state(object) => {
                form.stores(state).len()
            }
            EffectKind::Buffer { object } => {
                form.buffers
                    .insert(object, given.next().cloned().unwrap_or(Json::Null));
                0
            }
            _ => 1,
        };
    }
    let mut result = serde_json::Map::new();
    if let End::Stop { root, .. } = trace.end {
        result.insert("root".into(), form.value(root));
    }
    let mut log: Vec<Json> = Vec::new();
    for effect in &trace.effects {
        match effect.kind {
            EffectKind::Build { object, state } if !form.has_set_state(object) => {
                for (event, key, value) in form.stores(state) {
                    let values = [form.value(object), form.value(key), form.value(value)];
                    log.push(json!([event, values[0], values[1], values[2]]));
                }
            }
            _ => log.extend(form.event(effect)),
        }
    }
    let mut heap = Vec::new();
    while let Some(node) = form.nodes.get(heap.len()).copied() {
        heap.push(form.node(node));
    }
    if !heap.is_empty() {
        result.insert("heap".into(), json!(heap));
    }
    if !log.is_empty() {
        result.insert("log".into(), json!(log));
    }
    Json::Object(result)
}

impl Canonical<'_, '_> {
    /// Whether BUILD gives a state to the object as a whole, and does not store its items.
    fn has_set_state(&self, object: Value) -> bool {
        let Some(profile) = self.context.profile else {
            return true;
        };
        let graph = &self.trace.graph;
        let class = match graph
            .birth(object)
            .map(|birth| self.trace.effects[birth].kind)
        {
            Some(EffectKind::Call { callable, .. }) if object.kind() == ValueKind::Object => {
                callable
            }
            _ => object,
        };
        let Some(profile) = graph
            .global(class)
            .and_then(|global| profile(&global.module))
        else {
            return true;
        };
        if class == object {
            profile.itself.set_state
        } else {
            profile.instance.set_state
        }
    }

    /// What BUILD stores in an object without `__setstate__`, up to the first that fails.
    fn stores(&mut self, state: Value) -> Vec<(&'static str, Value, Value)> {
        let graph = &self.trace.graph;
        let halves: Vec<Value> = graph.items(state).collect();
        let (items, slots) = match (state.kind(), &halves[..]) {
            (ValueKind::Tuple, [items, slots]) => (*items, Some(*slots)),
            _ => (state, None),
        };
        let mut stores = Vec::new();
        for (key, value) in self.pairs(items) {
            stores.push(("dictset", key, value));
        }
        for (key, value) in slots.map_or_else(Vec::new, |slots| self.pairs(slots)) {
            if !matches!(key.kind(), ValueKind::Str | ValueKind::Character) {
                break;
            }
            stores.push(("setattr", key, value));
        }
        stores
    }

    fn graph(&self) -> &Graph<'_> {
        &self.trace.graph
    }

    fn birth(&self, value: Value) -> usize {
        self.events[self.graph().birth(value).unwrap()]
    }

    fn value(&mut self, value: Value) -> Json {
        let graph = &self.trace.graph;
        match value.kind() {
            ValueKind::None => Json::Null,
            ValueKind::Bool => json!(value == Value::TRUE),
            ValueKind::Int | ValueKind::LongInt => integer_json(&graph.integer(value).unwrap()),
            ValueKind::Float => json!({"f": format!("{:016x}", graph.float_bits(value).unwrap())}),
            ValueKind::Str | ValueKind::Character => text_json(&graph.text(value).unwrap()),
            ValueKind::Bytes => json!({"b": hex(&graph.byte_string(value).unwrap())}),
            ValueKind::Tuple if graph.item_count(value) == 0 => json!({"t": []}),
            ValueKind::FrozenSet if graph.item_count(value) == 0 => json!({"fs": []}),
            ValueKind::Object if self.buffers.contains_key(&value) => {
                let given = self.buffers[&value].clone();
                if given["t"] == "bytes" {
                    json!({"b": given["hex"]})
                } else {
                    self.reference(value)
                }
            }
            ValueKind::Global | ValueKind::Object => json!({"o": self.birth(value)}),
            _ => self.reference(value),
        }
    }

    fn reference(&mut self, value: Value) -> Json {
        let next = self.nodes.len();
        let number = *self.index.entry(value).or_insert(next);
        if number == next {
            self.nodes.push(value);
        }
        json!({"r": number})
    }

    fn values(&mut self, values: Vec<Value>) -> Json {
        values.into_iter().map(|value| self.value(value)).collect()
    }

    fn event(&mut self, effect: &Effect) -> Option<Json> {
        let graph = &self.trace.graph;
        Some(match effect.kind {
            EffectKind::Import { global, .. } => {
                let global = graph.global_of(global).unwrap();
                json!(["global", text_json(&global.module), text_json(&global.name)])
            }
            EffectKind::Call {
                callable,
                arguments,
                keywords,
                only_new,
                ..
            } => {
                let callable = self.value(callable);
                let arguments = self.values(graph.items(arguments).collect());
                if !only_new {
                    return Some(json!(["call", callable, arguments]));
                }
                let pairs = keywords.map_or_else(Vec::new, |keywords| self.pairs(keywords));
                let pairs: Json = pairs
                    .into_iter()
                    .map(|(key, value)| self.values(vec![key, value]))
                    .collect();
                json!(["new", callable, arguments, pairs])
            }
            EffectKind::Build { object, state } => {
                json!(["build", self.value(object), self.value(state)])
            }
            EffectKind::SetItem { object, key, value } => {
                json!([
                    "setitem",
                    self.value(object),
                    self.value(key),
                    self.value(value)
                ])
            }
            EffectKind::Append { object, item } => {
                json!(["append", self.value(object), [self.value(item)]])
            }
            EffectKind::Extend { object, items } => {
                let target = self.value(object);
                json!(["append", target, self.values(graph.span(items).to_vec())])
            }
            EffectKind::Add { object, item } => {
                json!(["add", self.value(object), self.value(item)])
            }
            EffectKind::PersistentLoad { id: Some(id), .. } => json!(["persid", self.value(id)]),
            EffectKind::PersistentLoad { id: None, .. } => {
                let line = &graph.bytes()[effect.offset + 1..];
                let end = line
                    .iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(line.len().saturating_sub(1));
                json!(["persid", text_json(&line[..end])])
            }
            EffectKind::Extension { code, .. } => json!(["extension", code]),
            EffectKind::Buffer { .. } => return None,
        })
    }

    fn node(&mut self, value: Value) -> Json {
        let graph = &self.trace.graph;
        match value.kind() {
            ValueKind::Tuple => {
                json!({"k": "tuple", "v": self.values(graph.items(value).collect())})
            }
            ValueKind::List => json!({"k": "list", "v": self.list(value)}),
            ValueKind::Dict => {
                let pairs = self.pairs(value);
                let pairs: Json = pairs
                    .into_iter()
                    .map(|(key, value)| self.values(vec![key, value]))
                    .collect();
                json!({"k": "dict", "v": pairs})
            }
            ValueKind::Set | ValueKind::FrozenSet => {
                let kind = if value.kind() == ValueKind::Set {
                    "set"
                } else {
                    "frozenset"
                };
                json!({"k": kind, "v": self.sorted_members(value)})
            }
            ValueKind::ByteArray => json!({"k": "bytearray", "v": hex(&self.byte_array(value))}),
            ValueKind::View => {
                let base = graph.view_base(value).unwrap();
                json!({"k": "memoryview", "ro": true, "base": self.value(base)})
            }
            _ => json!({"k": "bytearray", "v": self.buffers[&value]["hex"]}),
        }
    }

    fn list(&mut self, value: Value) -> Json {
        let graph = &self.trace.graph;
        let items = self.assigned(value, graph.items(value).collect());
        self.values(items)
    }

    /// Items set by index; lists only grow, so that a set index means the same at the end unless it
    /// counts from the end.
    fn assigned(&self, value: Value, mut items: Vec<Value>) -> Vec<Value> {
        let graph = self.graph();
        for (key, item, length) in graph.assignments(value) {
            let index = graph.small_integer(key).unwrap();
            let index = if index < 0 {
                i64::try_from(length).unwrap() + index
            } else {
                index
            };
            items[usize::try_from(index).unwrap()] = item;
        }
        items
    }

    fn byte_array(&self, value: Value) -> Vec<u8> {
        let graph = self.graph();
        let byte = |value| u8::try_from(graph.small_integer(value).unwrap()).unwrap();
        let mut bytes = graph.byte_string(value).unwrap().into_owned();
        bytes.extend(graph.items(value).map(byte));
        for (key, item, length) in graph.assignments(value) {
            let index = graph.small_integer(key).unwrap();
            let index = if index < 0 {
                i64::try_from(length).unwrap() + index
            } else {
                index
            };
            bytes[usize::try_from(index).unwrap()] = byte(item);
        }
        bytes
    }

    /// A dict's pairs: the first of equal keys with the last of its values.
    fn pairs(&mut self, value: Value) -> Vec<(Value, Value)> {
        let items: Vec<Value> = self.trace.graph.items(value).collect();
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        let mut known = HashMap::new();
        for pair in items.chunks_exact(2) {
            let place = *known.entry(self.class(pair[0])).or_insert(pairs.len());
            if place == pairs.len() {
                pairs.push((pair[0], pair[1]));
            } else {
                pairs[place].1 = pair[1];
            }
        }
        pairs
    }

    fn sorted_members(&mut self, value: Value) -> Json {
        let mut members = self.members(value);
        if members.len() > 1 {
            members.sort_by_cached_key(|member| self.sort_key(*member));
        }
        self.values(members)
    }

    fn members(&mut self, value: Value) -> Vec<Value> {
        let items: Vec<Value> = self.trace.graph.items(value).collect();
        let mut known = HashSet::new();
        items
            .into_iter()
            .filter(|member| known.insert(self.class(*member)))
            .collect()
    }

    /// The number that all objects have which Python finds equal.
    fn class(&mut self, value: Value) -> usize {
        for part in nested_last(&self.trace.graph, value, |part| {
            self.classes.contains_key(&part)
        }) {
            let key = self.equality(part);
            let next = self.equalities.len();
            let class = *self.equalities.entry(key).or_insert(next);
            self.classes.insert(part, class);
        }
        self.classes[&value]
    }

    /// What decides whether an object equals another; its members have their class already.
    fn equality(&mut self, value: Value) -> Equality {
        let graph = &self.trace.graph;
        match value.kind() {
            ValueKind::Bool => Equality::Number(format!("0x{:x}", u8::from(value == Value::TRUE))),
            ValueKind::Int | ValueKind::LongInt => {
                Equality::Number(graph.integer(value).unwrap().to_hex())
            }
            ValueKind::Float => {
                let float = f64::from_bits(graph.float_bits(value).unwrap());
                if float.is_nan() {
                    return Equality::Identity(value);
                }
                if float.is_finite() && float.fract() == 0.0 {
                    let (mantissa, exponent) = integer_parts(float);
                    return Equality::Number(shifted_hex(float < 0.0, mantissa, exponent));
                }
                Equality::Float(float.to_bits())
            }
            ValueKind::Str | ValueKind::Character => {
                Equality::Text(graph.text(value).unwrap().into_owned())
            }
            ValueKind::Bytes => Equality::Bytes(graph.byte_string(value).unwrap().into_owned()),
            ValueKind::Tuple => {
                Equality::Tuple(graph.items(value).map(|item| self.classes[&item]).collect())
            }
            ValueKind::FrozenSet => {
                let items: BTreeSet<usize> =
                    graph.items(value).map(|item| self.classes[&item]).collect();
                Equality::FrozenSet(items)
            }
            _ => Equality::Identity(value),
        }
    }

    /// The text by which members of a set are put in order.
    fn sort_key(&mut self, value: Value) -> Rc<str> {
        for part in nested_last(&self.trace.graph, value, |part| {
            self.sort_keys.contains_key(&part)
        }) {
            let key = self.sort_text(part);
            self.sort_keys.insert(part, key.into());
        }
        self.sort_keys[&value].clone()
    }

    fn sort_text(&mut self, value: Value) -> String {
        let graph = &self.trace.graph;
        match value.kind() {
            ValueKind::None => "N".into(),
            ValueKind::Bool => if value == Value::TRUE { "T" } else { "F" }.into(),
            ValueKind::Int | ValueKind::LongInt => {
                format!("i{}", graph.integer(value).unwrap().to_hex())
            }
            ValueKind::Float => format!("f{:016x}", graph.float_bits(value).unwrap()),
            ValueKind::Str | ValueKind::Character => {
                format!("s{}", hex(&graph.text(value).unwrap()))
            }
            ValueKind::Bytes => format!("b{}", hex(&graph.byte_string(value).unwrap())),
            ValueKind::Tuple => {
                let items: Vec<&str> = graph
                    .items(value)
                    .map(|item| &*self.sort_keys[&item])
                    .collect();
                format!("({})", items.join(","))
            }
            ValueKind::FrozenSet => {
                let members = self.members(value);
                let mut items: Vec<&str> =
                    members.iter().map(|item| &*self.sort_keys[item]).collect();
                items.sort_unstable();
                format!("{{{}}}", items.join(","))
            }
            _ => format!("#{:08}", self.birth(value)),
        }
    }
}

/// A value and all that its tuples and frozensets hold, members before what holds them; without
/// those that are `known`, and without recursion.
fn nested_last(graph: &Graph<'_>, value: Value, known: impl Fn(Value) -> bool) -> Vec<Value> {
    let mut order = Vec::new();
    let mut seen = HashSet::new();
    let mut todo = vec![(value, false)];
    while let Some((part, entered)) = todo.pop() {
        if entered {
            order.push(part);
        } else if !known(part) && seen.insert(part) {
            todo.push((part, true));
            if matches!(part.kind(), ValueKind::Tuple | ValueKind::FrozenSet) {
                todo.extend(graph.items(part).map(|item| (item, false)));
            }
        }
    }
    order
}

/// A finite integral float as `mantissa * 2**exponent`.
fn integer_parts(float: f64) -> (u64, u32) {
    let bits = float.abs().to_bits();
    if bits == 0 {
        return (0, 0);
    }
    let exponent = i32::try_from(bits >> 52).unwrap() - 1075;
    let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
    if exponent < 0 {
        (mantissa >> exponent.unsigned_abs(), 0)
    } else {
        (mantissa, exponent.unsigned_abs())
    }
}

fn shifted_hex(negative: bool, mantissa: u64, exponent: u32) -> String {
    let digits = format!("{:x}", u128::from(mantissa) << (exponent % 4));
    let zeros = "0".repeat(usize::try_from(exponent / 4).unwrap());
    format!("{}0x{digits}{zeros}", if negative { "-" } else { "" })
}
