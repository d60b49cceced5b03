//! `pickleproof kb`: what the knowledge base holds.

use std::io::{self, Write};

use pickleproof_analyzers::{KnownGlobal, knowledge_base_sources, known_global};

use crate::args::{KbArgs, KbCommand};
use crate::output::{complain, to_stdout};
use crate::status::Status;

pub(crate) fn run(args: &KbArgs) -> Status {
    let written = match &args.command {
        KbCommand::Show { global } => {
            let Some((module, name, known)) = splits(global).find_map(|(module, name)| {
                known_global(module, name).map(|known| (module, name, known))
            }) else {
                complain(format_args!(
                    "nothing is known of `{}`: calling it is `review`",
                    global.escape_debug()
                ));
                return Status::Incomplete;
            };
            to_stdout(|out| show(module, name, &known, out))
        }
        KbCommand::Sources => to_stdout(|out| {
            for source in knowledge_base_sources() {
                writeln!(out, "{source}")?;
            }
            Ok(())
        }),
    };
    if written.is_ok() {
        Status::Clean
    } else {
        Status::Incomplete
    }
}

/// Every way to read `a.b.c` as a module and a name, the longest module first; or `a:b.c` as it says.
fn splits(global: &str) -> impl Iterator<Item = (&str, &str)> {
    let said = global.split_once(':');
    let dots = global.rmatch_indices('.').map(|(at, _)| at);
    let guessed = dots.filter_map(|at| {
        let (module, name) = global.split_at_checked(at)?;
        Some((module, name.strip_prefix('.')?))
    });
    said.into_iter().chain(guessed)
}

fn show(module: &str, name: &str, known: &KnownGlobal, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{module}.{name}")?;
    writeln!(out, "  kind          {}", known.kind)?;
    writeln!(out, "  trust         {}", known.trust)?;
    if !known.capabilities.is_empty() {
        let names: Vec<_> = known.capabilities.iter().map(|c| c.name()).collect();
        writeln!(out, "  capabilities  {}", names.join(", "))?;
    }
    if !known.roles.is_empty() {
        writeln!(out, "  safe to       {}", known.roles.join(", "))?;
        writeln!(out, "  provided      {}", known.guard)?;
    }
    writeln!(out, "  because       {}", known.witness.join(" -> "))?;
    writeln!(out, "  from          {}", known.provenance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_with_the_longest_module_first() {
        let all: Vec<_> = splits("os.path.join").collect();
        assert_eq!(all, [("os.path", "join"), ("os", "path.join")]);
        assert_eq!(splits("os:path").next(), Some(("os", "path")));
        assert_eq!(splits("os").count(), 0);
    }
}
