//! An answer of a server: its status and body, turned into data or into a fault that says what came.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::text::{clean, excerpt};
use crate::domain::{Fault, FaultKind, Time};

/// A complete answer, of any status.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The content type as sent, may be empty.
    pub content_type: String,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// How long it took from asking to the last byte, milliseconds.
    pub took_ms: f64,
    /// The server's clock, to the second.
    pub date: Option<Time>,
    /// Where it redirects to, cleaned.
    pub location: Option<String>,
    /// The path that was asked, cleaned.
    pub asked: String,
    /// The whole address that was asked, without credentials and query.
    pub place: String,
    /// The `Audit-ID` that the server told, cleaned.
    pub audit_id: Option<String>,
}

impl Answer {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The answer when its status is 2xx, else the fault that status and body make.
    pub fn ok(self) -> Result<Self, Fault> {
        if self.is_success() { Ok(self) } else { Err(self.fault()) }
    }

    /// The body as JSON. A page where data should be is [`FaultKind::Lying`], data that ends in the middle
    /// [`FaultKind::CutShort`], anything else [`FaultKind::Unreadable`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        self.refuse_page()?;
        serde_json::from_slice(&self.body).map_err(|error| {
            let (kind, what) = match (self.body.is_empty(), error.is_eof()) {
                (true, _) => (FaultKind::Unreadable, "an empty body instead of JSON".to_owned()),
                (_, true) => (FaultKind::CutShort, format!("the JSON ends in the middle: {error}")),
                _ => (FaultKind::Unreadable, format!("not the JSON that was expected: {error}")),
            };
            Fault::new(kind, format!("{}: {what}", self.place))
        })
    }

    /// The body as text, with control characters; clean it before it is shown.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A fault when an HTML page came where data should be.
    pub fn refuse_page(&self) -> Result<(), Fault> {
        if !self.is_page() {
            return Ok(());
        }
        let detail = format!("{}: a web page{} instead of data", self.place, titled(&self.text()));
        Err(Fault::new(FaultKind::Lying, detail)
            .advise("a login page or a proxy answers here: check the url and access.auth"))
    }

    /// Whether the body is a web page, by its content type or its first characters.
    pub fn is_page(&self) -> bool {
        let start: String = self
            .body
            .iter()
            .skip_while(|byte| byte.is_ascii_whitespace())
            .take(14)
            .map(|&b| char::from(b))
            .collect();
        let start = start.to_ascii_lowercase();
        self.content_type.starts_with("text/html")
            || start.starts_with("<!doctype html")
            || start.starts_with("<html")
    }

    /// The fault that this answer is, whatever its status: for callers that expected another one.
    pub fn fault(&self) -> Fault {
        let said = match self.is_page() {
            true => format!("a web page{}", titled(&self.text())),
            false => error_text(&self.body),
        };
        let said = if said.is_empty() { "an empty body".to_owned() } else { said };
        let Self { status, place, .. } = self;
        let with = |kind, detail: String, remedy: &str| Fault::new(kind, detail).advise(remedy);
        let plain = format!("{place}: status {status}, {said}");
        match status {
            300..=399 => self.redirected(),
            400 if said.contains("HTTP request to an HTTPS server") => {
                with(FaultKind::Tls, plain, "write https:// in the url")
            }
            400 | 405 | 422 => with(FaultKind::Refused, plain, ""),
            403 if said.contains("Invalid Host header") => with(
                FaultKind::Denied,
                plain,
                "start mlflow with --allowed-hosts and this name, or reach it as localhost through a tunnel",
            ),
            401 => {
                with(FaultKind::Denied, plain, "check access.auth: the secret is missing, wrong or expired")
            }
            403 => with(FaultKind::Denied, plain, "the account of access.auth may not read this"),
            407 => with(FaultKind::Denied, plain, "the proxy wants credentials: set HTTPS_PROXY"),
            404 | 410 => with(FaultKind::Absent, plain, "check the url and its path prefix"),
            429 => with(FaultKind::Status, plain, "asked too often: raise its interval"),
            502..=504 if self.is_page() => {
                with(FaultKind::Status, plain, "a proxy in between cannot reach the server")
            }
            503 => with(FaultKind::Status, plain, "starting or overloaded"),
            _ => with(FaultKind::Status, plain, ""),
        }
    }

    fn redirected(&self) -> Fault {
        let target = self.location.as_deref().unwrap_or("nowhere");
        // Queries of login redirects hold state and tokens.
        let target = target.split(['?', '#']).next().unwrap_or_default();
        let detail = format!("{}: status {}, redirects to {target}", self.place, self.status);
        let lower = target.to_ascii_lowercase();
        let login = ["login", "signin", "sign-in", "oauth", "auth", "sso", "saml", "oidc"];
        if login.iter().any(|word| lower.contains(word)) {
            return Fault::new(FaultKind::Denied, detail).advise("it wants a login: set access.auth");
        }
        Fault::new(FaultKind::Lying, detail).advise("write the address that it redirects to in the url")
    }
}

