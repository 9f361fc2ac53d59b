//! The real binary as a child process, on free ports, with a market whose buyers are simulated here.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Simulated buyers: on this machine, without TLS.
pub(crate) const LOCAL: &str = "plain_http = true\nallow = [{ network = \"127.0.0.0/8\" }]\n";

/// A running engine; killed when dropped.
pub(crate) struct Gavel {
    child: Child,
    pub(crate) public: SocketAddr,
    pub(crate) ops: SocketAddr,
    pub(crate) management: SocketAddr,
}

impl Gavel {
    /// Writes a configuration into `dir`, starts the binary and waits until it says where it listens.
    pub(crate) fn start(dir: &Path, market: &str) -> Self {
        Self::start_reaching(dir, market, LOCAL)
    }

    /// The same with another `[delivery]`.
    pub(crate) fn start_reaching(dir: &Path, market: &str, delivery: &str) -> Self {
        Self::start_as(Command::new(env!("CARGO_BIN_EXE_gavel")), dir, (market, delivery))
    }

    /// The same with everything that the engine says kept in `dir`, as `stdout` and `stderr`.
    pub(crate) fn start_kept(dir: &Path, market: &str) -> Self {
        let mut shell = Command::new("sh");
        // The process itself stays ours to signal: what it says goes through a pipe beside it.
        let script = "mkfifo \"$1\"/pipe; tee \"$1\"/stdout <\"$1\"/pipe & \
                      d=$1; shift; exec \"$0\" \"$@\" >\"$d\"/pipe 2>\"$d\"/stderr";
        shell.args(["-c", script, env!("CARGO_BIN_EXE_gavel")]).arg(dir);
        Self::start_as(shell, dir, (market, LOCAL))
    }

    /// The same with variables in its environment.
    pub(crate) fn start_with_env(dir: &Path, market: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gavel"));
        command.envs(variables.iter().copied());
        Self::start_as(command, dir, (market, LOCAL))
    }

    /// The same with a largest file size, which [`Gavel::lift_file_limit`] lifts: a disk that is full
    /// and then has room again.
    pub(crate) fn start_with_file_limit(dir: &Path, market: &str, bytes: u64) -> Self {
        let mut shell = Command::new("sh");
        // Ignored, the signal turns into an error of the write.
        let script = format!("trap '' XFSZ; exec prlimit --fsize={bytes}:unlimited \"$0\" \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_gavel")]);
        Self::start_as(shell, dir, (market, LOCAL))
    }

    /// Gives the disk room again.
    pub(crate) fn lift_file_limit(&self) {
        let pid = self.child.id().to_string();
        let lifted = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &pid]).status();
        assert!(lifted.unwrap().success());
    }

    fn start_as(mut command: Command, dir: &Path, (market, delivery): (&str, &str)) -> Self {
        std::fs::write(dir.join("market.toml"), market).unwrap();
        let config = "[public]\nlisten = \"127.0.0.1:0\"\n[ops]\nlisten = \"127.0.0.1:0\"\n[management]\nlisten = \"127.0.0.1:0\"\noperators.ada = { keys = [\"demo-operator\"] }\n[data]\ndir = \"data\"\n[market]\nfiles = [\"market.toml\"]\n[suppressions]\ndo-not-contact = \"do-not-contact.txt\"\n[delivery]\n";
        let config = format!("{config}{delivery}");
        std::fs::write(dir.join("do-not-contact.txt"), "blocked@example.org\n644 999-888\n")
            .unwrap();
        std::fs::write(dir.join("gavel.toml"), config).unwrap();
        let mut child = command
            .args(["serve", "--config"])
            .arg(dir.join("gavel.toml"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let [public, ops, management] = loop {
            let line = lines.next().expect("the engine ended before it served").unwrap();
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["message"] == "serving" {
                let at = |field: &str| event[field].as_str().unwrap().parse().unwrap();
                break ["public", "ops", "management"].map(at);
            }
        };
        // Nobody may block on a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, public, ops, management }
    }

    /// The process, as the system calls it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the engine to drain and waits for its end.
    pub(crate) fn terminate(mut self) -> std::process::ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        wait(&mut self.child, Duration::from_secs(20))
    }

    /// Ends the process at once, as a crash would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Gavel {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits for a child with a bound.
#[expect(clippy::disallowed_methods, reason = "a real process is waited for in real time")]
pub(crate) fn wait(child: &mut Child, most: Duration) -> std::process::ExitStatus {
    let until = Instant::now() + most;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(Instant::now() < until, "the process did not end within {most:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// One request on a connection of its own: status and JSON body (or text).
pub(crate) async fn call(to: SocketAddr, request: Request<Full<Bytes>>) -> (u16, Value) {
    let stream = TcpStream::connect(to).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let task = tokio::spawn(connection);
    let reply = sender.send_request(request).await.unwrap();
    let status = reply.status().as_u16();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    task.abort();
    let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
    (status, serde_json::from_slice(&body).unwrap_or_else(|_| text()))
}

/// A JSON request.
pub(crate) fn request(
    method: &str,
    path: &str,
    (name, value): (&str, &str),
    body: &Value,
) -> Request<Full<Bytes>> {
    let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "gavel.test")
        .header("content-type", "application/json")
        .header(name, value)
        .body(Full::new(bytes))
        .unwrap()
}
