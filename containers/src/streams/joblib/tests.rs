use pickleproof_core::{End, ErrorKind, Options};

use crate::{Format, Loader, Member, streams};

/// The state of a wrapper, piece by piece.
#[derive(Clone, Copy)]
struct Wrapper {
    class: &'static [u8],
    new: &'static [u8],
    shape: &'static [u8],
    code: &'static [u8],
    copy: &'static [u8],
    dtype: &'static [u8],
    alignment: &'static [u8],
}

const WRAPPER: Wrapper = Wrapper {
    class: b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n",
    new: b")\x81",
    shape: b"K\x02\x85",
    code: b"X\x02\0\0\0i2",
    copy: b"\x88",
    dtype: b"(K\x03X\x01\0\0\0<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb",
    alignment: b"X\x1b\0\0\0numpy_array_alignment_bytesK\x10",
};

const CALL: &[u8] = b"cos\nsystem\nVecho pickleproof\n\x85R";

impl Wrapper {
    fn bytes(self) -> Vec<u8> {
        [
            self.class,
            self.new,
            b"}(X\x05\0\0\0shape",
            self.shape,
            b"X\x05\0\0\0dtypecnumpy\ndtype\n",
            self.code,
            b"\x89",
            self.copy,
            b"\x87R",
            self.dtype,
            self.alignment,
            b"ub",
        ]
        .concat()
    }
}

fn file(parts: &[&[u8]]) -> Vec<u8> {
    [&b"\x80\x02"[..], &WRAPPER.bytes()]
        .into_iter()
        .chain(parts.iter().copied())
        .collect::<Vec<_>>()
        .concat()
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    start: usize,
    consumed: usize,
    loader: Loader,
    error: Option<ErrorKind>,
    others: Vec<Loader>,
    unread: Vec<String>,
}

fn see(bytes: &[u8]) -> Vec<Seen> {
    let member = Member {
        location: "sample",
        format: Format::Pickle,
        loader: Loader::PickleLoad,
        bytes,
        partial: None,
        depth: 0,
        top: true,
    };
    let mut seen = Vec::new();
    streams(&member, &Options::default(), &mut |stream| {
        seen.push(Seen {
            start: stream.trace.start,
            consumed: stream.trace.consumed,
            loader: stream.loader,
            error: match stream.trace.end {
                End::Broken(error) => Some(error.kind),
                End::Stop { .. } | End::Limit { .. } => None,
            },
            others: stream.others.iter().map(|other| other.loader).collect(),
            unread: stream
                .unread
                .into_iter()
                .map(|unread| unread.reason)
                .collect(),
        });
    });
    seen
}

fn whole(bytes: &[u8]) -> Seen {
    Seen {
        start: 0,
        consumed: bytes.len(),
        loader: Loader::JoblibLoad,
        error: None,
        others: Vec::new(),
        unread: Vec::new(),
    }
}

#[test]
fn an_array_is_read_and_the_stream_goes_on_behind_it() {
    let bytes = file(&[b"\x03\xff\xff\xffdata", b"."]);
    assert_eq!(see(&bytes), [whole(&bytes)]);
    let bytes = file(&[b"\0data", b"."]);
    assert_eq!(see(&bytes), [whole(&bytes)]);
}

#[test]
fn a_wrapper_without_an_array_is_everyones() {
    let bytes = b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n.";
    let expected = Seen {
        loader: Loader::PickleLoad,
        ..whole(bytes)
    };
    assert_eq!(see(bytes), [expected]);
}

#[test]
fn data_that_is_cut_off_breaks_the_stream() {
    for rest in [&b""[..], b"\0", b"\0dat", b"\xffdata."] {
        let bytes = file(&[rest]);
        let seen = see(&bytes);
        assert_eq!(seen[0].error, Some(ErrorKind::ShortData), "{rest:?}");
        assert_eq!(seen[0].loader, Loader::JoblibLoad);
    }
}

