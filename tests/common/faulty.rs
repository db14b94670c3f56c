//! A server on loopback that misbehaves in one chosen way, or answers as Prometheus and Alertmanager do.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How a server misbehaves.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Answers as a Prometheus without series and an Alertmanager without alerts do.
    Well,
    /// Accepts and never answers.
    Hung,
    /// Sends its headers a byte at a time, for ever.
    SlowHeaders,
    /// Sends its body a byte at a time, for ever.
    Drip,
    /// Promises more than it sends.
    CutShort,
    /// Sends without end.
    Endless,
    /// Says at once that it will send a gigabyte.
    Huge,
    /// Closes without an answer.
    Closes,
    /// Sends what is no HTTP.
    Garbage,
    /// Always the same answer: status line, content type, body.
    Says(&'static str, &'static str, &'static str),
    /// Redirects to this address.
    Redirects(&'static str),
    /// Wants this bearer token, and then is well.
    Wants(&'static str),
}

/// The first byte of a client that speaks TLS.
const TLS_HANDSHAKE: u8 = 0x16;

/// Starts the server; it ends with the test's runtime. Gives back its base URL.
pub async fn serve(manner: Manner) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let manner = manner.clone();
            // A client that goes away is what these tests are about.
            tokio::spawn(async move {
                let _ = talk(stream, manner).await;
            });
        }
    });
    base
}

/// A port on which nothing listens.
pub async fn refused() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// A well-behaved server with a certificate of the private CA in `fixtures/tls`.
pub fn serve_tls() -> String {
    wardroom::sources::http::install_tls();
    let chain = vec![CertificateDer::from_pem_file("fixtures/tls/server.pem").unwrap()];
    let key = PrivateKeyDer::from_pem_file("fixtures/tls/server-key.pem").unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = rustls::StreamOwned::new(session, stream);
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && std::io::Read::read_exact(&mut tls, &mut byte).is_ok() {
                request.push(byte[0]);
            }
            if let Some((path, _)) = parse(&request) {
                let (status, kind, body) = well(&path);
                let _ = tls.write_all(answer(status, kind, body, "connection: close\r\n").as_bytes());
                tls.conn.send_close_notify();
                let _ = tls.flush();
            }
        }
    });
    base
}

async fn talk(mut stream: TcpStream, manner: Manner) -> std::io::Result<()> {
    if matches!(manner, Manner::Hung) {
        return std::future::pending().await;
    }
    if matches!(manner, Manner::Closes) {
        return Ok(());
    }
    while let Some(request) = read_request(&mut stream).await? {
        if request.first() == Some(&TLS_HANDSHAKE) {
            return stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
        let Some((path, token)) = parse(&request) else { return Ok(()) };
        match &manner {
            Manner::Hung | Manner::Closes => {}
            Manner::Well => {
                let (status, kind, body) = well(&path);
                stream.write_all(answer(status, kind, body, "").as_bytes()).await?;
            }
            Manner::Wants(wanted) if token.as_deref() == Some(wanted) => {
                let (status, kind, body) = well(&path);
                stream.write_all(answer(status, kind, body, "").as_bytes()).await?;
            }
            Manner::Wants(_) => {
                let text = answer("401 Unauthorized", "text/plain", "Unauthorized", "");
                stream.write_all(text.as_bytes()).await?;
            }
            Manner::Says(status, kind, body) => {
                stream.write_all(answer(status, kind, body, "").as_bytes()).await?;
            }
            Manner::Redirects(to) => {
                let more = format!("location: {to}\r\n");
                stream.write_all(answer("302 Found", "text/html", "", &more).as_bytes()).await?;
            }
            Manner::SlowHeaders => return drip(&mut stream, "HTTP/1.1 200 OK\r\nx-slow: ").await,
            Manner::Drip => {
                let head =
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n";
                return drip(&mut stream, head).await;
            }
            Manner::CutShort => {
                let head =
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n";
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(br#"{"status":"success","data":"#).await?;
                stream.shutdown().await?;
                return Ok(());
            }
            Manner::Endless => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n[";
                stream.write_all(head.as_bytes()).await?;
                loop {
                    stream.write_all(&[b' '; 4096]).await?;
                }
            }
            Manner::Huge => {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n";
                stream.write_all(head.as_bytes()).await?;
                return std::future::pending().await;
            }
            Manner::Garbage => {
                stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\x00\x01\x02").await?;
                return Ok(());
            }
        }
    }
    Ok(())
}

async fn drip(stream: &mut TcpStream, head: &str) -> std::io::Result<()> {
    stream.write_all(head.as_bytes()).await?;
    loop {
        stream.write_all(b"x").await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The head of the next request; none when the client has gone.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).await? == 0 || request.len() > 65_536 {
            return Ok(None);
        }
        request.push(byte[0]);
        if request == [TLS_HANDSHAKE] {
            break;
        }
    }
    Ok(Some(request))
}

/// Path and bearer token of a request.
fn parse(request: &[u8]) -> Option<(String, Option<String>)> {
    let text = String::from_utf8_lossy(request);
    let path = text.split(' ').nth(1)?.to_owned();
    let token = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let bearer = value.trim().strip_prefix("Bearer ")?;
        name.eq_ignore_ascii_case("authorization").then(|| bearer.to_owned())
    });
    Some((path, token))
}

fn well(path: &str) -> (&'static str, &'static str, &'static str) {
    const JSON: &str = "application/json";
    let bodies = [
        (
            "time%28%29",
            r#"{"status":"success","data":{"resultType":"scalar","result":[1795205372.8,"1795205372.8"]}}"#,
        ),
        ("/api/v1/query", r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#),
        ("/api/v1/label/", r#"{"status":"success","data":[]}"#),
        ("/api/v1/targets", r#"{"status":"success","data":{"activeTargets":[]}}"#),
        ("/api/v1/alerts", r#"{"status":"success","data":{"alerts":[]}}"#),
        ("/api/v2/", "[]"),
    ];
    match bodies.iter().find(|(part, _)| path.contains(part)) {
        Some((_, body)) => ("200 OK", JSON, body),
        None => ("404 Not Found", "text/plain", "404 page not found"),
    }
}

fn answer(status: &str, kind: &str, body: &str, more: &str) -> String {
    let kind = if kind.is_empty() { String::new() } else { format!("content-type: {kind}\r\n") };
    format!("HTTP/1.1 {status}\r\n{kind}{more}content-length: {}\r\n\r\n{body}", body.len())
}
