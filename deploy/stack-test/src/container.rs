//! What one container is.

use serde_json::Value;

/// What `docker inspect` says of a container.
#[derive(Debug, Clone)]
pub struct Container(pub Value);

impl Container {
    /// Such as `user`.
    pub fn service(&self) -> &str {
        self.text("/Config/Labels/com.docker.compose.service")
    }

    /// The whole id.
    pub fn id(&self) -> &str {
        self.text("/Id")
    }

    /// `running`, `exited`, …
    pub fn state(&self) -> &str {
        self.text("/State/Status")
    }

    /// `healthy`, `starting`, `unhealthy`; `None` when it has no health check.
    pub fn health(&self) -> Option<&str> {
        self.0.pointer("/State/Health/Status")?.as_str()
    }

    /// A number somewhere in the description.
    pub fn number(&self, pointer: &str) -> i64 {
        self.0
            .pointer(pointer)
            .and_then(Value::as_i64)
            .unwrap_or_else(|| panic!("no number at {pointer}"))
    }

    /// A text somewhere in the description.
    pub fn text(&self, pointer: &str) -> &str {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("no text at {pointer}"))
    }

    /// Resident memory of its first process in bytes, as the kernel counts it.
    pub fn resident(&self) -> u64 {
        let status = format!("/proc/{}/status", self.number("/State/Pid"));
        let status = std::fs::read_to_string(status).expect("the process runs on this machine");
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kilobytes.expect("VmRSS in kB") * 1024
    }
}
