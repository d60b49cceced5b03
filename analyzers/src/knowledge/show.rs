//! What the knowledge base holds of a global, as words.

use super::{BASE, Base, Guard, OVERLAY, Role, lookup};
use crate::judgement::{Capability, Trust};

/// What is known of a global.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGlobal {
    /// `function`, `class`, `method`, `module` or `object`.
    pub kind: &'static str,
    /// Whether it is safe, dual-use or a sink.
    pub trust: Trust,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// The roles in which it is safe, in words.
    pub roles: Vec<&'static str>,
    /// The condition on the arguments of a call, in words.
    pub guard: &'static str,
    /// The call path to the harm, or why it is safe.
    pub witness: Vec<String>,
    /// The packages and versions whose sources say so, or `curated`.
    pub provenance: &'static str,
}

const KINDS: [&str; 5] = ["function", "class", "method", "module", "object"];

/// What the knowledge base holds of a global under its Python 3 name.
#[must_use]
pub fn known_global(module: &str, name: &str) -> Option<KnownGlobal> {
    let entry = lookup(module, name)?;
    let roles = Role::ALL
        .into_iter()
        .filter(|role| entry.allows(*role))
        .map(|role| match role {
            Role::Name => "name",
            Role::Call => "call",
            Role::Make => "make with __new__",
            Role::Dict => "build with a dict",
            Role::Build => "build",
            Role::Items => "set items",
            Role::Methods => "name methods",
        })
        .collect();
    Some(KnownGlobal {
        kind: KINDS.get(usize::from(entry.record.kind)).copied()?,
        trust: entry.trust,
        capabilities: entry.capabilities(),
        roles,
        guard: match entry.guard {
            Guard::Any => "none",
            Guard::Data => "no callable among the arguments",
            Guard::Types => "callables among the arguments are safe to call",
            Guard::Makes => "callables among the arguments are safe to make",
        },
        witness: entry.witness(module, name),
        provenance: entry.record.provenance,
    })
}

/// Name, version and SHA-256 of each source that the knowledge base was derived from.
pub fn knowledge_base_sources() -> impl Iterator<Item = &'static str> {
    [BASE.as_ref(), OVERLAY.get()]
        .into_iter()
        .flatten()
        .flat_map(Base::sources)
}
