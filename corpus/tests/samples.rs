//! The committed samples are what their sources assemble to, and all of them are listed.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pickleproof_core::{Decoder, Dialect, Opcode, Version};
use pickleproof_corpus::{assemble, dictionary, disassemble, folder, samples, source_of};

fn bless() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

/// The manifest's files, read without their bytes: when blessing these may not be there yet.
fn listed() -> Vec<PathBuf> {
    let text = std::fs::read_to_string(folder().join("manifest.toml")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("file = \"")?.strip_suffix('"'))
        .map(|file| folder().join("samples").join(file))
        .collect()
}

#[test]
fn every_sample_is_what_its_source_assembles_to() {
    for path in listed() {
        let source = std::fs::read_to_string(source_of(&path)).unwrap();
        assert!(
            source.starts_with("# "),
            "{}: says not what it is",
            path.display()
        );
        let bytes = assemble(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if bless() {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert_eq!(
            std::fs::read(&path).unwrap(),
            bytes,
            "{}: BLESS=1 rewrites it",
            path.display()
        );
    }
}

#[test]
fn every_file_is_listed_or_a_source_of_one_that_is() {
    let listed = listed();
    let mut expected: BTreeSet<PathBuf> = listed.iter().map(|path| source_of(path)).collect();
    assert_eq!(expected.len(), listed.len(), "two samples have one source");
    expected.extend(listed);
    let found: BTreeSet<PathBuf> = files(&folder().join("samples")).into_iter().collect();
    let odd: Vec<&PathBuf> = found.symmetric_difference(&expected).collect();
    assert!(odd.is_empty(), "listed or there, but not both: {odd:?}");
    assert!(samples().unwrap().len() >= 60);
}

#[test]
fn disassembling_and_assembling_gives_the_same_bytes() {
    for sample in samples().unwrap() {
        let source = disassemble(&sample.bytes);
        assert_eq!(assemble(&source).unwrap(), sample.bytes, "{}", sample.name);
    }
}

#[test]
fn every_opcode_is_in_some_sample() {
    let mut seen = BTreeSet::new();
    for sample in samples().unwrap() {
        let mut decoder = Decoder::new(&sample.bytes, 0, Dialect::C, Version::CLASSIC);
        while let Ok(instruction) = decoder.read() {
            seen.insert(instruction.opcode);
        }
    }
    let missing: Vec<Opcode> = Opcode::ALL
        .into_iter()
        .filter(|opcode| !seen.contains(opcode))
        .collect();
    assert_eq!(missing, []);
}

#[test]
fn the_dictionary_is_that_of_the_opcode_table() {
    let path = folder().join("pickle.dict");
    if bless() {
        std::fs::write(&path, dictionary()).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(path).unwrap(),
        dictionary(),
        "BLESS=1 rewrites it"
    );
}
