//! What happened, as a number that two runs can compare, and as text when a run is looked at.

use engine::{Awaits, Effect, Outcome, Then};

/// FNV-1a over all events and effects.
#[derive(Debug)]
pub struct Log {
    pub hash: u64,
    /// Events handed to engines.
    pub events: u64,
    /// Prints everything, to look at one input.
    pub verbose: bool,
}

/// Tells how long it took to find what is broken.
impl Drop for Log {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("an invariant is broken after {} events of this input", self.events);
        }
    }
}

impl Log {
    pub fn new(verbose: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, events: 0, verbose }
    }

    pub fn note(&mut self, words: &[&str]) {
        if self.verbose {
            eprintln!("{}", words.join(" "));
        }
        words.iter().for_each(|word| self.bytes(word.as_bytes()));
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    pub fn effect(&mut self, effect: &Effect<'_>) {
        if self.verbose {
            match effect {
                Effect::Attach(link) => eprintln!("    attach: {}", link.is_some()),
                effect => eprintln!("    {effect:02x?}"),
            }
        }
        match effect {
            Effect::Forward { to, id } => {
                self.bytes(&[1, u8::from(*to == engine::Side::Client), *id])
            }
            Effect::Send { to, id, payload } | Effect::SendPart { to, id, payload } => {
                self.bytes(&[2, u8::from(*to == engine::Side::Client), *id]);
                self.bytes(payload);
            }
            Effect::SendForeign(bytes) => self.bytes(bytes),
            Effect::Attach(link) => self.bytes(&[3, u8::from(link.is_some())]),
            Effect::Flush => self.bytes(&[4]),
            Effect::FlushServer => self.bytes(&[5]),
            Effect::Discard(_) => self.bytes(&[6]),
            Effect::Look(_) => self.bytes(&[7]),
            Effect::Trim => self.bytes(&[8]),
            Effect::StartTls(side) => self.bytes(&[9, u8::from(*side == engine::Side::Client)]),
            Effect::Compress { side, .. } => {
                self.bytes(&[10, u8::from(*side == engine::Side::Client)]);
            }
            Effect::NewExchange(_) => self.bytes(&[11]),
            Effect::Resume { id, outcome } => {
                self.bytes(&id.to_le_bytes());
                self.bytes(&[12, matches!(outcome, Outcome::Answered(_)).into()]);
            }
            Effect::Cancel => self.bytes(&[13]),
        }
    }

    pub fn then(&mut self, then: &Then) {
        let text = match then {
            Then::Ask(ask) => format!("ask {:?}", ask.hook()),
            // What is awaited within an answer is not noted anew for packets that take the short way.
            Then::Await(Awaits::Answer { .. } | Awaits::MoreAnswer) => "await an answer".to_owned(),
            Then::Await(awaits) => format!("await {awaits:?}"),
        };
        self.note(&["   ", &text]);
    }
}
