//! A mail server that takes everything and keeps nothing (RFC 5321, without any extension).
//!
//! When no letter has come for a second it says how many have since it last spoke, and when the
//! first and the last of them did. When none has come for a minute it ends.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use lyceum_bench_stage::process::announce;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::wire::now_us;

const SILENCE: Duration = Duration::from_secs(1);
/// Nobody waits longer for the next letter.
const PATIENCE: Duration = Duration::from_mins(1);

/// Serves until nobody comes any more.
pub(crate) fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        announce(Some(&listener.local_addr()?))?;
        let (tell, taken) = mpsc::unbounded_channel();
        let serving = async {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tokio::spawn(serve(stream, tell.clone()));
            }
        };
        tokio::select! {
            ended = serving => ended,
            counted = count(taken) => counted,
        }
    })
}

async fn serve(stream: TcpStream, taken: mpsc::UnboundedSender<u64>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink\r\n").await?;
    let (mut line, mut is_letter) = (Vec::new(), false);
    loop {
        line.clear();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let answer: &[u8] = match (is_letter, &line[..]) {
            (true, b".\r\n") => {
                is_letter = false;
                taken.send(now_us()?)?;
                b"250 taken\r\n"
            }
            (true, _) => continue,
            (false, b"DATA\r\n") => {
                is_letter = true;
                b"354 go on\r\n"
            }
            (false, b"QUIT\r\n") => b"221 bye\r\n",
            (false, _) => b"250 sink\r\n",
        };
        stream.write_all(answer).await?;
    }
}

async fn count(mut taken: mpsc::UnboundedReceiver<u64>) -> Result<()> {
    while let Ok(Some(first_us)) = timeout(PATIENCE, taken.recv()).await {
        let (mut letters, mut last_us) = (1, first_us);
        while let Ok(Some(moment_us)) = timeout(SILENCE, taken.recv()).await {
            letters += 1;
            last_us = moment_us;
        }
        let mut out = std::io::stdout();
        writeln!(
            out,
            "{}",
            serde_json::to_string(&(letters, first_us, last_us))?
        )?;
        out.flush()?;
    }
    Ok(())
}
