//! Turns the named secrets of a config into a header. The secret itself never enters an error or a log.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::config::{Access, Auth, Secret};
use crate::domain::{Fault, FaultKind};

/// A secret's command that takes longer is ended.
const COMMAND_DEADLINE: Duration = Duration::from_secs(10);

/// The header that proves who we are, marked as sensitive.
pub fn header(access: &Access) -> Result<Option<(HeaderName, HeaderValue)>, Fault> {
    let Some(auth) = &access.auth else { return Ok(None) };
    let (name, text) = match auth {
        Auth::Basic { user, password } => {
            let pair = format!("{user}:{}", resolve(password)?);
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
            (AUTHORIZATION, format!("Basic {encoded}"))
        }
        Auth::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", resolve(token)?)),
        Auth::Header { name, value } => {
            let parsed = name.parse().map_err(|_| {
                Fault::new(FaultKind::Denied, format!("`{name}` is no name of a header"))
                    .advise("correct access.auth.header.name")
            })?;
            (parsed, resolve(value)?)
        }
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| {
        Fault::new(FaultKind::Denied, "the secret holds characters that no header may hold")
            .advise("look for line breaks inside the secret")
    })?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

fn resolve(secret: &Secret) -> Result<String, Fault> {
    let text = match secret {
        Secret::Env(name) => std::env::var(name).map_err(|_| {
            Fault::new(FaultKind::Denied, format!("the environment variable {name} is not set"))
                .advise("set it, or change access.auth in the config")
        })?,
        Secret::File(path) => std::fs::read_to_string(path).map_err(|error| {
            Fault::new(FaultKind::File, format!("cannot read the secret in {}: {error}", path.display()))
                .advise("check the path and who may read it")
        })?,
        Secret::Command(command) => run(command)?,
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn run(command: &str) -> Result<String, Fault> {
    let wrong = |what: String| {
        Fault::new(FaultKind::Denied, what)
            .advise("run the command of access.auth by hand and see what it says")
    };
    let child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(|error| wrong(format!("cannot run the secret's command: {error}")))?;
    let mut pipe = child.stdout.take();
    // Read aside, so that a command with much to say does not wait for us.
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(pipe) = &mut pipe {
            // An unreadable output is an empty one, and is reported as such.
            let _ = pipe.take(64 * 1024).read_to_string(&mut text);
        }
        text
    });
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => break,
            Ok(Some(status)) => return Err(wrong(format!("the secret's command ended with {status}"))),
            Ok(None) if begun.elapsed() < COMMAND_DEADLINE => std::thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                // Already gone is as good as killed.
                let _ = child.kill();
                let _ = child.wait();
                return Err(wrong("the secret's command did not end within 10 s".into()));
            }
            Err(error) => return Err(wrong(format!("lost the secret's command: {error}"))),
        }
    }
    match reader.join() {
        Ok(text) if !text.trim().is_empty() => Ok(text),
        _ => Err(wrong("the secret's command printed nothing".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(secret: Secret) -> Result<HeaderValue, Fault> {
        let access = Access { auth: Some(Auth::Bearer(secret)), ca_file: None };
        header(&access).map(|header| header.unwrap().1)
    }

    #[test]
    fn secrets_come_from_file_and_command() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "hunter2\n").unwrap();
        assert_eq!(bearer(Secret::File(path)).unwrap(), "Bearer hunter2");
        let value = bearer(Secret::Command("echo hunter2".into())).unwrap();
        assert_eq!(value, "Bearer hunter2");
        assert!(!format!("{value:?}").contains("hunter2"), "sensitive headers hide themselves");
    }

    #[test]
    fn a_missing_secret_is_a_clear_fault() {
        let fault = bearer(Secret::Env("WARDROOM_NO_SUCH_VARIABLE".into())).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Denied);
        assert!(fault.detail.contains("WARDROOM_NO_SUCH_VARIABLE"), "{fault}");
        let fault = bearer(Secret::Command("echo hunter2; exit 3".into())).unwrap_err();
        assert!(!fault.to_string().contains("hunter2"), "{fault}");
    }

    #[test]
    fn basic_is_encoded() {
        let password = Secret::Command("printf pass".into());
        let access = Access { auth: Some(Auth::Basic { user: "user".into(), password }), ca_file: None };
        assert_eq!(header(&access).unwrap().unwrap().1, "Basic dXNlcjpwYXNz");
    }
}
