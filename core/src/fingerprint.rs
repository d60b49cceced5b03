//! Whether two runs of one stream have the same effects, whatever graphs their values live in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::decode::Operand;
use crate::effect::{Effect, EffectKind, Trace};
use crate::graph::Graph;
use crate::value::{Value, ValueKind};

/// Compares runs by what a keyed hash makes of their effects. The key is random, so that no stream
/// can be made to look the same to two readings that differ.
#[derive(Debug, Default)]
pub struct Fingerprints(RandomState);

impl Fingerprints {
    /// The fingerprint of a run: equal for runs whose effects are equal in kind, place, order and
    /// value. How the run ended is not part of it.
    #[must_use]
    pub fn of(&self, trace: &Trace<'_>) -> u64 {
        let mut hasher = self.0.build_hasher();
        for effect in self.of_effects(trace) {
            hasher.write_u64(effect);
        }
        hasher.finish()
    }

    /// The fingerprint of each effect of a run.
    #[must_use]
    pub fn of_effects(&self, trace: &Trace<'_>) -> Vec<u64> {
        let mut walk = Walk {
            state: &self.0,
            graph: &trace.graph,
            known: HashMap::new(),
        };
        let effects = trace.effects.iter();
        effects.map(|effect| walk.effect(effect)).collect()
    }
}

/// Whether Python 2 names are mapped and whether dots are walked.
const fn naming(protocol: u8) -> u8 {
    match protocol {
        0..=2 => 0,
        3 => 1,
        _ => 2,
    }
}

struct Walk<'w, 'a> {
    state: &'w RandomState,
    graph: &'w Graph<'a>,
    known: HashMap<Value, u64>,
}

impl Walk<'_, '_> {
    fn effect(&mut self, effect: &Effect) -> u64 {
        let graph = self.graph;
        let mut hasher = self.state.build_hasher();
        hasher.write_usize(effect.offset);
        hasher.write_u8(effect.opcode.byte());
        let values: Vec<Value> = match effect.kind {
            EffectKind::Import {
                global, protocol, ..
            } => {
                hasher.write_u8(naming(protocol));
                vec![graph.global_value(global)]
            }
            EffectKind::ComputedImport {
                module,
                name,
                protocol,
                ..
            } => {
                hasher.write_u8(naming(protocol));
                vec![module, name]
            }
            EffectKind::Call {
                callable,
                arguments,
                keywords,
                ..
            } => [Some(callable), Some(arguments), keywords]
                .into_iter()
                .flatten()
                .collect(),
            EffectKind::Build { object, state } => vec![object, state],
            EffectKind::SetItem { object, key, value } => vec![object, key, value],
            EffectKind::Append { object, item } | EffectKind::Add { object, item } => {
                vec![object, item]
            }
            EffectKind::Extend { object, items } => {
                let mut values = vec![object];
                values.extend_from_slice(graph.span(items));
                values
            }
            EffectKind::PersistentLoad { id: Some(id), .. } => vec![id],
            EffectKind::PersistentLoad { id: None, .. } => {
                if let Some(Operand::Line(line)) = graph.operand(effect.offset) {
                    hasher.write(line);
                }
                Vec::new()
            }
            EffectKind::Extension { code, .. } => {
                hasher.write_i32(code);
                Vec::new()
            }
            EffectKind::Buffer { .. } => Vec::new(),
        };
        hasher.write_usize(values.len());
        for value in values {
            hasher.write_u64(self.value(value));
        }
        hasher.finish()
    }

