//! What a value means to a call: a global that is known by name, though it may be hidden behind
//! `getattr`, `import_module` or `partial`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use pickleproof_core::{EffectKind, Trace, Value, ValueKind};

use crate::evaluate::{Known, Results};
use crate::names::{MAX_NAME, Named, Names};

/// Values hidden deeper than this are not followed.
const MAX_DEPTH: u32 = 16;

/// What a value stands for, as far as its making shows.
#[derive(Debug, Clone)]
pub(crate) enum Meaning {
    /// A global, imported or looked up.
    Global(Rc<Named>),
    /// A module.
    Module(String),
    /// What a call of this global gave: an instance, or a result.
    Made(Rc<Named>),
    /// Something that only the loader's environment knows.
    Unknown,
}

/// The callables that look things up for a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// `getattr(object, name)`
    Attribute,
    /// `import_module(name)`: the module itself.
    Module,
    /// `__import__(name)`: the module before the first dot.
    TopModule,
    /// `resolve_name("module:name")`
    Dotted,
    /// `_ufunc_reconstruct(module, name)`
    ModuleAttribute,
    /// `partial(callable, ...)`
    Partial,
}

impl Lookup {
    pub(crate) fn of(named: &Named) -> Option<Self> {
        let rows: [(&str, &str, Self); 18] = [
            ("builtins", "getattr", Self::Attribute),
            ("builtins", "object.__getattribute__", Self::Attribute),
            ("builtins", "type.__getattribute__", Self::Attribute),
            ("inspect", "getattr_static", Self::Attribute),
            ("importlib", "import_module", Self::Module),
            ("importlib._bootstrap", "_gcd_import", Self::Module),
            ("_frozen_importlib", "_gcd_import", Self::Module),
            ("builtins", "__import__", Self::TopModule),
            ("importlib", "__import__", Self::TopModule),
            ("importlib._bootstrap", "__import__", Self::TopModule),
            ("_frozen_importlib", "__import__", Self::TopModule),
            ("pkgutil", "resolve_name", Self::Dotted),
            ("pydoc", "locate", Self::Dotted),
            ("logging.config", "_resolve", Self::Dotted),
            ("numpy.core", "_ufunc_reconstruct", Self::ModuleAttribute),
            ("numpy._core", "_ufunc_reconstruct", Self::ModuleAttribute),
            ("functools", "partial", Self::Partial),
            ("_functools", "partial", Self::Partial),
        ];
        rows.into_iter()
            .find_map(|(module, name, lookup)| named.is(module, name).then_some(lookup))
    }
}

/// What objects were found to mean: each is looked at once.
pub(crate) type Cache = RefCell<HashMap<Value, Meaning>>;

/// Finds out what values mean in a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meanings<'t, 'a> {
    pub(crate) trace: &'t Trace<'a>,
    pub(crate) names: &'t Names,
    pub(crate) cache: &'t Cache,
    /// What calls were evaluated to.
    pub(crate) results: &'t RefCell<Results>,
}

impl Meanings<'_, '_> {
    /// What a value means.
    pub(crate) fn of(&self, value: Value) -> Meaning {
        self.at(value, 0)
    }

    fn at(&self, value: Value, depth: u32) -> Meaning {
        if depth > MAX_DEPTH {
            return Meaning::Unknown;
        }
        match value.kind() {
            ValueKind::Global => match self
                .trace
                .graph
                .global_id(value)
                .and_then(|id| self.names.get(id))
            {
                Some(named) => Meaning::Global(named.clone()),
                None => Meaning::Unknown,
            },
            ValueKind::Object => {
                if let Some(known) = self.cache.borrow().get(&value) {
                    return known.clone();
                }
                let meaning = self.object(value, depth.saturating_add(1));
                self.cache.borrow_mut().insert(value, meaning.clone());
                meaning
            }
            _ => Meaning::Unknown,
        }
    }

