//! Follows a file that grows: reads only what is new and keeps the last rows.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::columnar::{self, Span};
use super::delimited::Header;
use super::format::{Format, Opened};
use super::lines::{At, Lines};
use super::{Options, SampleError, Window};

/// How much is read at a time.
const CHUNK: u64 = 1 << 20;
/// How many of the last bytes read are kept, to tell that the file was written anew.
const TAIL: usize = 64;

/// Follows a file of samples and keeps its last rows.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    options: Options,
    window: Window,
    /// Device and inode of the file that is followed.
    identity: Option<(u64, u64)>,
    /// A Parquet file's identity, length and time of change when it was read.
    seen: Option<((u64, u64), u64, Option<SystemTime>)>,
    /// The window changed since the last answer.
    changed: bool,
    text: Option<Text>,
    at: At,
    tail: Vec<u8>,
}

/// What is known of a text file.
#[derive(Debug, Clone)]
enum Text {
    Delimited(Header),
    Lines(Lines),
}

impl Follower {
    /// Follows the file at `path` and keeps its last `window_rows` rows (at least one); the window takes
    /// eight bytes a row and column. Nothing is read yet, and the file need not be there yet.
    pub fn new(path: impl Into<PathBuf>, window_rows: usize, options: Options) -> Self {
        Self {
            path: path.into(),
            window: Window::new(window_rows),
            options,
            identity: None,
            seen: None,
            changed: false,
            text: None,
            at: At::default(),
            tail: Vec::new(),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last rows read so far.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Reads what was appended since the last time; `None`: nothing was. A line that is not written to its
    /// end waits for the next time. A file that was truncated, replaced or written anew is begun again; a
    /// Parquet file is read again whenever its length or time changed.
    ///
    /// # Errors
    ///
    /// Like [`super::read`], except that an empty text file is no error. The window keeps what was read
    /// until then, and the next call goes on: behind a JSON line that cannot be read, else at the same place.
    pub fn read_new(&mut self) -> Result<Option<&Window>, SampleError> {
        let path = self.path.clone();
        let mut opened = Opened::new(&path)?;
        match opened.format()? {
            Format::Parquet => self.read_columns(opened)?,
            Format::Delimited(separator) => self.read_text(opened, Some(separator))?,
            Format::Lines => self.read_text(opened, None)?,
        }
        Ok(std::mem::take(&mut self.changed).then_some(&self.window))
    }

    /// Forgets everything when the text file is no longer the one that was read.
    fn begin_again_if_other(&mut self, opened: &mut Opened<'_>) -> Result<(), SampleError> {
        let identity = Some(opened.identity());
        let same = self.identity == identity && self.seen.is_none() && opened.len() >= self.at.offset && {
            let start = self.at.offset - self.tail.len() as u64;
            opened.part(start, self.tail.len() as u64)? == self.tail
        };
        if !same {
            self.begin_again();
        }
        self.identity = identity;
        Ok(())
    }

    fn begin_again(&mut self) {
        self.changed |= self.window.rows() > 0;
        self.window = Window::new(self.window.limit());
        (self.text, self.at, self.tail) = (None, At::default(), Vec::new());
        self.seen = None;
    }

    fn read_columns(&mut self, opened: Opened<'_>) -> Result<(), SampleError> {
        let seen = Some((opened.identity(), opened.len(), opened.metadata.modified().ok()));
        if self.seen == seen {
            return Ok(());
        }
        opened.check_size(self.options.max_bytes)?;
        // Into a new window: a file that is being written leaves the old one standing.
        let mut window = Window::new(self.window.limit());
        columnar::read(opened, &self.options, Span::Last(window.limit() as u64), &mut window)?;
        self.begin_again();
        (self.window, self.seen, self.changed) = (window, seen, true);
        Ok(())
    }

    /// `separator` is `None` for JSON lines.
    fn read_text(
        &mut self,
        mut opened: Opened<'_>,
        separator: Option<Option<u8>>,
    ) -> Result<(), SampleError> {
        self.begin_again_if_other(&mut opened)?;
        let mut bytes: Vec<u8> = Vec::new();
        loop {
            let limit = self.options.max_bytes;
            if self.text.is_some() && self.jump(&mut opened)? {
                bytes.clear();
            }
            let wanted = CHUNK.max(bytes.len() as u64);
            let from = self.at.offset + bytes.len() as u64;
            let read = opened.append_part(from, wanted, &mut bytes)?;
            if read == 0 {
                return Ok(());
            }
            if self.text.is_none() {
                let offset = self.begin(&bytes, separator)?;
                self.consume(&mut bytes, offset);
                if self.text.is_some() && self.jump(&mut opened)? {
                    bytes.clear();
                    continue;
                }
            }
            let whole = match &self.text {
                Some(Text::Delimited(header)) => header.whole_rows(&bytes),
                Some(Text::Lines(_)) => bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1),
                None => 0,
            };
            if whole > 0 {
                self.changed = true;
                self.rows(&mut bytes, whole)?;
            }
            if bytes.len() as u64 > limit {
                return Err(opened.too_large(self.at.offset, bytes.len() as u64, limit));
            }
        }
    }

    /// Learns the header; gives how many bytes it took.
    fn begin(&mut self, bytes: &[u8], separator: Option<Option<u8>>) -> Result<usize, SampleError> {
        let Some(separator) = separator else {
            // Part of a mark could be taken for a line: three bytes are no line anyway.
            if bytes.len() < super::format::BOM.len() {
                return Ok(0);
            }
            self.text = Some(Text::Lines(Lines::new(&self.options)));
            return Ok(bytes.len() - super::format::without_bom(bytes).len());
        };
        let read = Header::read(&self.path, bytes, separator, false, &self.options, &mut self.window)?;
        let Some((header, end)) = read else { return Ok(0) };
        self.text = Some(Text::Delimited(header));
        Ok(end)
    }

    /// Takes the first bytes as read, and remembers the last of them.
    fn consume(&mut self, bytes: &mut Vec<u8>, taken: usize) {
        self.remember(bytes.get(..taken).unwrap_or_default());
        bytes.drain(..taken);
        self.at.offset += taken as u64;
    }

    fn remember(&mut self, taken: &[u8]) {
        self.tail.extend_from_slice(taken.get(taken.len().saturating_sub(TAIL)..).unwrap_or_default());
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }

    /// Puts the first `whole` bytes, which are whole rows, into the window.
    fn rows(&mut self, bytes: &mut Vec<u8>, whole: usize) -> Result<(), SampleError> {
        let part = bytes.get(..whole).unwrap_or_default();
        let read = match &mut self.text {
            Some(Text::Delimited(header)) => header.rows(&self.path, part, false, u64::MAX, &mut self.window),
            Some(Text::Lines(lines)) => {
                let before = self.at.offset;
                let read = lines.rows(&self.path, part, &mut self.at, u64::MAX, &mut self.window);
                let taken = usize::try_from(self.at.offset - before).unwrap_or(whole);
                self.at.offset = before;
                self.consume(bytes, taken);
                return read;
            }
            None => Ok(()),
        };
        self.consume(bytes, whole);
        read
    }

    /// Goes on near the file's end when it is behind further than may be read at once.
    fn jump(&mut self, opened: &mut Opened<'_>) -> Result<bool, SampleError> {
        use super::sink::Sink;
        let behind = opened.len().saturating_sub(self.at.offset);
        if behind <= self.options.max_bytes {
            return Ok(false);
        }
        // Behind the next line's end; in CSV a line's end in quotes costs one ragged row here.
        let mut offset = opened.len() - self.options.max_bytes;
        let part = opened.part(offset, self.options.max_bytes.min(CHUNK))?;
        let Some(end) = part.iter().position(|&byte| byte == b'\n') else { return Ok(false) };
        offset += end as u64 + 1;
        let start = offset.saturating_sub(TAIL as u64);
        self.tail = opened.part(start, offset - start)?;
        self.at.offset = offset;
        self.window
            .remark(format!("rows were left out: more than {} bytes were new", self.options.max_bytes));
        Ok(true)
    }
}
