//! The knowledge base: what is known of a global, looked up in a sorted table without parsing it.
//!
//! The form of the table is described in `kb/README.md`. An entry borrows from the table, which is
//! part of the binary, so that looking up costs neither start-up time nor allocation.

use std::sync::{LazyLock, OnceLock};

use crate::judgement::{Capability, Trust};

mod base;
mod python2;
mod show;
mod table;

use base::{Base, Hop, Record};
pub(crate) use python2::python_3_name;
pub use show::{KnownGlobal, knowledge_base_sources, known_global};

static BYTES: &[u8] = include_bytes!("../kb/base.kb");
static BASE: LazyLock<Option<Base>> = LazyLock::new(|| Base::new(BYTES));
static OVERLAY: OnceLock<Base> = OnceLock::new();

/// Steps of a call path that are shown.
const MAX_STEPS: usize = 8;

/// A condition on a call's arguments under which the call is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// None.
    Any,
    /// No callable stands anywhere in them.
    Data,
    /// Every callable in them is itself safe to call.
    Types,
    /// Every callable in them is a class that is safe to make.
    Makes,
}

/// A role in which a global can be safe. The order is that of the bits in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Naming it.
    Name,
    /// Calling it.
    Call,
    /// Making an instance with `__new__` alone.
    Make,
    /// BUILD with a plain dict on what it gives.
    Dict,
    /// BUILD with any state on what it gives.
    Build,
    /// Appending to, extending, adding to or setting items of what it gives.
    Items,
    /// Naming its methods, other than those that have an entry of their own.
    Methods,
}

impl Role {
    const ALL: [Self; 7] = [
        Self::Name,
        Self::Call,
        Self::Make,
        Self::Dict,
        Self::Build,
        Self::Items,
        Self::Methods,
    ];

    const fn bit(self) -> u8 {
        match self {
            Self::Name => 1,
            Self::Call => 1 << 1,
            Self::Make => 1 << 2,
            Self::Dict => 1 << 3,
            Self::Build => 1 << 4,
            Self::Items => 1 << 5,
            Self::Methods => 1 << 6,
        }
    }
}

/// What is known of a global.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    base: &'static Base,
    record: Record,
    pub(crate) trust: Trust,
    pub(crate) guard: Guard,
}

impl Entry {
    fn new(base: &'static Base, record: Record) -> Option<Self> {
        let trust = match record.trust {
            0 => Trust::Safe,
            1 => Trust::Dual,
            2 => Trust::Sink,
            _ => return None,
        };
        let guard = match record.guard {
            0 => Guard::Any,
            1 => Guard::Data,
            2 => Guard::Types,
            3 => Guard::Makes,
            _ => return None,
        };
        Some(Self {
            base,
            record,
            trust,
            guard,
        })
    }

    /// Whether it is safe in a role; a dual-use global or a sink never is.
    pub(crate) fn allows(&self, role: Role) -> bool {
        self.trust == Trust::Safe && self.record.roles & role.bit() != 0
    }

    pub(crate) fn is_class(&self) -> bool {
        self.record.kind == 1
    }

    /// Whether it is a class of whose constructor the sources say that it does harm: made with `__new__` alone,
    /// or named, it is only unknown.
    pub(crate) fn is_harmful_when_called(&self) -> bool {
        self.is_class() && self.trust != Trust::Safe && !self.record.provenance.ends_with("curated")
    }

    /// Whether it is neither a module nor an object.
    pub(crate) fn is_callable(&self) -> bool {
        self.record.kind <= 2
    }

    pub(crate) fn is_object(&self) -> bool {
        self.record.kind == 4
    }

    /// What is known of a class's method that has no entry of its own.
    pub(crate) fn method(&self) -> Option<Self> {
        let record = Record {
            kind: 2,
            guard: 0,
            roles: Role::Name.bit(),
            ..self.record
        };
        self.allows(Role::Methods).then_some(Self {
            record,
            guard: Guard::Any,
            ..*self
        })
    }

    pub(crate) fn capabilities(&self) -> Vec<Capability> {
        Capability::ALL
            .into_iter()
            .zip(0..)
            .filter(|(_, bit)| self.record.capabilities >> *bit & 1 == 1)
            .map(|(capability, _)| capability)
            .collect()
    }

    /// Whether all it can do to harm is to call what it is given.
    pub(crate) fn only_calls_back(&self) -> bool {
        self.capabilities() == [Capability::Callback]
    }

