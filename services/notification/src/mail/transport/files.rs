//! Letters as files, for a machine without a mail server: any mail program opens them.

use std::io;
use std::path::PathBuf;

use lettre::Message;
use tokio::fs;
use tokio::io::AsyncWriteExt;

use super::Failure;

/// Where the files are put.
#[derive(Debug)]
pub(in crate::mail) struct Folder(PathBuf);

impl Folder {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Writes `{name}.eml`, whole or not at all; the same letter again takes its own place.
    pub(super) async fn write(&self, name: &str, message: &Message) -> Result<(), Failure> {
        self.put(name, &message.formatted()).await.map_err(|error| {
            tracing::warn!(
                event = "mail.folder_failed",
                %error,
                "a letter cannot be written to mail.folder"
            );
            Failure::of_server("unwritable")
        })
    }

    async fn put(&self, name: &str, letter: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.0).await?;
        let temporary = self.0.join(format!("{name}.tmp"));
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // It may hold the token of a link.
        #[cfg(unix)]
        options.mode(0o600);
        let mut file = options.open(&temporary).await?;
        file.write_all(letter).await?;
        file.flush().await?;
        drop(file);
        fs::rename(temporary, self.0.join(format!("{name}.eml"))).await
    }
}