    /// Items come before what holds them; an item that holds what is being visited counts as such.
    fn value(&mut self, value: Value) -> u64 {
        let mut todo = vec![(value, false)];
        while let Some((part, entered)) = todo.pop() {
            if entered {
                let hash = self.shallow(part);
                self.known.insert(part, hash);
            } else if let Entry::Vacant(entry) = self.known.entry(part) {
                entry.insert(0);
                todo.push((part, true));
                let unknown = |item: &Value| !self.known.contains_key(item);
                let set = self.graph.assignments(part).map(|(_, item, _)| item);
                let items = self.graph.items(part).chain(set).filter(unknown);
                todo.extend(items.map(|item| (item, false)));
                let base = self.graph.view_base(part).filter(unknown);
                todo.extend(base.map(|base| (base, false)));
            }
        }
        self.known.get(&value).copied().unwrap_or(0)
    }

    fn shallow(&self, value: Value) -> u64 {
        let graph = self.graph;
        let mut hasher = self.state.build_hasher();
        hasher.write_u8(value.kind() as u8);
        match value.kind() {
            ValueKind::None => {}
            ValueKind::Bool => hasher.write_u8(u8::from(value == Value::TRUE)),
            ValueKind::Int | ValueKind::LongInt => {
                let integer = graph.integer(value);
                hasher.write_u8(u8::from(integer.as_ref().is_some_and(|it| it.negative)));
                hasher.write(&integer.map(|it| it.magnitude).unwrap_or_default());
            }
            ValueKind::Float => hasher.write_u64(graph.float_bits(value).unwrap_or(0)),
            ValueKind::Str | ValueKind::Character => {
                hasher.write(&graph.text(value).unwrap_or_default());
            }
            ValueKind::Bytes => hasher.write(&graph.byte_string(value).unwrap_or_default()),
            ValueKind::Global => {
                if let Some(global) = graph.global(value) {
                    hasher.write_usize(global.module.len());
                    hasher.write(&global.module);
                    hasher.write(&global.name);
                }
            }
            // It is the one that was born there.
            ValueKind::Object => hasher.write_usize(graph.offset(value).unwrap_or(0)),
            ValueKind::View => {
                let base = graph.view_base(value);
                hasher.write_u64(
                    base.and_then(|base| self.known.get(&base).copied())
                        .unwrap_or(0),
                );
            }
            ValueKind::Tuple
            | ValueKind::List
            | ValueKind::Dict
            | ValueKind::Set
            | ValueKind::FrozenSet
            | ValueKind::ByteArray => {
                if value.kind() == ValueKind::ByteArray {
                    hasher.write(&graph.byte_string(value).unwrap_or_default());
                }
                hasher.write_usize(graph.item_count(value));
                for item in graph.items(value) {
                    hasher.write_u64(self.known.get(&item).copied().unwrap_or(0));
                }
                for (key, item, length) in graph.assignments(value) {
                    hasher.write_i64(graph.small_integer(key).unwrap_or(0));
                    hasher.write_u64(self.known.get(&item).copied().unwrap_or(0));
                    hasher.write_usize(length);
                }
            }
        }
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dialect, Machine, Options, Version};

    fn trace(stream: &[u8], dialect: Dialect, minor: u8) -> Trace<'_> {
        let options = Options {
            dialect,
            version: Version { minor, patch: 7 },
            ..Options::default()
        };
        Machine::new(stream, 0, options).run()
    }

    #[test]
    fn runs_that_read_the_same_are_equal() {
        let fingerprints = Fingerprints::default();
        let stream = b"cos\nsystem\n((lp0\ng0\naI1\nI10\ndS'echo pickleproof'\ntR.";
        let c = fingerprints.of(&trace(stream, Dialect::C, 11));
        assert_eq!(c, fingerprints.of(&trace(stream, Dialect::Python, 11)));
        assert_eq!(c, fingerprints.of(&trace(stream, Dialect::C, 15)));
    }

    #[test]
    fn an_integer_in_an_argument_tells_releases_apart() {
        let fingerprints = Fingerprints::default();
        let stream = b"cos\n_exit\n(I010\ntR.";
        let old = fingerprints.of(&trace(stream, Dialect::C, 11));
        assert_ne!(old, fingerprints.of(&trace(stream, Dialect::C, 14)));
    }
}
