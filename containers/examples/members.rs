//! Lists what a walk over files finds: `cargo run --release --example members FILE...`

use std::io::Write;

use pickleproof_containers::{Difference, GapKind, Limits, Member, Visitor, walk};

/// Prints everything, a line each.
struct Lister<W>(W);

impl<W: Write> Visitor for Lister<W> {
    fn member(&mut self, member: &Member<'_>) {
        // An example has nothing better to do with a closed pipe than to go on.
        let _ = writeln!(
            self.0,
            "{:>12} {:16} {:12} {}{}",
            member.bytes.len(),
            member.format,
            member.loader.name(),
            member.location,
            if member.partial.is_some() {
                " (part)"
            } else {
                ""
            },
        );
    }

    fn gap(&mut self, location: &str, offset: u64, reason: &str, kind: GapKind) {
        let _ = writeln!(self.0, "  gap ({kind:?}) at {location}:{offset}: {reason}");
    }

    fn difference(&mut self, location: &str, offset: u64, difference: &Difference) {
        let Difference { kind, text } = difference;
        let _ = writeln!(
            self.0,
            "  difference ({kind:?}) at {location}:{offset}: {text}"
        );
    }
}

fn main() -> std::io::Result<()> {
    let mut lister = Lister(std::io::stdout().lock());
    for path in std::env::args_os().skip(1) {
        let bytes = std::fs::read(&path)?;
        let name = path.to_string_lossy();
        walk(&name, &bytes, &Limits::default(), &mut lister);
    }
    Ok(())
}
