//! `pickleproof dis`: the instructions of the pickles in a file.

use std::io;

use pickleproof_core::Options;
use pickleproof_reports::dis::{self, Form};
use pickleproof_reports::escape;

use crate::args::DisArgs;
use crate::map::Bytes;
use crate::output::{complain, to_stdout};
use crate::status::Status;

pub(crate) fn run(args: &DisArgs) -> Status {
    let (name, bytes) = if args.file.as_os_str() == "-" {
        ("-".to_owned(), Bytes::of_reader(io::stdin().lock()))
    } else {
        (escape::path(&args.file), Bytes::of_file(&args.file))
    };
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => {
            complain(format_args!("{name}: {error}"));
            return Status::Incomplete;
        }
    };
    if let Some(offset) = args.offset.filter(|offset| *offset >= bytes.len()) {
        let length = bytes.len();
        complain(format_args!("{name}: has {length} bytes, none at {offset}"));
        return Status::Nothing;
    }
    let mut listed = 0;
    let written = to_stdout(|out| {
        listed = dis::list(&name, &bytes, &options(args), out)?;
        Ok(())
    });
    if written.is_err() {
        return Status::Incomplete;
    }
    if listed == 0 {
        complain(format_args!(
            "{name}: no pickle found; --offset 0 lists its bytes as one all the same"
        ));
        return Status::Nothing;
    }
    Status::Clean
}

fn options(args: &DisArgs) -> dis::Options {
    dis::Options {
        machine: Options {
            dialect: args.dialect,
            version: args.python,
            reader: args.reader.reader(),
            ..Options::default()
        },
        form: if args.json { Form::Json } else { Form::Text },
        stack: args.stack,
        annotate: args.annotate,
        full: args.full,
        offset: args.offset,
        ..dis::Options::default()
    }
}
