//! Globals under the names that decide: Python 3 names, with the knowledge base's entry.

use std::borrow::Cow;
use std::rc::Rc;

use pickleproof_core::{Global, GlobalId, Graph};

use crate::judgement::{Capability, Trust};
use crate::knowledge::{self, Entry, Role};
use crate::meaning::Lookup;
use crate::render::Naming;

/// Attributes that lead from any object into the interpreter.
const INNARDS: [&str; 24] = [
    "__base__",
    "__bases__",
    "__builtins__",
    "__class__",
    "__closure__",
    "__code__",
    "__dict__",
    "__func__",
    "__getattribute__",
    "__globals__",
    "__import__",
    "__init__",
    "__kwdefaults__",
    "__loader__",
    "__module__",
    "__mro__",
    "__self__",
    "__spec__",
    "__subclasses__",
    "__wrapped__",
    "cr_frame",
    "f_globals",
    "gi_frame",
    "mro",
];

/// Modules that are other names of one module.
const ALIASES: [(&str, &str); 4] = [
    ("posix", "os"),
    ("nt", "os"),
    ("_io", "io"),
    ("_pickle", "pickle"),
];

/// So many parts at the end of a dotted name are tried as a module and a name.
const MAX_PARTS: usize = 8;

/// Longer names, in bytes, are those of no library.
pub(crate) const MAX_NAME: usize = 512;

/// A global as the judgement sees it.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// Module under its Python 3 name.
    pub(crate) module: String,
    /// Qualified name.
    pub(crate) name: String,
    /// What is known of it.
    pub(crate) entry: Option<Entry>,
    /// How it is reached, where it is not by its own name: `torch.serialization.os is os`.
    pub(crate) via: Option<String>,
    /// It reaches into the interpreter through an attribute such as `__globals__`.
    pub(crate) innards: Option<&'static str>,
}

impl Named {
    /// What `find_class(module, name)` gives at a protocol.
    pub(crate) fn imported(module: &str, name: &str, protocol: u8) -> Self {
        let (mut module, mut name) = (module, name);
        if protocol < 3
            && let Some((new_module, new_name)) = knowledge::python_3_name(module, name)
        {
            module = new_module;
            name = new_name.unwrap_or(name);
        }
        Self::new(module, name)
    }

    /// The global of these names, or what their dots lead to.
    pub(crate) fn new(module: &str, name: &str) -> Self {
        let mut named = Self {
            module: module.to_owned(),
            name: name.to_owned(),
            entry: knowledge::exact(module, name),
            via: None,
            innards: None,
        };
        if named.entry.is_some() {
            return named;
        }
        let parts: Vec<&str> = name.split('.').collect();
        if parts.len() > 1 {
            // Calling `f.__call__` is calling `f`, however often.
            let plain = name.trim_end_matches(".__call__");
            if plain.len() < name.len() {
                return Self::new(module, plain);
            }
            named.innards = INNARDS.into_iter().find(|innard| parts.contains(innard));
            // A method of a class all of whose methods are harmless, or have an entry of their own.
            if named.innards.is_none()
                && let Some((class, method)) = name.rsplit_once('.')
                && !method.starts_with("__")
                && let Some(entry) =
                    knowledge::exact(module, class).and_then(|class| class.method())
            {
                named.entry = Some(entry);
                return named;
            }
            let last = parts
                .get(parts.len().saturating_sub(MAX_PARTS)..)
                .unwrap_or(&parts);
            if let Some((module, name, entry)) = reached(last) {
                named.via = Some(format!(
                    "{}.{} is {module}.{name}",
                    named.module, named.name
                ));
                (named.module, named.name, named.entry) = (module, name, Some(entry));
                return named;
            }
        }
        named.entry = knowledge::lookup(module, name);
        named
    }

    /// An attribute of it.
    pub(crate) fn attribute(&self, name: &str) -> Self {
        Self::new(&self.module, &format!("{}.{name}", self.name))
    }

