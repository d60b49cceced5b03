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

use std::collections::HashMap;
use std::rc::Rc;

use pickleproof_core::pickletools::Argument;
use pickleproof_core::{
    Effect, EffectKind, End, Equality, Graph, Integer, Operand, ProfileOf, Trace, Value, ValueKind,
    line_text, nested_last,
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
    profile: Option<ProfileOf>,
    /// Number in the log of each effect, by its index; buffers have none.
    events: Vec<usize>,
    nodes: Vec<Value>,
    index: HashMap<Value, usize>,
    equality: Equality<'t, 'a>,
    sort_keys: HashMap<Value, Rc<str>>,
}

/// The result and log of a run as JSON: `root` if it stopped, `heap` and `log` if not empty. The
/// profile is that of [`pickleproof_core::Options::profile`].
#[must_use]
pub fn canonical(trace: &Trace<'_>, profile: Option<ProfileOf>) -> Json {
    let mut form = Canonical {
        trace,
        profile,
        events: Vec::new(),
        nodes: Vec::new(),
        index: HashMap::new(),
        equality: Equality::new(&trace.graph),
        sort_keys: HashMap::new(),
    };
    let mut next = 0;
    for effect in &trace.effects {
        form.events.push(next);
        next += match effect.kind {
            EffectKind::Build { object, state } if !form.has_set_state(object) => {
                form.stores(state).len()
            }
            EffectKind::Buffer { .. } => 0,
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
        let Some(profile) = self.profile else {
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
                let Some(Operand::Line(line)) = graph.operand(effect.offset) else {
                    return None;
                };
                json!(["persid", text_json(line_text(line))])
            }
            EffectKind::Extension { code, .. } => json!(["extension", code]),
            EffectKind::ComputedImport { module, name, .. } => {
                json!(["global", self.value(module), self.value(name)])
            }
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
            ValueKind::ByteArray => json!({"k": "bytearray", "v": hex(&graph.byte_array(value))}),
            ValueKind::View => {
                let base = graph.view_base(value).unwrap();
                json!({"k": "memoryview", "ro": true, "base": self.value(base)})
            }
            _ => Json::Null,
        }
    }

    fn list(&mut self, value: Value) -> Json {
        self.values(self.trace.graph.list(value))
    }

    fn pairs(&mut self, value: Value) -> Vec<(Value, Value)> {
        self.equality.pairs(value)
    }

    fn sorted_members(&mut self, value: Value) -> Json {
        let mut members = self.equality.members(value);
        if members.len() > 1 {
            members.sort_by_cached_key(|member| self.sort_key(*member));
        }
        self.values(members)
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
                let members = self.equality.members(value);
                let mut items: Vec<&str> =
                    members.iter().map(|item| &*self.sort_keys[item]).collect();
                items.sort_unstable();
                format!("{{{}}}", items.join(","))
            }
            _ => format!("#{:08}", self.birth(value)),
        }
    }
}
