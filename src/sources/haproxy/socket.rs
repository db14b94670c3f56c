//! One question to HAProxy's admin socket, over a path or over HOST:PORT.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::domain::{Fault, FaultKind};

/// An admin socket.
#[derive(Debug, Clone)]
pub struct Socket {
    place: String,
    deadline: Duration,
    max_bytes: u64,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing was sent.
    Before(Fault),
    /// It was sent, or a part of it: HAProxy may have done it.
    After(Fault),
}

impl Trouble {
    /// What is wrong, wherever it happened.
    pub fn fault(self) -> Fault {
        match self {
            Self::Before(fault) | Self::After(fault) => fault,
        }
    }
}

impl Socket {
    /// A socket at a path (with a slash) or at `HOST:PORT`; `deadline` holds for a whole question.
    pub fn new(place: &str, deadline: Duration, max_bytes: u64) -> Self {
        Self { place: place.to_owned(), deadline, max_bytes }
    }

    /// Where it is.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The deadline of one question.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Sends one command and reads until HAProxy closes.
    ///
    /// # Errors
    /// Whether something was sent, and what is wrong.
    pub async fn ask(&self, command: &str) -> Result<String, Trouble> {
        if command.contains(['\n', '\r', ';']) {
            let words = "a name in the command would end it; check the config";
            return Err(Trouble::Before(Fault::new(FaultKind::Refused, words)));
        }
        if self.place.contains('/') {
            let stream = self.connected(UnixStream::connect(&self.place)).await?;
            self.exchange(stream, command).await
        } else {
            let stream = self.connected(TcpStream::connect(&self.place)).await?;
            self.exchange(stream, command).await
        }
    }

    async fn connected<S>(&self, connect: impl Future<Output = io::Result<S>>) -> Result<S, Trouble> {
        match timeout(self.deadline, connect).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                let kind = match error.kind() {
                    io::ErrorKind::PermissionDenied => FaultKind::Denied,
                    _ => FaultKind::Down,
                };
                let fault = Fault::new(kind, format!("{}: {error}", self.place));
                Err(Trouble::Before(
                    fault.advise("is HAProxy running, and may this user open its stats socket?"),
                ))
            }
            Err(_) => Err(Trouble::Before(self.hung())),
        }
    }

    async fn exchange(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        command: &str,
    ) -> Result<String, Trouble> {
        let line = format!("{command}\n");
        let work = async {
            stream.write_all(line.as_bytes()).await?;
            let mut answer = Vec::new();
            (&mut stream).take(self.max_bytes + 1).read_to_end(&mut answer).await?;
            Ok::<_, io::Error>(answer)
        };
        let broken =
            |kind, words: String| Trouble::After(Fault::new(kind, format!("{}: {words}", self.place)));
        match timeout(self.deadline, work).await {
            Err(_) => Err(Trouble::After(self.hung())),
            Ok(Err(error)) => Err(broken(FaultKind::CutShort, format!("the connection broke: {error}"))),
            Ok(Ok(answer)) if answer.len() as u64 > self.max_bytes => Err(broken(
                FaultKind::TooLarge,
                "the answer is larger than allowed; raise max_answer_mib".into(),
            )),
            // Every answer of HAProxy ends in an empty line; without it the process died in between.
            Ok(Ok(answer)) if !answer.ends_with(b"\n") => {
                Err(broken(FaultKind::CutShort, "closed without an answer".into()))
            }
            Ok(Ok(answer)) => Ok(String::from_utf8_lossy(&answer).into_owned()),
        }
    }

    fn hung(&self) -> Fault {
        let limit = self.deadline.as_secs_f64();
        Fault::new(FaultKind::Hung, format!("{}: no answer within {limit} s", self.place))
            .advise("is the process stopped or overloaded? else raise its timeout")
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answering(answer: &'static [u8]) -> Socket {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 64];
            let _ = stream.read(&mut asked).await;
            stream.write_all(answer).await.unwrap();
        });
        Socket::new(&place, Duration::from_secs(5), 64)
    }

    #[tokio::test]
    async fn an_answer_and_its_ends() {
        assert_eq!(answering(b"yes\n\n").await.ask("show info").await, Ok("yes\n\n".into()));
        let cut = answering(b"").await.ask("set server a/b weight 1").await;
        assert!(matches!(cut, Err(Trouble::After(fault)) if fault.kind == FaultKind::CutShort));
        let long = answering(&[b'x'; 65]).await.ask("show stat").await;
        assert!(matches!(long, Err(Trouble::After(fault)) if fault.kind == FaultKind::TooLarge));
    }

    #[tokio::test]
    async fn nothing_is_sent_to_nobody_and_no_name_ends_a_command() {
        let nobody = Socket::new("/nowhere/haproxy.sock", Duration::from_secs(1), 64);
        assert!(matches!(nobody.ask("show stat").await, Err(Trouble::Before(_))));
        assert!(
            matches!(nobody.ask("set server a/b;shutdown").await, Err(Trouble::Before(fault)) if fault.kind == FaultKind::Refused)
        );
    }

    #[tokio::test]
    async fn a_silent_socket_is_hung_after_sending() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let socket = Socket::new(&place, Duration::from_millis(50), 64);
        assert!(
            matches!(socket.ask("show stat").await, Err(Trouble::After(fault)) if fault.kind == FaultKind::Hung)
        );
    }
}