    pub(crate) fn trust(&self) -> Trust {
        match &self.entry {
            _ if self.innards.is_some() => match &self.entry {
                Some(entry) if entry.trust == Trust::Sink => Trust::Sink,
                _ => Trust::Dual,
            },
            Some(entry) => entry.trust,
            None => Trust::Unknown,
        }
    }

    /// Whether it is a class that does harm when it is called, as far as its sources show.
    pub(crate) fn is_harmful_when_called(&self) -> bool {
        self.innards.is_none()
            && self
                .entry
                .as_ref()
                .is_some_and(Entry::is_harmful_when_called)
    }

    /// Whether all the harm it can do is to run or load what text or bytes say.
    pub(crate) fn needs_text(&self) -> bool {
        self.capabilities().iter().all(|capability| {
            matches!(
                capability,
                Capability::Exec
                    | Capability::Import
                    | Capability::Deserialize
                    | Capability::FsRead
                    | Capability::Reflect
                    | Capability::Callback
            )
        })
    }

    /// Whether whoever is given it can do harm with it, whatever the arguments.
    pub(crate) fn is_certain_sink(&self) -> bool {
        self.trust() == Trust::Sink && !self.is_harmful_when_called()
    }

    /// Whether it is a safe object that is no callable, such as a dtype.
    pub(crate) fn is_constant(&self) -> bool {
        self.allows(Role::Name) && self.entry.as_ref().is_some_and(Entry::is_object)
    }

    pub(crate) fn allows(&self, role: Role) -> bool {
        self.innards.is_none() && self.entry.as_ref().is_some_and(|entry| entry.allows(role))
    }

    pub(crate) fn capabilities(&self) -> Vec<Capability> {
        match &self.entry {
            Some(entry) => entry.capabilities(),
            None if self.innards.is_some() => vec![Capability::Reflect],
            None => Vec::new(),
        }
    }

    /// Whether all it can do to harm is to call what it is given, now or when its result is used.
    ///
    /// Elsewhere a callback is kept: in a registry, a schedule, a handler.
    pub(crate) fn only_calls_back(&self) -> bool {
        self.is_of_the_language() && self.entry.as_ref().is_some_and(Entry::only_calls_back)
    }

    /// Whether it only looks up, reads, or calls what it is given, when it is called: to name it does nothing,
    /// and each call of it is judged by its arguments.
    pub(crate) fn is_idle_when_named(&self) -> bool {
        let looks_up = Lookup::of(self) == Some(Lookup::ModuleAttribute);
        let is_callable = self.entry.as_ref().is_some_and(Entry::is_callable);
        let soft = |capability: &Capability| {
            matches!(
                capability,
                Capability::Callback
                    | Capability::Reflect
                    | Capability::FsRead
                    | Capability::Resource
            )
        };
        self.innards.is_none()
            && self.trust() == Trust::Dual
            && (looks_up || is_callable && self.capabilities().iter().all(soft))
    }

    fn is_of_the_language(&self) -> bool {
        const PURE: [&str; 6] = [
            "builtins",
            "functools",
            "_functools",
            "itertools",
            "operator",
            "_operator",
        ];
        PURE.contains(&self.module.as_str()) && self.innards.is_none()
    }

    /// The call path to the harm.
    pub(crate) fn witness(&self) -> Vec<String> {
        let mut witness: Vec<String> = self.via.iter().cloned().collect();
        if let Some(entry) = &self.entry {
            witness.extend(entry.witness(&self.module, &self.name));
        }
        witness
    }

    pub(crate) fn is(&self, module: &str, name: &str) -> bool {
        self.module == module && self.name == name
    }

    /// `module.name`, with modules that are one under one name.
    pub(crate) fn shown(&self) -> String {
        let module = ALIASES
            .into_iter()
            .find_map(|(alias, module)| (alias == self.module).then_some(module))
            .unwrap_or(&self.module);
        format!("{module}.{}", self.name)
    }
}

