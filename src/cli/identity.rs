//! Who sits here: the user of the operating system, the machine, and where the session came from.

use crate::domain::act::Who;
use crate::domain::text::clean;

/// Who acts from this process; `by`: `room` or `command line`.
pub fn who(by: &str) -> Who {
    Who {
        user: clean(&user(), 60),
        origin: clean(&origin(), 100),
        host: clean(&host(), 60),
        identity: String::new(),
        by: by.into(),
    }
}

/// The name of the real user: the account that runs this process, not what a variable says. Behind sudo, who
/// called it is named too.
fn user() -> String {
    let uid = rustix::process::getuid().as_raw();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = named(&accounts, uid).unwrap_or_else(|| format!("uid {uid}"));
    match std::env::var("SUDO_USER") {
        Ok(caller) if !caller.is_empty() && caller != name => format!("{name} (sudo by {caller})"),
        _ => name,
    }
}

fn named(accounts: &str, uid: u32) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// The address of the SSH client.
fn origin() -> String {
    let connection = std::env::var("SSH_CONNECTION").unwrap_or_default();
    connection.split_whitespace().next().unwrap_or_default().to_owned()
}

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().split('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_found_by_its_number() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\n# odd\nkim:x:1000:1000::/home/kim:/bin/sh\n";
        assert_eq!(named(accounts, 1000).as_deref(), Some("kim"));
        assert_eq!(named(accounts, 5), None);
    }
}
