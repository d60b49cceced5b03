//! What a loader's surroundings give to a stream: persistent ids, buffers, and what its globals are.

use crate::error::Exception;

/// What the loader's environment would give to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Environment {
    /// It gives whatever a stream asks for: persistent ids, buffers and extension codes are
    /// resolved to opaque objects, and an object may turn out to be a class. Nothing passes unseen
    /// for want of something that another loader has.
    #[default]
    Generous,
    /// It is exactly what [`Options`](crate::Options) say; objects are no classes.
    Exact,
}

/// An object that the caller of `pickle.load` gives as an out-of-band buffer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OutOfBand {
    /// A bytes object.
    ReadOnly(Vec<u8>),
    /// A bytearray.
    Writable(Vec<u8>),
}

/// What becomes of a state that BUILD sets on an object without `__setstate__`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attributes {
    /// It has no `__dict__`, and its attributes can't be set.
    None,
    /// It is a class: its `__dict__` can't be written to, its attributes can be set.
    OfClass,
    /// Both can be written to.
    Writable,
}

/// What an object does with the opcodes that act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "an object has each of these methods or has not"
)]
pub struct Support {
    /// It has `__setstate__`.
    pub set_state: bool,
    /// What BUILD does without one.
    pub attributes: Attributes,
    /// It has `extend`.
    pub extend: bool,
    /// It has `append`.
    pub append: bool,
    /// It has `add`.
    pub add: bool,
    /// It has `__setitem__`.
    pub set_item: bool,
}

impl Support {
    /// Everything.
    pub const ALL: Self = Self {
        set_state: true,
        attributes: Attributes::Writable,
        extend: true,
        append: true,
        add: true,
        set_item: true,
    };
    /// Nothing.
    pub const NONE: Self = Self {
        set_state: false,
        attributes: Attributes::None,
        extend: false,
        append: false,
        add: false,
        set_item: false,
    };
}

/// What an import gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Profile {
    /// The exception that the import raises, if it does.
    pub raises: Option<Exception>,
    /// It is a class: NEWOBJ accepts it, and OBJ and INST without arguments call only `__new__`.
    pub class: bool,
    /// It has `__getinitargs__`: OBJ and INST call it in any case.
    pub init_args: bool,
    /// What it supports itself.
    pub itself: Support,
    /// What the objects support that it gives when it is called.
    pub instance: Support,
}

impl Default for Profile {
    /// A class that supports everything, as its instances do.
    fn default() -> Self {
        Self {
            raises: None,
            class: true,
            init_args: false,
            itself: Support::ALL,
            instance: Support::ALL,
        }
    }
}

/// What the import of a module's global gives, where that is not [`Profile::default`].
pub type ProfileOf = fn(module: &[u8]) -> Option<Profile>;
