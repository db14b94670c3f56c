//! Real requests through the cluster's data plane, counted by version.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use super::stage::Stage;

/// A server that answers every request with 200; it lives as long as the tests.
pub fn backend() -> String {
    answering(|_| 200)
}

/// A server whose answer's status depends on the request's path.
pub fn answering(status: impl Fn(&str) -> u16 + Send + 'static) -> String {
    answering_at("127.0.0.1", status)
}

/// The same at one of this machine's addresses.
pub fn answering_at(address: &str, status: impl Fn(&str) -> u16 + Send + 'static) -> String {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let asked = head(&mut stream);
            let path = asked.split(' ').nth(1).unwrap_or_default().to_owned();
            let code = status(&path);
            let _ = write!(stream, "HTTP/1.1 {code} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
        }
    });
    address
}

/// The whole request: a body that is not read would reset the connection.
pub fn head(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut part = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return text,
            Ok(n) => all.extend_from_slice(&part[..n]),
        }
    }
}

/// One request; the body of the answer.
pub fn get(base: &str, path: &str) -> String {
    let address = base.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

/// The data plane of the lab; nothing without it.
pub fn plane(cluster: &Stage) -> Option<String> {
    let found = crate::cluster::lab_key(&cluster.kubeconfig, "kube_plane");
    if found.is_none() {
        crate::cluster::skip("the shares are not measured: no data plane beside the kubeconfig");
    }
    found
}

/// Successful requests of a Service by version, so far.
fn counts(plane: &str, namespace: &str, service: &str) -> BTreeMap<String, u64> {
    let page = get(plane, &format!("/metrics/{namespace}/{service}"));
    let mut counts = BTreeMap::new();
    for line in page
        .lines()
        .filter(|line| line.starts_with("inference_requests_total") && line.contains("code=\"200\""))
    {
        let version = line.split("version=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let count: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        *counts.entry(version.to_owned()).or_default() += count as u64;
    }
    counts
}

/// Sends `n` requests to a Service and gives how many each version answered.
pub fn measured(plane: &str, namespace: &str, service: &str, n: u64) -> BTreeMap<String, u64> {
    let before = counts(plane, namespace, service);
    for _ in 0..n {
        get(plane, &format!("/svc/{namespace}/{service}/x"));
    }
    let mut after = counts(plane, namespace, service);
    for (version, count) in &mut after {
        *count -= before.get(version).copied().unwrap_or(0);
    }
    after.retain(|_, count| *count > 0);
    after
}

/// Whether `k` of `n` fits a share, within five standard deviations: wrong once in a million runs.
pub fn fits(k: u64, n: u64, percent: f64) -> bool {
    let (k, n, p) = (k as f64, n as f64, percent / 100.0);
    (k - n * p).abs() <= 5.0 * (n * p * (1.0 - p)).sqrt()
}
