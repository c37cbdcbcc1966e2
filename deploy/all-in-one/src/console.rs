//! What the person at the terminal reads: whole lines, each with the name of who says it.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

/// Wide enough for the longest name, `notification`.
const NAME_WIDTH: usize = 12;

/// Standard output, line by line; clones write to the same place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    coloured: bool,
}

impl Console {
    /// Colours only on a terminal, and only when wanted.
    pub(crate) fn new(no_color: bool) -> Self {
        Self {
            coloured: !no_color && std::io::stdout().is_terminal(),
        }
    }

    /// Whether a person is likely to be watching.
    pub(crate) fn is_terminal() -> bool {
        std::io::stdout().is_terminal()
    }

    /// One line of `speaker`.
    pub(crate) fn line(self, speaker: &str, line: impl Display) {
        if self.coloured {
            let colour = colour_of(speaker);
            Self::write(&format!(
                "\x1b[{colour}m{speaker:NAME_WIDTH$} |\x1b[0m {line}\n"
            ));
        } else {
            Self::write(&format!("{speaker:NAME_WIDTH$} | {line}\n"));
        }
    }

    /// Several lines as they are.
    pub(crate) fn block(text: &str) {
        Self::write(text);
    }

    /// In one piece, so that lines of several speakers do not mix.
    fn write(text: &str) {
        let mut out = std::io::stdout().lock();
        // Whoever read our output may have gone (`| head`); the platform runs on without a reader.
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .ok();
    }
}

/// ANSI foreground colours, one per service; our own lines are bright.
fn colour_of(speaker: &str) -> u8 {
    match speaker {
        "user" => 36,
        "course" => 33,
        "notification" => 35,
        _ => 1,
    }
}