/// What an error body says, whatever its shape: a JSON object of any dialect, a bare JSON string, plain
/// text. Cleaned and cut to 200 characters.
pub fn error_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str::<Value>(&text) {
        Ok(value) => clean(&spoken(&value).unwrap_or_else(|| value.to_string()), 200),
        Err(_) => excerpt(&text),
    }
}

/// The words of a JSON error: the first known field, looked for in depth.
fn spoken(value: &Value) -> Option<String> {
    const FIELDS: [&str; 8] =
        ["error", "message", "detail", "msg", "error_message", "errors", "reason", "title"];
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let words: Vec<String> = items.iter().take(3).filter_map(spoken).collect();
            (!words.is_empty()).then(|| words.join("; "))
        }
        Value::Object(fields) => {
            let words = FIELDS.iter().find_map(|name| fields.get(*name).and_then(spoken))?;
            let code =
                ["error_code", "errorType", "type"].iter().find_map(|name| fields.get(*name)?.as_str());
            Some(match code {
                Some(code) if !words.contains(code) => format!("{code}: {words}"),
                _ => words,
            })
        }
        _ => None,
    }
}

/// The title of a page in words: ` "Sign in"`; empty without one.
fn titled(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|start| {
        let rest = page.get(start + 7..)?;
        let end = lower.get(start + 7..)?.find("</title>")?;
        rest.get(..end)
    });
    title.map(|title| format!(" \"{}\"", clean(title, 60))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        let (content_type, place) = (content_type.to_owned(), "http://h".to_owned());
        Answer { status, content_type, body: body.as_bytes().to_vec(), place, ..Answer::default() }
    }

    #[test]
    fn errors_of_every_shape_are_readable() {
        for (body, words) in [
            (r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#, "bad_data: parse error"),
            (r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no x"}"#, "RESOURCE_DOES_NOT_EXIST: no x"),
            (r#""bad matcher format: x""#, "bad matcher format: x"),
            (
                r#"{"detail":[{"loc":["body"],"msg":"field required","type":"missing"}]}"#,
                "missing: field required",
            ),
            (r#"{"detail":"Not Found"}"#, "Not Found"),
            (r#"{"code":404,"message":"path was not found"}"#, "path was not found"),
            (r#"{"error":{"message":"deep"}}"#, "deep"),
            ("404 page not found\n", "404 page not found"),
            ("\u{1b}[31mred", "[31mred"),
            ("", ""),
            (r#"{"odd":1}"#, r#"{"odd":1}"#),
        ] {
            assert_eq!(error_text(body.as_bytes()), words);
        }
    }

    #[test]
    fn statuses_have_their_words() {
        let html = "<html><head><title>502 Bad Gateway</title></head>";
        for (status, content_type, body, kind, word) in [
            (400, "application/json", r#""bad""#, FaultKind::Refused, "bad"),
            (400, "", "Client sent an HTTP request to an HTTPS server.", FaultKind::Tls, "https://"),
            (401, "", "", FaultKind::Denied, "access.auth"),
            (
                403,
                "text/plain",
                "Invalid Host header - possible DNS rebinding",
                FaultKind::Denied,
                "--allowed-hosts",
            ),
            (404, "", "", FaultKind::Absent, "empty body"),
            (404, "text/html", "<html>", FaultKind::Absent, "web page"),
            (502, "text/html", html, FaultKind::Status, "502 Bad Gateway"),
            (503, "text/plain", "Service Unavailable", FaultKind::Status, "starting"),
        ] {
            let fault = answer(status, content_type, body).ok().unwrap_err();
            assert_eq!(fault.kind, kind, "{status}");
            assert!(fault.to_string().contains(word), "{fault}");
        }
    }

    #[test]
    fn a_page_with_200_is_a_lie() {
        let page = answer(200, "text/html; charset=utf-8", "<!DOCTYPE html><title>Sign in</title>");
        let fault = page.ok().unwrap().json::<Value>().unwrap_err();
        assert_eq!(fault.kind, FaultKind::Lying);
        assert!(fault.detail.contains("Sign in"), "{fault}");
        let disguised = answer(200, "application/json", "  <html>");
        assert_eq!(disguised.json::<Value>().unwrap_err().kind, FaultKind::Lying);
    }

    #[test]
    fn broken_json_is_told_from_wrong_json() {
        let kind = |body| answer(200, "application/json", body).json::<Vec<u8>>().unwrap_err().kind;
        assert_eq!(kind("[1,2"), FaultKind::CutShort);
        assert_eq!(kind("{}"), FaultKind::Unreadable);
        assert_eq!(kind(""), FaultKind::Unreadable);
    }

    #[test]
    fn redirects_to_a_login_are_denied_without_their_query() {
        let location = Some("https://sso.example/login?state=hunter2".into());
        let fault = Answer { location, ..answer(302, "", "") }.ok().unwrap_err();
        assert_eq!(fault.kind, FaultKind::Denied);
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }
}
