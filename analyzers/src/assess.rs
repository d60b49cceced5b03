//! Judges each effect of a run on its own: default deny.
//!
//! An effect is *accounted for* where the knowledge base says that its global is safe in the role
//! it plays, with the arguments it gets. Everything else has a reason, and each reason is a rule's.

use std::rc::Rc;

use pickleproof_containers::Loader;
use pickleproof_core::{Effect, EffectKind, Trace, Value, ValueKind};

use crate::judgement::{Risk, Trust};
use crate::knowledge::{Guard, Role};
use crate::meaning::{Lookup, Meaning, Meanings};
use crate::names::{Named, Names};

/// Why an effect is judged as it is.
#[derive(Debug, Clone)]
pub(crate) enum Reason {
    /// It is accounted for.
    Accounted,
    /// A sink is called, or is given to something that calls it.
    SinkCalled(Rc<Named>),
    /// A sink is imported or looked up.
    SinkNamed(Rc<Named>),
    /// A dual-use global is called.
    DualCalled(Rc<Named>),
    /// A dual-use global is imported or looked up.
    DualNamed(Rc<Named>),
    /// A global on no list is called.
    UnknownCalled(Rc<Named>),
    /// A global on no list is imported or looked up.
    UnknownNamed(Rc<Named>),
    /// A safe global is called with arguments that its entry does not allow.
    GuardFailed(Rc<Named>),
    /// Something is called of which it is not known what it is.
    UnresolvedCalled,
    /// The state of a class, a function or a module is set.
    GlobalRewired(Rc<Named>),
    /// A method is planted on an object through its state.
    MethodPlanted(String, Option<Rc<Named>>),
    /// The state or the items of an object are set that is not known to be safe for that.
    UntrustedState,
    /// A persistent id that no known loader resolves.
    PersistentId,
    /// A global that only the loader's registry knows.
    Extension(i32),
}

impl Reason {
    pub(crate) fn risk(&self) -> Risk {
        match self {
            Self::Accounted => Risk::Trusted,
            Self::SinkCalled(_) => Risk::Malicious,
            Self::MethodPlanted(_, Some(named)) if named.trust() == Trust::Sink => Risk::Malicious,
            Self::SinkNamed(_)
            | Self::DualCalled(_)
            | Self::GlobalRewired(_)
            | Self::MethodPlanted(..)
            | Self::Extension(_) => Risk::Suspicious,
            Self::DualNamed(_)
            | Self::UnknownCalled(_)
            | Self::UnknownNamed(_)
            | Self::GuardFailed(_)
            | Self::UnresolvedCalled
            | Self::UntrustedState
            | Self::PersistentId => Risk::Review,
        }
    }
}

/// Values looked at when arguments are searched for callables.
const MAX_SEARCHED: usize = 2048;

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

/// A run and what its globals are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assessor<'t, 'a> {
    pub(crate) trace: &'t Trace<'a>,
    pub(crate) names: &'t Names,
    pub(crate) loader: Loader,
}

impl<'t, 'a> Assessor<'t, 'a> {
    pub(crate) fn meanings(&self) -> Meanings<'t, 'a> {
        Meanings {
            trace: self.trace,
            names: self.names,
        }
    }

    /// Why an effect is judged as it is.
    pub(crate) fn assess(&self, effect: &Effect) -> Reason {
        match effect.kind {
            EffectKind::Import { global, .. } => match self.names.get(global) {
                Some(named) => Self::named(named.clone()),
                None => Reason::UnresolvedCalled,
            },
            EffectKind::Call {
                callable,
                arguments,
                keywords,
                ..
            } => self.call(callable, arguments, keywords),
            EffectKind::Build { object, state } => self.build(object, state),
            EffectKind::SetItem { object, .. }
            | EffectKind::Append { object, .. }
            | EffectKind::Extend { object, .. }
            | EffectKind::Add { object, .. } => self.items(object),
            EffectKind::PersistentLoad { id, .. } => self.persistent_load(id),
            EffectKind::Extension { code, .. } => Reason::Extension(code),
            EffectKind::Buffer { .. } => Reason::Accounted,
        }
    }

    fn named(named: Rc<Named>) -> Reason {
        match named.trust() {
            Trust::Safe => Reason::Accounted,
            Trust::Unknown => Reason::UnknownNamed(named),
            Trust::Dual => Reason::DualNamed(named),
            Trust::Sink => Reason::SinkNamed(named),
        }
    }

