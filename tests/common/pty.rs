//! Drives the real program in a pseudo-terminal, and looks at the emulated screen.
#![allow(dead_code, reason = "not every test file ends a room in every way")]

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything may take before a test fails. Long, because nothing waits for it when all is well.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A program in a pseudo-terminal.
pub struct Session {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    pub child: Box<dyn Child + Send + Sync>,
    bytes: Receiver<Vec<u8>>,
    reader: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    parser: vt100::Parser,
    /// Its home: what one room keeps is none of another test's business.
    _home: tempfile::TempDir,
    /// Every byte that the program wrote.
    pub raw: Vec<u8>,
}

impl Session {
    /// Starts the program with these words and variables. The environment is otherwise bare.
    pub fn start(words: &[&str], size: (u16, u16), variables: &[(&str, &str)]) -> Self {
        Self::start_by(&[&[env!("CARGO_BIN_EXE_wardroom")], words].concat(), size, variables)
    }

    /// Starts any program.
    pub fn start_by(words: &[&str], (cols, rows): (u16, u16), variables: &[(&str, &str)]) -> Self {
        let pair =
            native_pty_system().openpty(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(words[0]);
        command.args(&words[1..]);
        command.env_clear();
        let home = tempfile::tempdir().unwrap();
        for (key, value) in
            [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin"), ("USER", "sre")]
        {
            command.env(key, value);
        }
        command.env("HOME", home.path());
        command.cwd(home.path());
        for (key, value) in variables {
            command.env(key, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let (sender, bytes) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0u8; 65_536];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || sender.send(buffer[..n].to_vec()).is_err() || stopped.load(Ordering::SeqCst) {
                    return;
                }
            }
        });
        let parser = vt100::Parser::new(rows, cols, 0);
        Self {
            master: Some(pair.master),
            writer: Some(writer),
            child,
            bytes,
            reader: Some(reader),
            stop,
            parser,
            _home: home,
            raw: Vec::new(),
        }
    }

    fn take_in(&mut self, wait: Duration) {
        if let Ok(bytes) = self.bytes.recv_timeout(wait) {
            self.parser.process(&bytes);
            self.raw.extend_from_slice(&bytes);
            while let Ok(bytes) = self.bytes.try_recv() {
                self.parser.process(&bytes);
                self.raw.extend_from_slice(&bytes);
            }
        }
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// Whether the program is on the alternate screen.
    pub fn is_alternate(&self) -> bool {
        self.parser.screen().alternate_screen()
    }

    /// Waits until the screen is as wanted.
    pub fn wait_for(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !wanted(&self.screen()) {
            assert!(Instant::now() < end, "waited in vain for {what}; the screen is\n{}", self.screen());
            self.take_in(Duration::from_millis(50));
        }
    }

    /// Waits until the screen holds a text.
    pub fn wait_text(&mut self, text: &str) {
        self.wait_for(&format!("`{text}`"), |screen| screen.contains(text));
    }

    /// Takes in what comes until nothing has come for a moment, or the screen moves on and on.
    pub fn settle(&mut self) {
        let end = Instant::now() + Duration::from_secs(2);
        let mut before = 0;
        while self.raw.len() != before && Instant::now() < end {
            before = self.raw.len();
            self.take_in(Duration::from_millis(150));
        }
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        let writer = self.writer.as_mut().unwrap();
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
    }

    /// Changes the size of the terminal.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().unwrap().resize(size).unwrap();
        self.parser.screen_mut().set_size(rows.max(1), cols.max(1));
    }

    /// Sends a signal to the program.
    pub fn signal(&self, name: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        let status = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(status.success());
    }

    /// The terminal vanishes: every descriptor of its other side is closed when this returns. The reading
    /// side closes with the next bytes, and a live room writes some every second.
    pub fn vanish(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.writer = None;
        self.master = None;
        self.reader.take().unwrap().join().unwrap();
    }

    /// Waits for the end, and gives the exit code and how long it took.
    pub fn end(&mut self) -> (u32, Duration) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let took = begun.elapsed();
                self.take_in(Duration::from_millis(100));
                return (status.exit_code(), took);
            }
            assert!(begun.elapsed() < PATIENCE, "the program does not end; the screen is\n{}", self.screen());
            self.take_in(Duration::from_millis(5));
        }
    }

    /// Everything that was switched on is switched off again.
    pub fn assert_given_back(&self) {
        let text = String::from_utf8_lossy(&self.raw);
        let place =
            |wanted: &str| text.rfind(wanted).unwrap_or_else(|| panic!("{wanted:?} was never written"));
        assert!(place("\x1b[?1049l") > place("\x1b[?1049h"), "the alternate screen is left");
        assert!(place("\x1b[?25h") > place("\x1b[?25l"), "the cursor is shown");
        assert!(place("\x1b[?2004l") > place("\x1b[?2004h"), "bracketed paste is off");
        assert!(!self.is_alternate());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
