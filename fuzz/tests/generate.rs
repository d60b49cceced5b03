//! Generated streams are what they are said to be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use pickleproof_core::{
    Decoder, Dialect, Encoding, End, Environment, Machine, Opcode, OutOfBand, Version,
};
use pickleproof_fuzz::generate::{Faults, Generator, Options};

fn options(faults: Faults) -> Options {
    Options {
        faults,
        buffers: 2,
        extensions: vec![1, 300, 70_000],
        ..Options::default()
    }
}

fn loader() -> pickleproof_core::Options {
    let name = |code, module: &str, name: &str| (code, module.to_owned(), name.to_owned());
    pickleproof_core::Options {
        encoding: Encoding::Ascii,
        environment: Environment::Exact,
        persistent_load: true,
        buffers: Some(vec![
            OutOfBand::Writable(vec![0; 2]),
            OutOfBand::ReadOnly(vec![0; 2]),
        ]),
        extensions: vec![
            name(1, "em", "en"),
            name(300, "m", "n"),
            name(70_000, "p", "q"),
        ],
        ..pickleproof_core::Options::default()
    }
}

fn end(stream: &[u8]) -> End {
    Machine::new(stream, 0, loader()).run().end
}

#[test]
fn without_faults_a_loader_accepts_every_stream() {
    let mut generator = Generator::new(1, options(Faults::None));
    for _ in 0..20_000 {
        let stream = generator.stream();
        let end = end(&stream);
        assert!(
            matches!(end, End::Stop { .. }),
            "{end:?}: {}",
            pickleproof_corpus::disassemble(&stream)
        );
    }
}

#[test]
fn faults_break_some_streams_and_many_faults_most() {
    for (faults, accepted) in [(Faults::Some, 4000..9000), (Faults::Many, 100..3000)] {
        let mut generator = Generator::new(2, options(faults));
        let count = (0..10_000)
            .filter(|_| matches!(end(&generator.stream()), End::Stop { .. }))
            .count();
        println!("{faults:?}: {count} of 10000 are accepted");
        assert!(accepted.contains(&count), "{faults:?}: {count}");
    }
}

#[test]
fn every_opcode_and_every_protocol_turns_up() {
    let mut generator = Generator::new(3, options(Faults::None));
    let mut opcodes: BTreeMap<Opcode, usize> = BTreeMap::new();
    let mut protocols = BTreeSet::new();
    for _ in 0..20_000 {
        let stream = generator.stream();
        let mut decoder = Decoder::new(&stream, 0, Dialect::C, Version::CLASSIC);
        protocols.insert((stream.first() == Some(&0x80)).then(|| stream.get(1).copied()));
        while let Ok(instruction) = decoder.read() {
            *opcodes.entry(instruction.opcode).or_default() += 1;
            if instruction.opcode == Opcode::Stop {
                break;
            }
        }
    }
    for opcode in Opcode::ALL {
        let count = opcodes.get(&opcode).copied().unwrap_or(0);
        assert!(count >= 100, "{opcode} turns up {count} times");
    }
    for protocol in 0..=5 {
        assert!(protocols.contains(&Some(Some(protocol))), "{protocol}");
    }
    assert!(protocols.contains(&None));
}

#[test]
fn a_stream_depends_on_seed_and_options_only() {
    for seed in 0..100 {
        let make = || Generator::new(seed, options(Faults::Many)).stream();
        assert_eq!(make(), make());
    }
    let streams: BTreeSet<_> = (0..100)
        .map(|seed| Generator::new(seed, options(Faults::None)).stream())
        .collect();
    assert!(streams.len() > 95, "seeds give the same streams");
}

#[test]
fn choices_of_an_engine_give_a_stream_that_ends() {
    let choices: Vec<u8> = (0..=255).cycle().take(4000).collect();
    for length in 0..choices.len() {
        let choices = choices.get(..length).unwrap();
        let stream = Generator::from_bytes(choices, options(Faults::None)).stream();
        assert!(matches!(end(&stream), End::Stop { .. }));
    }
}

#[test]
fn generating_is_fast() {
    let mut generator = Generator::new(4, options(Faults::Some));
    let begin = Instant::now();
    let bytes: usize = (0..100_000).map(|_| generator.stream().len()).sum();
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "100000 streams of {} bytes in {seconds:.2} s",
        bytes / 100_000
    );
}
