//! The words of a verdict as the report spells them, and their counts.
//!
//! One row for each word. That every word of the analyzers has a row here is for the compiler to
//! say: the converters match without a wildcard.

use core::fmt;

use pickleproof_analyzers::judgement;
use schemars::JsonSchema;
use serde::Serialize;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every word, in the order of the enum.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word as it stands in the JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => judgement::$name::$variant.name(),)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }

        impl From<judgement::$name> for $name {
            fn from(word: judgement::$name) -> Self {
                match word {
                    $(judgement::$name::$variant => Self::$variant,)*
                }
            }
        }
    )*};
}

words! {
    /// What loading would come to, from harmless to harmful.
    Risk {
        /// No imports and no calls: data only.
        Inert,
        /// Every effect is accounted for as safe in the role it plays.
        Trusted,
        /// Something is not known. Nothing is known to be bad.
        Review,
        /// A dual-use capability, an evasion technique, or a sink that is imported but not called.
        Suspicious,
        /// A sink is reached.
        Malicious,
    }

    /// How much of the bytes could be accounted for, from the best to the worst.
    Integrity {
        /// STOP was reached, nothing is left over, every part was looked at.
        Complete,
        /// Bytes after STOP that belong to nothing.
        Trailing,
        /// The stream ends before STOP.
        Truncated,
        /// A loader would reject it.
        Corrupt,
        /// A limit or an unsupported part kept the tool from looking at all of it.
        Limited,
    }

    /// How bad a finding is, from the mildest to the worst.
    Severity {
        /// Worth knowing, changes no verdict.
        Info,
        /// Odd, changes no verdict by itself.
        Low,
        /// Needs a reader: the verdict is `review`.
        Medium,
        /// The verdict is `suspicious`.
        High,
        /// The verdict is `malicious`.
        Critical,
    }

    /// How sure a finding is of itself.
    Confidence {
        /// A guess from circumstances.
        Low,
        /// Likely; something was over-approximated.
        Medium,
        /// Follows from the bytes and the knowledge base.
        High,
    }

    /// What the knowledge base makes of a global.
    Trust {
        /// Safe in the roles that its entry names.
        Safe,
        /// On no list.
        Unknown,
        /// Harmless or harmful, by its arguments.
        Dual,
        /// Does the harm, or leads to what does.
        Sink,
    }

    /// What a callable can do.
    Capability {
        /// Runs Python source or a code object.
        Exec,
        /// Starts a process or a shell.
        Process,
        /// Imports a module that its arguments name.
        Import,
        /// Loads or runs native code.
        Native,
        /// Writes, moves or deletes files.
        FsWrite,
        /// Reads files.
        FsRead,
        /// Talks to the network.
        Net,
        /// Loads another serialised object.
        Deserialize,
        /// Reads or sets attributes, frames, namespaces.
        Reflect,
        /// Reads or sets the process's environment.
        Env,
        /// Ends or signals the process.
        Exit,
        /// Calls a callable that it was given.
        Callback,
        /// Uses up memory, time or handles.
        Resource,
    }
}

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident of $word:ident { $($field:ident: $variant:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
        pub struct $name {
            $(
                #[doc = concat!("How many are `", stringify!($field), "`.")]
                pub $field: u64,
            )*
        }

        impl $name {
            /// The count of a word.
            #[must_use]
            pub const fn of(&self, word: $word) -> u64 {
                match word {
                    $($word::$variant => self.$field,)*
                }
            }

            pub(super) fn count(&mut self, word: $word) {
                let count = match word {
                    $($word::$variant => &mut self.$field,)*
                };
                *count = count.saturating_add(1);
            }
        }
    )*};
}

counts! {
    /// Counts by risk. Every key is always there.
    ByRisk of Risk {
        inert: Inert, trusted: Trusted, review: Review, suspicious: Suspicious,
        malicious: Malicious,
    }

    /// Counts by integrity. Every key is always there.
    ByIntegrity of Integrity {
        complete: Complete, trailing: Trailing, truncated: Truncated, corrupt: Corrupt,
        limited: Limited,
    }

    /// Counts by severity. Every key is always there.
    BySeverity of Severity {
        info: Info, low: Low, medium: Medium, high: High, critical: Critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_spells_words_as_the_analyzers_do() {
        macro_rules! check {
            ($($name:ident)*) => {$(
                for word in $name::ALL {
                    assert_eq!(serde_json::to_value(word).unwrap(), word.name());
                }
            )*};
        }
        check!(Risk Integrity Severity Confidence Trust Capability);
    }

    #[test]
    fn order_is_the_order_of_badness() {
        assert!(Risk::ALL.is_sorted() && Integrity::ALL.is_sorted() && Severity::ALL.is_sorted());
        for pair in judgement::Risk::ALL.windows(2) {
            assert!(Risk::from(pair[0]) < Risk::from(pair[1]));
        }
    }

    #[test]
    fn counts_have_a_key_for_each_word() {
        let json = serde_json::to_string(&ByRisk::default()).unwrap();
        assert_eq!(
            json,
            r#"{"inert":0,"trusted":0,"review":0,"suspicious":0,"malicious":0}"#
        );
        let mut counts = BySeverity::default();
        for &severity in Severity::ALL {
            counts.count(severity);
            assert_eq!(counts.of(severity), 1);
        }
    }
}
