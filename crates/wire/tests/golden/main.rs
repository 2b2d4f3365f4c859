//! Packets as the original Lua bindings of the host read and write them, compared with ours.
//!
//! `data/proto-cases.jsonl` holds observed calls: `from_*` decodes a packet, `to_*` encodes one,
//! `mysql.password` does the arithmetic of a login. Where this crate deviates on purpose the case
//! is listed with what it gives here instead.

mod case;
mod packets;
mod passwords;
mod statements;
