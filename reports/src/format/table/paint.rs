//! Which colour means what.

use anstyle::{AnsiColor, Style};

use crate::v1::{Risk, Severity};

/// Hands out colours, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    color: bool,
}

/// A colour, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brush(Style);

impl Paint {
    pub(super) const fn new(color: bool) -> Self {
        Self { color }
    }

    pub(super) const fn risk(self, risk: Risk) -> Brush {
        let plain = Style::new();
        self.brush(match risk {
            Risk::Inert => plain.dimmed(),
            Risk::Trusted => colored(AnsiColor::Green),
            Risk::Review => colored(AnsiColor::Yellow),
            Risk::Suspicious => colored(AnsiColor::Magenta),
            Risk::Malicious => colored(AnsiColor::Red).bold(),
        })
    }

    pub(super) const fn severity(self, severity: Severity) -> Brush {
        match severity {
            Severity::Info | Severity::Low => self.brush(Style::new().dimmed()),
            Severity::Medium => self.risk(Risk::Review),
            Severity::High => self.risk(Risk::Suspicious),
            Severity::Critical => self.risk(Risk::Malicious),
        }
    }

    pub(super) const fn error(self) -> Brush {
        self.brush(colored(AnsiColor::Red))
    }

    pub(super) const fn strong(self) -> Brush {
        self.brush(Style::new().bold())
    }

    const fn brush(self, style: Style) -> Brush {
        Brush(if self.color { style } else { Style::new() })
    }
}

impl Brush {
    /// The text in this colour. The text is whole and escaped: nothing cuts it afterwards.
    pub(super) fn paint(self, text: &str) -> String {
        format!("{}{text}{}", self.0.render(), self.0.render_reset())
    }

    /// What to write before and after a text, for those who write it themselves.
    pub(super) fn around(self) -> Option<(String, String)> {
        let (before, after) = (
            self.0.render().to_string(),
            self.0.render_reset().to_string(),
        );
        (!before.is_empty()).then_some((before, after))
    }
}

const fn colored(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(color)))
}
