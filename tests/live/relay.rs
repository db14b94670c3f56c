//! A relay of bytes in front of a server: it can go dumb, and be cut.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Passes bytes on, TLS and all.
pub struct Relay {
    /// Where it listens.
    pub port: u16,
    /// Whether nothing goes through.
    pub dumb: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    /// A relay in front of this server, `https://HOST:PORT`.
    pub fn to(server: &str) -> Self {
        let target = server.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let dumb = Arc::new(AtomicBool::new(false));
        let connections: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let (mute, all) = (Arc::clone(&dumb), Arc::clone(&connections));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(upstream) = TcpStream::connect(&target) else { continue };
                all.lock().unwrap().extend([client.try_clone().unwrap(), upstream.try_clone().unwrap()]);
                for (from, to) in
                    [(client.try_clone().unwrap(), upstream.try_clone().unwrap()), (upstream, client)]
                {
                    let mute = Arc::clone(&mute);
                    std::thread::spawn(move || pass(from, to, &mute));
                }
            }
        });
        Self { port, dumb, connections }
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, dumb: &AtomicBool) {
    let mut buffer = [0_u8; 16_384];
    while let Ok(count) = from.read(&mut buffer) {
        // Half-open: both sides believe in the connection, and nothing goes through.
        while dumb.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(20));
        }
        if count == 0 || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}
