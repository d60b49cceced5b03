//! Prints the `.pkasm` source of a file: `cargo run -p pickleproof-corpus --example disassemble FILE`

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        let source = pickleproof_corpus::disassemble(&std::fs::read(path)?);
        std::io::stdout().write_all(source.as_bytes())?;
    }
    Ok(())
}
