//! The knowledge base: what is known of a global, looked up in a sorted table without parsing it.
//!
//! The form of the table is described in `kb/README.md`. An entry borrows from the table, which is
//! part of the binary, so that looking up costs neither start-up time nor allocation.

use crate::judgement::{Capability, Trust};

mod python2;
mod table;

pub(crate) use python2::python_3_name;

static BASE: &str = include_str!("../kb/base.tsv");

/// A condition on a call's arguments under which the call is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// None.
    Any,
    /// No callable stands anywhere in them.
    Data,
    /// Every callable in them is itself safe to call.
    Types,
}

/// A role in which a global can be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Calling it, or constructing with `__new__`.
    Call,
    /// BUILD on what it gives.
    Build,
    /// Appending to, extending, adding to or setting items of what it gives.
    Items,
}

/// What is known of a global.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    kind: &'static str,
    pub(crate) trust: Trust,
    roles: &'static str,
    pub(crate) guard: Guard,
    capabilities: &'static str,
    witness: &'static str,
}

impl Entry {
    fn parse(columns: &'static str) -> Option<Self> {
        let mut columns = columns.split('\t');
        let mut next = || columns.next();
        let kind = next()?;
        let trust = match next()? {
            "safe" => Trust::Safe,
            "dual" => Trust::Dual,
            "sink" => Trust::Sink,
            _ => return None,
        };
        let roles = next()?;
        let guard = match next()? {
            "-" => Guard::Any,
            "data" => Guard::Data,
            "types" => Guard::Types,
            _ => return None,
        };
        let capabilities = next()?;
        let _package = next()?;
        Some(Self {
            kind,
            trust,
            roles,
            guard,
            capabilities,
            witness: next()?,
        })
    }

    /// Whether it is safe in a role; a dual-use global or a sink never is.
    pub(crate) fn allows(&self, role: Role) -> bool {
        let letter = match role {
            Role::Call => 'c',
            Role::Build => 'b',
            Role::Items => 'i',
        };
        self.trust == Trust::Safe && self.roles.contains(letter)
    }

    pub(crate) fn is_class(&self) -> bool {
        self.kind == "class"
    }

    pub(crate) fn capabilities(&self) -> Vec<Capability> {
        self.capabilities
            .split(',')
            .filter_map(Capability::from_name)
            .collect()
    }

    /// Whether all it can do to harm is to call what it is given.
    pub(crate) fn only_calls_back(&self) -> bool {
        self.capabilities == Capability::Callback.name()
    }

    /// The call path to the harm, from the named callable to the primitive.
    pub(crate) fn witness(&self) -> Vec<String> {
        if self.witness == "-" {
            return Vec::new();
        }
        self.witness.split(" -> ").map(str::to_owned).collect()
    }
}

/// What is known of a global under its Python 3 name: its own entry, or that of its whole module.
pub(crate) fn lookup(module: &str, name: &str) -> Option<Entry> {
    exact(module, name).or_else(|| exact(module, "*"))
}

/// The entry of this very name.
pub(crate) fn exact(module: &str, name: &str) -> Option<Entry> {
    Entry::parse(table::find(BASE, [module, name])?)
}

/// The SHA-256 of the knowledge base, in hexadecimal.
#[must_use]
pub fn knowledge_base_digest() -> String {
    use sha2::Digest as _;
    use std::fmt::Write as _;

    let mut digest = sha2::Sha256::new();
    digest.update(BASE);
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
    fn every_line_of_the_table_is_sorted_and_can_be_parsed() {
        table::assert_sorted(BASE);
        for line in BASE.lines() {
            let columns = line.splitn(3, '\t').nth(2).unwrap();
            let entry = Entry::parse(columns).unwrap_or_else(|| panic!("{line}"));
            if entry.trust == Trust::Safe {
                assert_ne!(entry.roles, "-", "{line}");
            } else {
                assert!(!entry.capabilities().is_empty(), "{line}");
                assert!(!entry.witness().is_empty(), "{line}");
            }
            assert_eq!(line.split('\t').count(), 9, "{line}");
        }
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
    fn the_table_holds_what_was_promised() {
        let count = |trust| {
            BASE.lines()
                .filter(|line| line.split('\t').nth(3) == Some(trust))
                .count()
        };
        assert!(count("sink") + count("dual") >= 150);
        assert!(count("safe") >= 150);
    }
}