    fn call(&self, callable: Value, arguments: Value, keywords: Option<Value>) -> Reason {
        match self.meanings().of(callable) {
            Meaning::Global(named) => self.call_global(named, arguments, keywords),
            // A dual-use maker's product does what its maker was told to.
            Meaning::Made(maker) => match maker.trust() {
                Trust::Dual => self.call_dual(maker, arguments, keywords),
                _ => match self.worst_callable(arguments, keywords) {
                    Some(given) if given.trust() == Trust::Sink => Reason::SinkCalled(given),
                    _ => Reason::UnresolvedCalled,
                },
            },
            Meaning::Module(_) | Meaning::Unknown => Reason::UnresolvedCalled,
        }
    }

    fn call_global(&self, named: Rc<Named>, arguments: Value, keywords: Option<Value>) -> Reason {
        match named.trust() {
            Trust::Sink => Reason::SinkCalled(named),
            Trust::Dual => self.call_dual(named, arguments, keywords),
            Trust::Unknown => match self.worst_callable(arguments, keywords) {
                // What an unknown function does with a sink it is given is not hard to guess.
                Some(given) if given.trust() == Trust::Sink => Reason::SinkCalled(given),
                _ => Reason::UnknownCalled(named),
            },
            Trust::Safe => {
                if !named.allows(Role::Call) {
                    return Reason::GuardFailed(named);
                }
                let guard = named.entry.as_ref().map_or(Guard::Any, |entry| entry.guard);
                match (guard, self.worst_callable(arguments, keywords)) {
                    (Guard::Any, _) | (_, None) => Reason::Accounted,
                    (_, Some(given)) if given.trust() == Trust::Sink => Reason::SinkCalled(given),
                    (Guard::Types, Some(given)) if given.allows(Role::Call) => Reason::Accounted,
                    (Guard::Data | Guard::Types, Some(_)) => Reason::GuardFailed(named),
                }
            }
        }
    }

    /// A dual-use global is harmless if what it looks up or calls is.
    fn call_dual(&self, named: Rc<Named>, arguments: Value, keywords: Option<Value>) -> Reason {
        if let Some(lookup) = Lookup::of(&named)
            && lookup != Lookup::Partial
        {
            return match self.meanings().looked_up(lookup, arguments, 0) {
                Some(Meaning::Global(found)) => Self::named(found),
                _ => Reason::DualCalled(named),
            };
        }
        if named
            .entry
            .as_ref()
            .is_some_and(crate::knowledge::Entry::only_calls_back)
            && named.innards.is_none()
        {
            return match self.worst_callable(arguments, keywords) {
                Some(given) if given.trust() == Trust::Sink => Reason::SinkCalled(given),
                Some(given) if given.allows(Role::Call) => Reason::Accounted,
                Some(given) if given.trust() == Trust::Unknown => Reason::UnknownCalled(given),
                _ => Reason::DualCalled(named),
            };
        }
        Reason::DualCalled(named)
    }

    /// The callable in the arguments that is trusted least, if there is any.
    fn worst_callable(&self, arguments: Value, keywords: Option<Value>) -> Option<Rc<Named>> {
        let graph = &self.trace.graph;
        let mut todo: Vec<Value> = vec![arguments];
        todo.extend(keywords);
        let mut searched = 0_usize;
        let mut worst: Option<Rc<Named>> = None;
        while let Some(value) = todo.pop() {
            searched = searched.saturating_add(1);
            if searched > MAX_SEARCHED {
                break;
            }
            let found = match value.kind() {
                ValueKind::Global => self.meanings().of(value),
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
                let badness = |named: &Rc<Named>| (named.trust(), !named.allows(Role::Call));
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

    fn build(&self, object: Value, state: Value) -> Reason {
        if let Some(planted) = self.planted(state) {
            return planted;
        }
        match self.meanings().of(object) {
            Meaning::Global(named) => Reason::GlobalRewired(named),
            Meaning::Module(module) => Reason::GlobalRewired(Rc::new(Named::new(&module, "*"))),
            Meaning::Made(maker) if self.makes(&maker, object, Role::Build) => Reason::Accounted,
            Meaning::Made(_) | Meaning::Unknown => Reason::UntrustedState,
        }
    }

    fn items(&self, object: Value) -> Reason {
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

    /// torch asks for storages by plain tuples; `pickle.load` resolves no ids at all.
    fn persistent_load(&self, id: Option<Value>) -> Reason {
        let plain = id.is_none_or(|id| {
            let graph = &self.trace.graph;
            id.kind() == ValueKind::Str
                || (id.kind() == ValueKind::Tuple
                    && graph.item_count(id) <= 8
                    && graph.items(id).all(|item| match self.meanings().of(item) {
                        Meaning::Global(named) => named.trust() == Trust::Safe,
                        Meaning::Made(_) => true,
                        Meaning::Module(_) => false,
                        Meaning::Unknown => item.kind() != ValueKind::Object,
                    }))
        });
        if self.loader == Loader::TorchLoad && plain {
            Reason::Accounted
        } else {
            Reason::PersistentId
        }
    }
}