/// A known sink or dual-use global that the parts of a dotted name end in: `serialization.os.system`
/// ends in `os.system`, for a module's attributes are the modules that it imports.
fn reached(parts: &[&str]) -> Option<(String, String, Entry)> {
    for start in 0..parts.len() {
        for split in start.saturating_add(1)..parts.len() {
            let module = parts.get(start..split)?.join(".");
            let name = parts.get(split..)?.join(".");
            let module = module
                .strip_prefix('_')
                .filter(|plain| *plain == "os" || *plain == "sys")
                .unwrap_or(&module);
            if let Some(entry) = knowledge::lookup(module, &name)
                && entry.trust != Trust::Safe
            {
                return Some((module.to_owned(), name, entry));
            }
        }
    }
    None
}

/// Every global of a run, named once.
#[derive(Debug)]
pub(crate) struct Names(Vec<Rc<Named>>);

impl Names {
    pub(crate) fn of(graph: &Graph<'_>) -> Self {
        Self(
            graph
                .globals()
                .iter()
                .map(|global| Rc::new(worst_named(global)))
                .collect(),
        )
    }

    pub(crate) fn get(&self, id: GlobalId) -> Option<&Rc<Named>> {
        self.0.get(id.index())
    }

    pub(crate) fn all(&self) -> &[Rc<Named>] {
        &self.0
    }
}

impl Naming for Names {
    fn name(&self, id: GlobalId, _: &Global<'_>) -> String {
        self.get(id)
            .map_or_else(|| "<global>".to_owned(), |named| named.shown())
    }
}

/// The text of a name; one that is longer than any name of a library is cut, and marked so that it is
/// none that is known.
fn bounded(name: &[u8]) -> Cow<'_, str> {
    match name.get(..MAX_NAME) {
        Some(start) if name.len() > MAX_NAME => {
            format!("{}…", String::from_utf8_lossy(start)).into()
        }
        _ => String::from_utf8_lossy(name),
    }
}

/// The same two names can mean two globals, where one is imported below protocol 3 and one above:
/// the worse of them counts.
fn worst_named(global: &Global<'_>) -> Named {
    let module = bounded(&global.module);
    let name = bounded(&global.name);
    let below_3 = global.protocols & 0b111 != 0;
    let above = global.protocols & !0b111 != 0;
    let old = below_3.then(|| Named::imported(&module, &name, 0));
    let new = (above || !below_3).then(|| Named::imported(&module, &name, 5));
    match (old, new) {
        (Some(old), Some(new)) => {
            if new.trust() > old.trust() {
                new
            } else {
                old
            }
        }
        (Some(named), None) | (None, Some(named)) => named,
        (None, None) => Named::new(&module, &name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_2_names_count_only_below_protocol_3() {
        assert_eq!(
            Named::imported("commands", "getoutput", 2).shown(),
            "subprocess.getoutput"
        );
        assert_eq!(
            Named::imported("commands", "getoutput", 3).module,
            "commands"
        );
    }

    #[test]
    fn dots_lead_to_what_a_module_imports() {
        let named = Named::new("torch.serialization", "os.system");
        assert_eq!(
            (named.shown().as_str(), named.trust()),
            ("os.system", Trust::Sink)
        );
        assert!(named.via.is_some());
        assert_eq!(
            Named::new("builtins", "eval.__call__").shown(),
            "builtins.eval"
        );
        assert_eq!(Named::new("random", "_os.system").trust(), Trust::Sink);
    }

    #[test]
    fn innards_are_never_trusted() {
        let named = Named::new("collections", "OrderedDict.__init__.__globals__");
        assert_eq!(named.trust(), Trust::Dual);
        assert!(!named.allows(Role::Call));
    }

    #[test]
    fn modules_that_are_one_are_shown_under_one_name() {
        assert_eq!(Named::new("posix", "system").shown(), "os.system");
    }
}
