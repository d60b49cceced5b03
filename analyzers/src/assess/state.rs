//! State: BUILD, and items put into objects.

use std::rc::Rc;

use pickleproof_core::{EffectKind, Value, ValueKind};

use super::{Assessor, MAX_SEARCHED, Reason};
use crate::judgement::Trust;
use crate::knowledge::Role;
use crate::meaning::{Lookup, Meaning};
use crate::names::Named;

/// Names that Python calls or follows by itself, so that a state that sets them plants a method.
const HOOKS: [&str; 8] = [
    "append",
    "extend",
    "add",
    "__setstate__",
    "__setitem__",
    "__class__",
    "__reduce__",
    "__dict__",
];

impl Assessor<'_, '_> {
    pub(super) fn build(&self, object: Value, state: Value) -> Reason {
        if let Some(planted) = self.planted(state) {
            return planted;
        }
        match self.meanings().of(object) {
            // The state of a partial is the callable and its arguments over again.
            Meaning::Global(named)
                if object.kind() == ValueKind::Object && self.is_partial(object) =>
            {
                self.partial(state, None)
                    .unwrap_or_else(|| self.calls_back(named, state, None))
            }
            Meaning::Global(named) => Reason::GlobalRewired(named),
            Meaning::Module(module) => Reason::GlobalRewired(Rc::new(Named::new(&module, "*"))),
            Meaning::Made(maker) if self.makes(&maker, object, Role::Build) => Reason::Accounted,
            // A dict goes into `__dict__`; another state would be set attribute by attribute.
            Meaning::Made(maker)
                if state.kind() == ValueKind::Dict && self.makes(&maker, object, Role::Dict) =>
            {
                Reason::Accounted
            }
            Meaning::Made(maker) if maker.trust() == Trust::Dual => {
                self.calls_back(maker, state, None)
            }
            Meaning::Made(_) | Meaning::Unknown => Reason::UntrustedState,
        }
    }

    fn is_partial(&self, object: Value) -> bool {
        let effect = self
            .trace
            .graph
            .birth(object)
            .and_then(|index| self.trace.effects.get(index));
        let Some(EffectKind::Call { callable, .. }) = effect.map(|effect| effect.kind) else {
            return false;
        };
        match self.meanings().of(callable) {
            Meaning::Global(named) => Lookup::of(&named) == Some(Lookup::Partial),
            _ => false,
        }
    }

    pub(super) fn items(&self, object: Value) -> Reason {
        match self.meanings().of(object) {
            Meaning::Global(named) => Reason::GlobalRewired(named),
            Meaning::Module(module) => Reason::GlobalRewired(Rc::new(Named::new(&module, "*"))),
            Meaning::Made(maker) if self.makes(&maker, object, Role::Items) => Reason::Accounted,
            Meaning::Made(_) | Meaning::Unknown => Reason::UntrustedState,
        }
    }

    /// Whether what a maker makes is safe in a role. A reconstructor such as
    /// `copyreg._reconstructor` makes an instance of the class it is given first.
    fn makes(&self, maker: &Named, object: Value, role: Role) -> bool {
        let Some(entry) = &maker.entry else {
            return false;
        };
        if entry.is_class() || maker.innards.is_some() {
            return maker.allows(role);
        }
        let effect = self
            .trace
            .graph
            .birth(object)
            .and_then(|index| self.trace.effects.get(index));
        let Some(EffectKind::Call { arguments, .. }) = effect.map(|effect| effect.kind) else {
            return false;
        };
        let first = self
            .trace
            .graph
            .items(arguments)
            .next()
            .map(|class| self.meanings().of(class));
        match first {
            Some(Meaning::Global(class)) if class.entry.is_some_and(|entry| entry.is_class()) => {
                class.allows(role)
            }
            Some(Meaning::Global(class)) if class.entry.is_none() => false,
            _ => maker.allows(role),
        }
    }

    /// A hook among the attributes that a state sets to something callable.
    fn planted(&self, state: Value) -> Option<Reason> {
        let graph = &self.trace.graph;
        let mut dicts = vec![state];
        if state.kind() == ValueKind::Tuple && graph.item_count(state) == 2 {
            dicts = graph.items(state).collect();
        }
        for dict in dicts
            .into_iter()
            .filter(|dict| dict.kind() == ValueKind::Dict)
        {
            let mut items = graph.items(dict).take(MAX_SEARCHED);
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                if !value.kind().is_opaque()
                    || graph.literal_length(key).is_none_or(|length| length > 64)
                {
                    continue;
                }
                let Some(name) = graph.text_lossy(key, 64) else {
                    continue;
                };
                let special = name.len() > 4 && name.starts_with("__") && name.ends_with("__");
                if !special && !HOOKS.contains(&name.as_str()) {
                    continue;
                }
                let named = match self.meanings().of(value) {
                    Meaning::Global(named) | Meaning::Made(named) => Some(named),
                    Meaning::Module(_) | Meaning::Unknown => None,
                };
                if special
                    || named
                        .as_ref()
                        .is_none_or(|named| named.trust() != Trust::Safe)
                {
                    return Some(Reason::MethodPlanted(name, named));
                }
            }
        }
        None
    }
}
