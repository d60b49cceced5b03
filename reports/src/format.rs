//! The table of renderers. A renderer is one file and one row (and the `mod` line that rustfmt
//! needs to find the file).

pub(crate) mod json;
mod table;

use std::io::{self, Write};

use crate::v1::Report;

/// How a renderer may use the place that it writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// The columns of a terminal; none for a file or a pipe, where a line has no end.
    pub width: Option<usize>,
    /// Whether to use colour.
    pub color: bool,
}

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $about:literal, $render:path;)*) => {
        /// A form that a report can have.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Format {
            $($(#[$doc])* $variant,)*
        }

        impl Format {
            /// Every form, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name that selects it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// What it is for, in a few words.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about,)*
                }
            }

            /// Writes the report in this form. What is written ends with a newline.
            ///
            /// # Errors
            ///
            /// Those of the writer.
            pub fn render(
                self,
                report: &Report,
                out: &mut dyn Write,
                style: &Style,
            ) -> io::Result<()> {
                match self {
                    $(Self::$variant => $render(report, out, style),)*
                }
            }
        }
    };
}

formats! {
    /// A table, and the findings below it.
    Table = "table", "for a person at a terminal", table::render;
    /// The whole report as one JSON document.
    Json = "json", "the whole report, for a program", json::render;
}

impl Format {
    /// The form of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_found() {
        for &format in Format::ALL {
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
        assert_eq!(Format::from_name("Table"), None);
    }
}
