//! Why an answer cannot be followed further.

use crate::{Command, WireError};

/// A packet that does not belong where it came. The connection is out of step: it should be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrackError {
    /// The packet has no payload.
    #[error("empty packet in the answer to {}", name(*.0))]
    Empty(Command),
    /// The command has no answer.
    #[error("answer to {}, which has none", name(*.0))]
    NoReply(Command),
    /// The answer was complete.
    #[error("packet behind the end of the answer to {}", name(*.0))]
    Finished(Command),
    /// The first byte (or the length) fits nothing that may come here.
    #[error("packet starting 0x{first:02x} in the answer to {} where {expected} should be",
        name(*.command))]
    Unexpected {
        /// The command that is answered.
        command: Command,
        /// First byte of the packet.
        first: u8,
        /// What may come here.
        expected: &'static str,
    },
    /// The packet is of the right kind but broken.
    #[error(transparent)]
    Malformed(#[from] WireError),
}

fn name(command: Command) -> String {
    command.name().map_or_else(|| format!("command 0x{:02x}", command.0), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_command() {
        let error = TrackError::Unexpected {
            command: Command::QUERY,
            first: 0xfe,
            expected: "OK, ERR or a column count",
        };
        assert_eq!(
            error.to_string(),
            "packet starting 0xfe in the answer to COM_QUERY where OK, ERR or a column count should be"
        );
        assert_eq!(
            TrackError::Finished(Command(0x99)).to_string(),
            "packet behind the end of the answer to command 0x99"
        );
    }
}
