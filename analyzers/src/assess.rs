//! Judges each effect of a run on its own: default deny.
//!
//! An effect is *accounted for* where the knowledge base says that its global is safe in the role
//! it plays, with the arguments it gets. Everything else has a reason, and each reason is a rule's.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use pickleproof_containers::Loader;
use pickleproof_core::{Effect, EffectKind, Trace, Value, ValueKind};

use crate::evaluate::Results;
use crate::judgement::{Risk, Trust};
use crate::meaning::{Cache, Meaning, Meanings};
use crate::names::{Named, Names};

mod call;
mod state;

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
    /// Bytes that are known are loaded, and what they do has this risk.
    PayloadLoaded(Rc<Named>, Risk),
    /// A global is imported under names that the stream computes; which, if that is known.
    ImportComputed(Option<Rc<Named>>),
    /// A global that only the loader's registry knows.
    Extension(i32),
}

impl Reason {
    pub(crate) fn risk(&self) -> Risk {
        match self {
            Self::Accounted => Risk::Trusted,
            Self::SinkCalled(_) => Risk::Malicious,
            // Data needs no stream in a stream.
            Self::PayloadLoaded(_, risk) => (*risk).max(Risk::Review),
            Self::MethodPlanted(_, Some(named)) if named.trust() == Trust::Sink => Risk::Malicious,
            Self::SinkNamed(_)
            | Self::DualCalled(_)
            | Self::GlobalRewired(_)
            | Self::MethodPlanted(..)
            | Self::ImportComputed(_)
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

/// Values looked at when the arguments of one call are searched for callables.
const MAX_SEARCHED: usize = 2048;

/// Values looked at when all arguments of a stream are.
pub(crate) const SEARCH_BUDGET: u64 = 20_000_000;

/// A run and what its globals are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assessor<'t, 'a> {
    pub(crate) trace: &'t Trace<'a>,
    pub(crate) names: &'t Names,
    pub(crate) loader: Loader,
    pub(crate) cache: &'t Cache,
    pub(crate) results: &'t RefCell<Results>,
    /// Values that may still be searched for callables.
    pub(crate) budget: &'t Cell<u64>,
}

impl<'t, 'a> Assessor<'t, 'a> {
    pub(crate) fn meanings(&self) -> Meanings<'t, 'a> {
        Meanings {
            trace: self.trace,
            names: self.names,
            cache: self.cache,
            results: self.results,
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
            } => self.call(effect.opcode, callable, arguments, keywords),
            EffectKind::Build { object, state } => self.build(object, state),
            EffectKind::SetItem { object, .. }
            | EffectKind::Append { object, .. }
            | EffectKind::Extend { object, .. }
            | EffectKind::Add { object, .. } => self.items(object),
            EffectKind::PersistentLoad { id, .. } => self.persistent_load(id),
            EffectKind::ComputedImport { object, .. } => {
                Reason::ImportComputed(match self.meanings().of(object) {
                    Meaning::Global(named) => Some(named),
                    _ => None,
                })
            }
            EffectKind::Extension { code, .. } => Reason::Extension(code),
            EffectKind::Buffer { .. } => Reason::Accounted,
        }
    }

    fn named(named: Rc<Named>) -> Reason {
        if named.innards.is_some() && named.trust() != Trust::Sink {
            return Reason::DualCalled(named);
        }
        match named.trust() {
            Trust::Safe => Reason::Accounted,
            Trust::Unknown => Reason::UnknownNamed(named),
            _ if named.is_harmful_when_called() => Reason::DualNamed(named),
            Trust::Dual if named.is_idle_when_named() => Reason::Accounted,
            Trust::Dual => Reason::DualNamed(named),
            Trust::Sink => Reason::SinkNamed(named),
        }
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
