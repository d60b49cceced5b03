//! A campaign of the machine against CPython; see `scripts/differential`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program of the command line"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use pickleproof_fuzz::differential::{Campaign, Tally, campaign, record};
use pickleproof_fuzz::oracle::Implementation;

const USAGE: &str = "scripts/differential [--streams N] [--seed S] [--python PATH]... [--impl c,py,genops,...]
    [--jobs N] [--out FOLDER]
scripts/differential --record FILE [--python PATH]...

Compares the machine with CPython on N generated and mutated streams and prints a table.
Disagreements are made small and written to FOLDER (target/differential): one file for each with both
results, and found.jsonl in the format of corpus/vectors. Exit status: 0 none, 1 some, 2 no campaign.
--record prints the vectors of FILE, of which hex and opts count, with what the interpreters say of them.";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    let mut options = Campaign {
        streams: 1_000_000,
        ..Campaign::default()
    };
    let mut out = PathBuf::from("target/differential");
    let mut recorded = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--help" {
            println!("{USAGE}");
            return Ok(true);
        }
        let value = arguments
            .next()
            .ok_or_else(|| format!("{argument}: unknown, or without a value\n{USAGE}"))?;
        let number = || {
            value
                .replace(['_', ','], "")
                .parse::<u64>()
                .map_err(|error| format!("{argument} {value}: {error}"))
        };
        match argument.as_str() {
            "--streams" => options.streams = number()?,
            "--seed" => options.seed = number()?,
            "--jobs" => options.jobs = usize::try_from(number()?).unwrap_or(1),
            "--python" => options.pythons.push(value.into()),
            "--out" => out = value.into(),
            "--record" => recorded = Some(PathBuf::from(value)),
            "--impl" => {
                options.implementations = value
                    .split(',')
                    .map(|name| {
                        Implementation::of_name(name).ok_or(format!("--impl {name}: unknown"))
                    })
                    .collect::<Result<_, _>>()?;
            }
            _ => return Err(format!("{argument}: unknown\n{USAGE}")),
        }
    }
    if let Some(file) = recorded {
        return print_recorded(&options, &file);
    }
    let total = options.streams;
    let tally = campaign(&options, |done, elapsed| {
        eprintln!("{done} of {total} streams, {:.0} s", elapsed.as_secs_f64());
    })?;
    save(&options, &tally, &out)?;
    print(&options, &tally);
    Ok(tally.different.is_empty())
}

fn print_recorded(options: &Campaign, file: &Path) -> Result<bool, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut oracles = options.oracles()?;
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    for line in text.lines() {
        let vector = serde_json::from_str(line).map_err(|error| wrong(&error))?;
        let recorded = record(&mut oracles, &vector)?;
        println!(
            "{}",
            recorded.ok_or_else(|| wrong(&"no classic interpreter"))?
        );
    }
    Ok(true)
}

fn save(options: &Campaign, tally: &Tally, out: &Path) -> Result<(), String> {
    if tally.reports.is_empty() {
        return Ok(());
    }
    let mut oracles = options.oracles()?;
    let mut vectors = String::new();
    for report in &tally.reports {
        println!("{}", report.text());
        report.save(out).map_err(|error| error.to_string())?;
        if let Some(vector) = report.vector(&mut oracles)? {
            vectors.push_str(&vector.to_string());
            vectors.push('\n');
        }
    }
    let path = out.join("found.jsonl");
    std::fs::write(&path, vectors).map_err(|error| format!("{}: {error}", path.display()))
}

fn print(options: &Campaign, tally: &Tally) {
    let seconds = tally.elapsed.max(Duration::from_millis(1)).as_secs_f64();
    let count = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    println!("seed                {}", options.seed);
    println!("streams             {}", tally.streams);
    println!(
        "bytes a stream      {:.0}",
        count(tally.bytes) / count(tally.streams).max(1.0)
    );
    println!("seconds             {seconds:.0}");
    println!("streams a second    {:.0}", count(tally.streams) / seconds);
    for (who, number) in &tally.compared {
        let (version, implementation) = who;
        println!(
            "compared            {number} {} of 3.{}.{}, {} accepted",
            implementation.name(),
            version.minor,
            version.patch,
            tally.accepted.get(who).unwrap_or(&0)
        );
    }
    for ((implementation, skip), number) in &tally.skipped {
        println!(
            "skipped             {number} {}: {}",
            implementation.name(),
            skip.name()
        );
    }
    if tally.different.is_empty() {
        println!("disagreements       0");
    }
    for (kind, number) in &tally.different {
        println!("disagreements       {number} {kind}");
    }
}
