//! What a run may spend. Hitting a limit ends the run and is said with its offset.

use core::fmt;

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $field:ident $kind:ident $default:literal;)*) => {
        /// What a run may spend.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $field: u64,)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        /// Which limit was hit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum LimitKind {
            $($(#[doc = $doc])+ $kind,)*
        }

        impl LimitKind {
            /// Its name, that of the field in [`Limits`].
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => stringify!($field),)* }
            }
        }
    };
}

limits! {
    /// Instructions that are run.
    instructions Instructions 0xffff_ffff_ffff;
    /// Objects on the stack, eight bytes each.
    stack Stack 0x0200_0000;
    /// Marks, eight bytes each.
    marks Marks 0x0100_0000;
    /// Entries of the memo, up to 32 bytes each.
    memo Memo 0x1000_0000;
    /// Containers and objects, 24 bytes each.
    nodes Nodes 0x0800_0000;
    /// Items of containers, eight bytes each.
    items Items 0x1000_0000;
    /// Effects, 56 bytes each.
    effects Effects 0x0200_0000;
}

impl fmt::Display for LimitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
