//! `pickleproof rules`: what the findings of a report are about.

use std::io::{self, Write};

use pickleproof_analyzers::rules::{self, RULES, Rule};
use pickleproof_reports::v1;

use crate::args::RulesArgs;
use crate::output::{complain, to_stdout};
use crate::status::Status;

/// A name at least this similar to what was asked for is worth a hint.
const SIMILAR: f64 = 0.75;
/// At most this many hints are given.
const HINTS: usize = 3;

pub(crate) fn run(args: &RulesArgs) -> Status {
    let written = if args.schema {
        to_stdout(|out| out.write_all(v1::schema()?.as_bytes()))
    } else if let Some(id) = &args.id {
        let Some(rule) = rules::rule(id) else {
            complain(format_args!("no rule `{id}`{}", hint(id)));
            return Status::Incomplete;
        };
        to_stdout(|out| page(rule, out))
    } else {
        to_stdout(list)
    };
    if written.is_ok() {
        Status::Clean
    } else {
        Status::Incomplete
    }
}

fn list(out: &mut dyn Write) -> io::Result<()> {
    let width = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in RULES {
        writeln!(
            out,
            "{:width$}  {:8}  {}",
            rule.id, rule.severity, rule.title
        )?;
    }
    Ok(())
}

fn page(rule: &Rule, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", rule.page.trim_end())?;
    if !rule.references.is_empty() {
        writeln!(out)?;
    }
    for reference in rule.references {
        writeln!(out, "{reference}")?;
    }
    Ok(())
}

/// What may have been meant.
fn hint(id: &str) -> String {
    let near = near(id, RULES.iter().map(|rule| rule.id));
    if near.is_empty() {
        return "; `pickleproof rules` lists them".to_owned();
    }
    format!("; there is `{}`", near.join("`, `"))
}

/// The names that are most like `id`, the nearest first.
fn near<'a>(id: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let id = id.to_lowercase();
    let mut near: Vec<(f64, &str)> = names
        .map(|name| (strsim::jaro_winkler(&id, name), name))
        .filter(|&(likeness, name)| likeness >= SIMILAR || (id.len() > 2 && name.contains(&id)))
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().take(HINTS).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_matches() {
        let names = || ["sink-called", "sink-imported", "unknown-global"].into_iter();
        assert_eq!(near("sink-caled", names())[0], "sink-called");
        assert_eq!(near("SINK-CALLED", names())[0], "sink-called");
        assert_eq!(near("global", names()), ["unknown-global"]);
        assert!(near("zzz", names()).is_empty());
    }
}
