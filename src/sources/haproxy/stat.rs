//! What `show stat` says about the servers of one backend.

use crate::domain::{Fault, FaultKind};

/// One server of a backend.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// The weight that it is set to, 0…256: the operator's, not the one lowered by a slow start.
    pub weight: u32,
    /// Whether it takes traffic: up, or not checked.
    pub is_up: bool,
    /// The status in HAProxy's word: `UP`, `DOWN`, `MAINT`, `no check`.
    pub status: String,
    /// Requests so far: answers counted, or sessions where none are.
    pub requests: u64,
}

/// The servers of a backend, in their order.
///
/// # Errors
/// It is not the answer of `show stat`, or there is no such backend.
pub fn servers(answer: &str, backend: &str) -> Result<Vec<Server>, Fault> {
    let unreadable = |words: String| Fault::new(FaultKind::Unreadable, words);
    let Some(table) = answer.trim_start().strip_prefix("# ") else {
        return Err(unreadable(format!(
            "this is no answer to `show stat`: {}",
            crate::domain::text::excerpt(answer)
        )));
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(table.as_bytes());
    let heads = reader.headers().map_err(|error| unreadable(format!("`show stat`: {error}")))?.clone();
    let column = |name: &str| heads.iter().position(|head| head == name);
    let (Some(proxy), Some(server)) = (column("pxname"), column("svname")) else {
        return Err(unreadable("`show stat` names no proxies and servers".into()));
    };
    let weight = column("uweight").or_else(|| column("weight"));
    let codes = ["hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other"].map(column);
    let (status, sessions) = (column("status"), column("stot"));
    let mut found = Vec::new();
    let mut known = false;
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(format!("`show stat`: {error}")))?;
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).unwrap_or_default();
        let count = |at: Option<usize>| cell(at).parse::<u64>().ok();
        if cell(Some(proxy)) != backend {
            continue;
        }
        known = true;
        let name = cell(Some(server));
        if ["FRONTEND", "BACKEND"].contains(&name) {
            continue;
        }
        let status = cell(status);
        let answers: Vec<u64> = codes.iter().filter_map(|&at| count(at)).collect();
        let requests = if answers.is_empty() { count(sessions) } else { Some(answers.iter().sum()) };
        found.push(Server {
            name: name.to_owned(),
            weight: cell(weight).parse().unwrap_or(0),
            is_up: status.starts_with("UP") || status == "no check",
            status: crate::domain::text::clean_name(status),
            requests: requests.unwrap_or(0),
        });
    }
    if known {
        return Ok(found);
    }
    Err(Fault::new(FaultKind::Absent, format!("HAProxy has no backend {backend}"))
        .advise("check [[haproxy]] backend"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str = include_str!("../../../fixtures/haproxy/show-stat.csv");

    #[test]
    fn servers_of_a_real_answer() {
        let servers = servers(REAL, "bc").unwrap();
        let seen: Vec<_> = servers.iter().map(|s| (s.name.as_str(), s.weight, s.is_up, s.requests)).collect();
        assert_eq!(seen, [("v1", 75, true, 30), ("v2", 25, true, 10)]);
    }

    #[test]
    fn what_is_not_there_is_a_fault() {
        assert_eq!(servers(REAL, "nobody").unwrap_err().kind, FaultKind::Absent);
        assert_eq!(servers("Unknown command", "bc").unwrap_err().kind, FaultKind::Unreadable);
        assert_eq!(servers("# a,b\n", "bc").unwrap_err().kind, FaultKind::Unreadable);
        let short = servers("# pxname,svname\nbc,v1\n", "bc").unwrap();
        assert_eq!((short[0].weight, short[0].is_up), (0, false));
    }
}
