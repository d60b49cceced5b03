//! The table of formats. A format is one row here and a test of its bytes in
//! [`recognize`](crate::recognize).

/// What a format means to a scanner of pickles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FormatKind {
    /// A pickle stream.
    Pickle,
    /// Holds other bytes, which are visited as members.
    Container,
    /// A label for data that no pickle loader takes anything from. Only a label: the bytes are
    /// still to be tried as a pickle.
    Inert,
    /// Not known, or able to do more than hold data when it is loaded by its own loader.
    Unknown,
}

macro_rules! formats {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:literal, $kind:ident;)+) => {
        /// What bytes are, judged by the bytes alone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Format {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Format {
            /// All formats, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in reports: lower case, words joined with `-`. Never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What the format means to a scanner of pickles.
            #[must_use]
            pub const fn kind(self) -> FormatKind {
                match self { $(Self::$variant => FormatKind::$kind,)+ }
            }
        }
    };
}

formats! {
    /// No bytes at all.
    Empty, "empty", Inert;
    /// A pickle of protocol 2 or later, by its first two bytes. Older protocols have no signature.
    Pickle, "pickle", Pickle;
    /// A pickle with arrays in it that `joblib` reads. Told by its stream, not by its first bytes.
    Joblib, "joblib", Pickle;
    /// A zip archive that is none of the special ones.
    Zip, "zip", Container;
    /// A zip archive that `torch.save` has written (or one that `torch.load` takes).
    TorchZip, "torch-zip", Container;
    /// A zip archive of `.npy` members, as `numpy.savez` writes it.
    Npz, "npz", Container;
    /// A tar archive.
    Tar, "tar", Container;
    /// A 7z archive: recognised, not read.
    SevenZip, "7z", Container;
    /// A RAR archive: recognised, not read.
    Rar, "rar", Container;
    /// gzip data (RFC 1952).
    Gzip, "gzip", Container;
    /// zlib data (RFC 1950).
    Zlib, "zlib", Container;
    /// `joblib`'s old compressed file: `ZF`, a length in hexadecimal, zlib data.
    JoblibZfile, "joblib-zfile", Container;
    /// bzip2 data.
    Bzip2, "bzip2", Container;
    /// xz data.
    Xz, "xz", Container;
    /// LZMA data with the 13-byte header (`.lzma`).
    Lzma, "lzma", Container;
    /// An LZ4 frame.
    Lz4, "lz4", Container;
    /// A Zstandard frame (RFC 8878).
    Zstd, "zstd", Container;
    /// A `NumPy` array file.
    Npy, "npy", Container;
    /// A safetensors file.
    Safetensors, "safetensors", Inert;
    /// A GGUF model file.
    Gguf, "gguf", Inert;
    /// An HDF5 file. A Keras model in it can hold Python code.
    Hdf5, "hdf5", Unknown;
    /// A Parquet file.
    Parquet, "parquet", Inert;
    /// An Arrow IPC file.
    Arrow, "arrow", Inert;
    /// An `SQLite` database.
    Sqlite, "sqlite", Inert;
    /// A PNG image.
    Png, "png", Inert;
    /// A JPEG image.
    Jpeg, "jpeg", Inert;
    /// A GIF image.
    Gif, "gif", Inert;
    /// A Windows bitmap.
    Bmp, "bmp", Inert;
    /// A WebP image.
    Webp, "webp", Inert;
    /// A TIFF image.
    Tiff, "tiff", Inert;
    /// A WAVE file.
    Wav, "wav", Inert;
    /// Another RIFF file.
    Riff, "riff", Inert;
    /// An MP4 or other ISO base media file.
    Mp4, "mp4", Inert;
    /// A PDF document, which can hold scripts of its own.
    Pdf, "pdf", Unknown;
    /// An ELF executable or library.
    Elf, "elf", Unknown;
    /// A Windows executable or library.
    Pe, "pe", Unknown;
    /// A Mach-O executable or library.
    MachO, "mach-o", Unknown;
    /// A WebAssembly module.
    Wasm, "wasm", Unknown;
    /// Compiled Python (`.pyc`), which runs when it is imported.
    PythonBytecode, "python-bytecode", Unknown;
    /// A pointer to a file in Git LFS: the file itself was not fetched.
    GitLfsPointer, "git-lfs-pointer", Inert;
    /// JSON text, by how it begins and ends.
    Json, "json", Inert;
    /// Text, by its first bytes. Pickles of protocol 0 are text too.
    Text, "text", Inert;
    /// Nothing that is known.
    Data, "data", Unknown;
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
