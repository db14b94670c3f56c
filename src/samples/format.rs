//! An opened file, and which format it is in.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::SampleError;

/// What a file may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// CSV with this separator; `None`: by its header line.
    Delimited(Option<u8>),
    /// One JSON object a line.
    Lines,
    Parquet,
}

/// A regular file, open.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    pub(super) path: &'a Path,
    pub(super) file: File,
    pub(super) metadata: Metadata,
}

impl<'a> Opened<'a> {
    pub(super) fn new(path: &'a Path) -> Result<Self, SampleError> {
        let unreadable = |source| SampleError::Unreadable { path: path.into(), source };
        // Asked before it is opened: to open a pipe would wait for its writer.
        if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(SampleError::NoFile { path: path.into() });
        }
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        Ok(Self { path, file, metadata })
    }

    pub(super) fn len(&self) -> u64 {
        self.metadata.len()
    }

    pub(super) fn check_size(&self, limit: u64) -> Result<(), SampleError> {
        match self.len() {
            0 => Err(SampleError::Empty { path: self.path.into() }),
            bytes if bytes > limit => Err(self.too_large(0, bytes, limit)),
            _ => Ok(()),
        }
    }

    pub(super) fn too_large(&self, offset: u64, bytes: u64, limit: u64) -> SampleError {
        SampleError::TooLarge { path: self.path.into(), offset, bytes, limit }
    }

    pub(super) fn unreadable(&self, source: std::io::Error) -> SampleError {
        SampleError::Unreadable { path: self.path.into(), source }
    }

    /// By the extension, or else by the first bytes.
    pub(super) fn format(&mut self) -> Result<Format, SampleError> {
        let extension = self.path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        Ok(match extension.as_deref() {
            Some("csv") => Format::Delimited(None),
            Some("tsv") => Format::Delimited(Some(b'\t')),
            Some("jsonl" | "ndjson" | "json") => Format::Lines,
            Some("parquet") => Format::Parquet,
            _ => {
                let start = self.part(0, 64)?;
                let text = without_bom(&start).trim_ascii_start();
                match start.as_slice() {
                    [b'P', b'A', b'R', b'1', ..] => Format::Parquet,
                    [0x1f, 0x8b, ..] => return Err(self.packed("gzip")),
                    [0x28, 0xb5, 0x2f, 0xfd, ..] => return Err(self.packed("zstd")),
                    [b'P', b'K', 3, 4, ..] => return Err(self.packed("zip")),
                    _ if matches!(text.first(), Some(b'{' | b'[')) => Format::Lines,
                    _ => Format::Delimited(None),
                }
            }
        })
    }

    fn packed(&self, kind: &'static str) -> SampleError {
        SampleError::Packed { path: self.path.into(), kind }
    }

    /// At most `bytes` bytes from `offset` on.
    pub(super) fn part(&mut self, offset: u64, bytes: u64) -> Result<Vec<u8>, SampleError> {
        let mut part = Vec::new();
        self.append_part(offset, bytes, &mut part)?;
        Ok(part)
    }

    /// [`Opened::part`], put behind what is in `part`; gives how many bytes came.
    pub(super) fn append_part(
        &mut self,
        offset: u64,
        bytes: u64,
        part: &mut Vec<u8>,
    ) -> Result<usize, SampleError> {
        // Reserved once: `take` does not know how much will come.
        let there = self.len().saturating_sub(offset).min(bytes);
        part.reserve(usize::try_from(there).unwrap_or(0).saturating_add(1));
        let read = self
            .file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.by_ref().take(bytes).read_to_end(part));
        read.map_err(|source| self.unreadable(source))
    }

    /// The whole file, even if it grows while it is read.
    pub(super) fn all(&mut self, limit: u64) -> Result<Vec<u8>, SampleError> {
        let bytes = self.part(0, limit.saturating_add(1))?;
        match bytes.len() as u64 {
            0 => Err(SampleError::Empty { path: self.path.into() }),
            read if read > limit => Err(self.too_large(0, read, limit)),
            _ => Ok(bytes),
        }
    }

    /// Device, inode: another file by the same name has others.
    pub(super) fn identity(&self) -> (u64, u64) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            (self.metadata.dev(), self.metadata.ino())
        }
        #[cfg(not(unix))]
        {
            (0, 0)
        }
    }
}

/// The mark some programs put before UTF-8.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

pub(super) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}
