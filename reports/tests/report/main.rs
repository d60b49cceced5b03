//! Golden files of the renderers, made from hand-built judgements. `BLESS=1 cargo test` accepts
//! what the renderers write now.

#![cfg(test)]

mod dis;
mod samples;

use std::path::{Path, PathBuf};

use pickleproof_reports::v1::{self, Report};
use pickleproof_reports::{Format, Style};
use serde_json::Value;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares with a file of this crate, or writes it.
fn golden(path: &str, actual: &str) {
    let file = here(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        expected == actual,
        "{path} is not current; accept with BLESS=1.\n--- expected\n{expected}\n--- actual\n{actual}"
    );
}

fn render(format: Format, report: &Report, width: Option<usize>, color: bool) -> String {
    let mut out = Vec::new();
    format
        .render(report, &mut out, &Style { width, color })
        .unwrap();
    String::from_utf8(out).unwrap()
}

/// The text without its colours.
fn strip(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').unwrap().1)
}

/// A writer on a full disk.
struct Full;
impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_schema_is_current() {
    golden("schema/report-v1.schema.json", &v1::schema().unwrap());
}

#[test]
fn json() {
    golden(
        "tests/golden/mixed.json",
        &render(Format::Json, &samples::mixed(), None, false),
    );
    golden(
        "tests/golden/empty.json",
        &render(Format::Json, &samples::empty(), None, false),
    );
}

#[test]
fn table() {
    let mixed = samples::mixed();
    for width in [60, 80, 120] {
        let text = render(Format::Table, &mixed, Some(width), false);
        golden(&format!("tests/golden/mixed.{width}.txt"), &text);
    }
    golden(
        "tests/golden/mixed.txt",
        &render(Format::Table, &mixed, None, false),
    );
    golden(
        "tests/golden/mixed.color.txt",
        &render(Format::Table, &mixed, Some(100), true),
    );
    golden(
        "tests/golden/empty.txt",
        &render(Format::Table, &samples::empty(), Some(80), false),
    );
}

#[test]
fn reports_are_valid() {
    let schema: Value = serde_json::from_str(&v1::schema().unwrap()).unwrap();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    for report in [samples::mixed(), samples::empty(), samples::hostile()] {
        let json = serde_json::from_str(&render(Format::Json, &report, None, false)).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&json)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
    // And the schema does say no.
    let mut json: Value =
        serde_json::from_str(&render(Format::Json, &samples::mixed(), None, false)).unwrap();
    json["started"] = "yesterday".into();
    assert!(!validator.is_valid(&json));
    json = serde_json::to_value(samples::empty()).unwrap();
    json["summary"]["by_risk"]
        .as_object_mut()
        .unwrap()
        .remove("review");
    assert!(!validator.is_valid(&json));
}

#[test]
fn json_is_the_model_whatever_is_in_it() {
    for report in [samples::mixed(), samples::hostile()] {
        let text = render(Format::Json, &report, None, false);
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back, serde_json::to_value(&report).unwrap());
    }
}

#[test]
fn a_table_fits_its_terminal() {
    for report in [samples::mixed(), samples::hostile()] {
        for width in 56..200 {
            let text = render(Format::Table, &report, Some(width), false);
            // The last line sums up: a few words that a terminal may wrap by itself.
            let (text, _) = text.trim_end().rsplit_once('\n').unwrap();
            for line in text.lines() {
                let columns = pickleproof_reports::escape::width(line, 10_000);
                assert!(columns <= width, "{columns} > {width}: {line}");
            }
        }
    }
}

#[test]
fn colour_changes_no_text() {
    for report in [samples::mixed(), samples::hostile()] {
        for width in [None, Some(60), Some(90), Some(160)] {
            let plain = render(Format::Table, &report, width, false);
            let colored = render(Format::Table, &report, width, true);
            assert!(colored.contains('\x1b') && !plain.contains('\x1b'));
            assert_eq!(strip(&colored), plain);
        }
    }
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let report = samples::hostile();
    for &format in Format::ALL {
        for width in [None, Some(30), Some(80)] {
            let text = render(format, &report, width, false);
            for bad in [
                '\x1b',
                '\x07',
                '\r',
                '\u{9b}',
                '\u{202e}',
                '\u{200b}',
                '\u{e0041}',
            ] {
                assert!(!text.contains(bad), "{}: {bad:?}", format.name());
            }
        }
    }
    // A name can't pretend to be a row of the table.
    let text = render(Format::Table, &report, None, false);
    assert!(
        !text
            .lines()
            .any(|line| line.starts_with("inert       complete    pickle  fake"))
    );
}

#[test]
fn huge_names_are_cut() {
    let report = samples::huge();
    let start = std::time::Instant::now();
    for width in [None, Some(80)] {
        let text = render(Format::Table, &report, width, false);
        assert!(text.len() < 20_000, "{}", text.len());
    }
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let text = render(Format::Table, &samples::many_findings(), Some(80), false);
    assert!(text.contains("… and 15 more findings"), "{text}");
    assert_eq!(text.matches("unknown-global").count(), 10);
}

#[test]
fn a_writer_that_fails_is_an_error() {
    for &format in Format::ALL {
        let error = format
            .render(&samples::mixed(), &mut Full, &Style::default())
            .unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }
}