    fn object(&self, value: Value, depth: u32) -> Meaning {
        let effect = self
            .trace
            .graph
            .birth(value)
            .and_then(|index| self.trace.effects.get(index));
        let (callable, arguments) = match effect.map(|effect| effect.kind) {
            Some(EffectKind::Call {
                callable,
                arguments,
                ..
            }) => (callable, arguments),
            Some(EffectKind::ComputedImport {
                module,
                name,
                protocol,
                ..
            }) => return self.imported(module, name, protocol),
            Some(EffectKind::Extension { .. }) => return self.registered(value),
            _ => return Meaning::Unknown,
        };
        match self.at(callable, depth) {
            Meaning::Global(named) => match Lookup::of(&named) {
                Some(lookup) => self
                    .looked_up(lookup, arguments, depth)
                    .unwrap_or(Meaning::Made(named)),
                None => Meaning::Made(named),
            },
            Meaning::Made(maker) => self
                .applied(&maker, callable, arguments, depth)
                .unwrap_or(Meaning::Unknown),
            Meaning::Module(_) | Meaning::Unknown => Meaning::Unknown,
        }
    }

    /// What a lookup gives, if its arguments are known.
    pub(crate) fn looked_up(
        &self,
        lookup: Lookup,
        arguments: Value,
        depth: u32,
    ) -> Option<Meaning> {
        let mut arguments = self.trace.graph.items(arguments);
        let first = arguments.next()?;
        match lookup {
            Lookup::Attribute => self.attribute(self.at(first, depth), arguments.next()?),
            Lookup::Module => Some(Meaning::Module(self.text(first)?)),
            Lookup::TopModule => {
                let name = self.text(first)?;
                Some(Meaning::Module(
                    name.split('.').next().unwrap_or_default().to_owned(),
                ))
            }
            Lookup::Dotted => {
                let path = self.text(first)?;
                let (module, name) = path.split_once(':').or_else(|| path.rsplit_once('.'))?;
                Some(Meaning::Global(Rc::new(Named::new(module, name))))
            }
            Lookup::ModuleAttribute => {
                self.attribute(Meaning::Module(self.text(first)?), arguments.next()?)
            }
            Lookup::Partial => Some(self.at(first, depth)),
        }
    }

    /// What calling an attribute getter or a method caller gives.
    fn applied(
        &self,
        maker: &Named,
        getter: Value,
        arguments: Value,
        depth: u32,
    ) -> Option<Meaning> {
        let is_getter = ["operator", "_operator"]
            .into_iter()
            .any(|module| maker.is(module, "attrgetter"));
        if !is_getter {
            return None;
        }
        let effect = self
            .trace
            .graph
            .birth(getter)
            .and_then(|index| self.trace.effects.get(index))?;
        let EffectKind::Call {
            arguments: made_with,
            ..
        } = effect.kind
        else {
            return None;
        };
        let name = self.trace.graph.items(made_with).next()?;
        let object = self.trace.graph.items(arguments).next()?;
        self.attribute(self.at(object, depth), name)
    }

    fn attribute(&self, object: Meaning, name: Value) -> Option<Meaning> {
        let name = self.text(name)?;
        match object {
            // A chain of lookups can grow a name without end.
            Meaning::Global(named) if named.name.len() > MAX_NAME => None,
            Meaning::Global(named) => Some(Meaning::Global(Rc::new(named.attribute(&name)))),
            Meaning::Module(module) => Some(Meaning::Global(Rc::new(Named::new(&module, &name)))),
            // A method of an instance is that of its class, unless its state holds something of that name: then
            // that was imported, too, and is judged for it.
            Meaning::Made(maker) if maker.entry.is_some_and(|entry| entry.is_class()) => {
                Some(Meaning::Global(Rc::new(maker.attribute(&name))))
            }
            Meaning::Made(_) | Meaning::Unknown => None,
        }
    }

    /// A global under names that were computed.
    fn imported(&self, module: Value, name: Value, protocol: u8) -> Meaning {
        match (self.text(module), self.text(name)) {
            (Some(module), Some(name)) => {
                Meaning::Global(Rc::new(Named::imported(&module, &name, protocol)))
            }
            _ => Meaning::Unknown,
        }
    }

    /// A global that the stream itself has registered under an extension code.
    fn registered(&self, object: Value) -> Meaning {
        let names = self.results.borrow().extensions.get(&object).copied();
        match names {
            Some((module, name)) => self.imported(module, name, self.trace.protocol),
            None => Meaning::Unknown,
        }
    }

    fn text(&self, value: Value) -> Option<String> {
        if value.kind() == ValueKind::Object {
            return match self.results.borrow().known.get(&value) {
                Some(Known::Text(text)) if text.len() <= MAX_NAME => Some(text.clone()),
                _ => None,
            };
        }
        if self.trace.graph.literal_length(value)? > MAX_NAME {
            return None;
        }
        self.trace.graph.text_lossy(value, MAX_NAME)
    }
}