#[test]
fn an_array_of_objects_is_a_stream_of_its_own() {
    let wrapper = Wrapper {
        code: b"X\x02\0\0\0O8",
        dtype: b"(K\x03X\x01\0\0\0|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb",
        ..WRAPPER
    };
    let head = [&b"\x80\x02"[..], &wrapper.bytes()].concat();
    let bytes = [&head[..], CALL, b".", b"."].concat();
    let inner = Seen {
        start: head.len(),
        consumed: bytes.len() - 1,
        loader: Loader::PickleLoad,
        ..whole(&bytes)
    };
    assert_eq!(see(&bytes), [whole(&bytes), inner]);
    // Where it breaks, joblib does too.
    let bytes = [&head[..], b"0."].concat();
    assert_eq!(see(&bytes)[0].error, Some(ErrorKind::StackUnderflow));
}

#[test]
fn who_runs_the_data_is_a_stranger() {
    let mut padding = vec![u8::try_from(CALL.len()).unwrap()];
    padding.extend(CALL);
    // The length of the padding is no opcode: everyone stops there.
    let bytes = file(&[&padding, b"data", b"."]);
    assert_eq!(see(&bytes)[0].others, []);
    let rest = [b'X'; 99 - 31];
    let bytes = file(&[CALL, b".", &rest, b"data", b"."]);
    let seen = see(&bytes);
    assert_eq!(seen[0].others, [Loader::PickleLoad]);
    assert_eq!((seen[0].consumed, seen[0].error), (bytes.len(), None));
}

#[test]
fn what_joblib_does_not_write_is_not_guessed_at() {
    for (what, wrapper) in [
        (
            "negative",
            Wrapper {
                shape: b"J\xff\xff\xff\xff\x85",
                ..WRAPPER
            },
        ),
        (
            "no tuple",
            Wrapper {
                shape: b"C\x01\x02",
                ..WRAPPER
            },
        ),
        (
            "no number",
            Wrapper {
                shape: b"N\x85",
                ..WRAPPER
            },
        ),
        (
            "a number",
            Wrapper {
                shape: b"K\x02",
                ..WRAPPER
            },
        ),
        (
            "larger than",
            Wrapper {
                shape: b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86",
                ..WRAPPER
            },
        ),
        (
            "dtype",
            Wrapper {
                code: b"X\x05\0\0\0float",
                ..WRAPPER
            },
        ),
        (
            "dtype",
            Wrapper {
                code: b"X\x02\0\0\0U2",
                copy: b"\x89",
                ..WRAPPER
            },
        ),
        (
            "dtype",
            Wrapper {
                dtype: b"(K\x03NNNNNNNtb",
                ..WRAPPER
            },
        ),
        (
            "dtype",
            Wrapper {
                dtype: b"}b",
                ..WRAPPER
            },
        ),
        (
            "dtype",
            Wrapper {
                code: b"X\x01\0\0\0V",
                dtype: b"",
                ..WRAPPER
            },
        ),
        (
            "odd way",
            Wrapper {
                new: b"N\x85R",
                ..WRAPPER
            },
        ),
        (
            "odd way",
            Wrapper {
                class: b"cjoblib\nnumpy_pickle.NumpyArrayWrapper\n",
                ..WRAPPER
            },
        ),
    ] {
        let bytes = [&b"\x80\x02"[..], &wrapper.bytes(), b"\0data."].concat();
        let seen = see(&bytes);
        assert_eq!(seen[0].error, Some(ErrorKind::UnclearData), "{what}");
        assert_eq!(seen[0].unread.len(), 1, "{what}");
    }
}

#[test]
fn an_array_in_another_file_is_said() {
    let bytes = b"\x80\x02cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}X\x08\0\0\0filenameX\x05\0\0\0a.npysb.";
    let seen = see(bytes);
    assert_eq!((seen[0].error, seen[0].loader), (None, Loader::JoblibLoad));
    assert!(seen[0].unread[0].contains("'a.npy'"), "{seen:?}");
}