    /// The call path to the harm: the steps after the global itself, or a few words for a primitive.
    fn steps(&self) -> Vec<String> {
        let mut steps = Vec::new();
        let mut hop = self.record.hop;
        while steps.len() < MAX_STEPS {
            match hop {
                Hop::None => break,
                Hop::Text(text) => {
                    // The words for a primitive say nothing more once its name is there.
                    if steps.is_empty() || text.contains(" -> ") || !text.contains(' ') {
                        steps.extend(text.split(" -> ").map(str::to_owned));
                    }
                    break;
                }
                Hop::Global(number) => {
                    steps.extend(self.base.shown(number));
                    let next = usize::try_from(number).ok();
                    hop = match next.and_then(|number| self.base.record(number)) {
                        Some(record) => record.hop,
                        None => break,
                    };
                }
            }
        }
        steps
    }

    /// The call path to the harm from the global of this name, or a few words for a primitive.
    pub(crate) fn witness(&self, module: &str, name: &str) -> Vec<String> {
        let steps = self.steps();
        match steps.as_slice() {
            [words] if words.contains(' ') => steps,
            [] => steps,
            _ => [vec![format!("{module}.{name}")], steps].concat(),
        }
    }
}

/// What is known of a global under its Python 3 name: its own entry, or that of its whole module.
pub(crate) fn lookup(module: &str, name: &str) -> Option<Entry> {
    exact(module, name).or_else(|| exact(module, "*"))
}

/// The entry of this very name.
pub(crate) fn exact(module: &str, name: &str) -> Option<Entry> {
    // What the base knows stands, so that an overlay cannot make a sink of it harmless.
    [BASE.as_ref(), OVERLAY.get()]
        .into_iter()
        .flatten()
        .find_map(|base| Entry::new(base, base.find(module, name)?))
}

/// Adds a table of the user's own packages, for this process; `false` if the bytes are none, or if there is one already.
#[must_use]
pub fn add_knowledge(bytes: Vec<u8>) -> bool {
    Base::new(bytes.leak()).is_some_and(|base| OVERLAY.set(base).is_ok())
}

/// The SHA-256 of the knowledge base, in hexadecimal; it stands in the table itself.
#[must_use]
pub fn knowledge_base_digest() -> String {
    use sha2::Digest as _;
    use std::fmt::Write as _;

    let mut digest = sha2::Sha256::new();
    for base in [BASE.as_ref(), OVERLAY.get()].into_iter().flatten() {
        digest.update(base.digest());
    }
    digest.update(python2::TABLE);
    let mut text = String::new();
    for byte in digest.finalize() {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_global_is_sorted_found_and_sound() {
        let base = BASE.as_ref().unwrap();
        let mut last = ("", "");
        for (module, name, number) in base.all() {
            assert!(
                last < (module, name),
                "{last:?} stands before {module} {name}"
            );
            last = (module, name);
            let entry = Entry::new(base, base.record(number).unwrap()).unwrap();
            assert!(base.find(module, name).is_some(), "{module} {name}");
            if entry.trust == Trust::Safe {
                assert_ne!(entry.record.roles, 0, "{module} {name}");
            } else {
                assert!(!entry.capabilities().is_empty(), "{module} {name}");
                assert!(!entry.witness(module, name).is_empty(), "{module} {name}");
            }
        }
    }

    #[test]
    fn the_digest_in_the_table_is_that_of_what_follows() {
        use sha2::Digest as _;

        let body = BYTES.get(16 + 32..).unwrap();
        let base = BASE.as_ref().unwrap();
        assert_eq!(base.digest(), sha2::Sha256::digest(body).as_slice());
        assert!(BYTES.len() < 4 << 20, "{} bytes", BYTES.len());
    }

    #[test]
    fn lookups_find_sinks_and_constructors() {
        let system = lookup("os", "system").unwrap();
        assert_eq!(system.trust, Trust::Sink);
        assert_eq!(system.capabilities(), [Capability::Process]);
        assert!(
            lookup("collections", "OrderedDict")
                .unwrap()
                .allows(Role::Call)
        );
        assert!(lookup("pickleproof_unknown", "Thing").is_none());
        assert!(lookup("", "").is_none());
    }

    #[test]
    fn a_derived_sink_shows_the_way_to_the_primitive() {
        let entry = lookup("uuid", "_get_command_stdout").unwrap();
        assert_eq!(entry.trust, Trust::Sink);
        let witness = entry.witness("uuid", "_get_command_stdout");
        assert_eq!(witness, ["uuid._get_command_stdout", "subprocess.Popen"]);
    }
}
