//! What a server answers to commands.

use wire::connect::ChangeUser;
use wire::reply::StatusFlags;
use wire::statement::statement_id;
use wire::{Capabilities, Command, query_attributes};

use super::choices::Choices;
use super::packets::{self, Packet};
use super::server::{Phase, Source, State};

impl State {
    pub(super) fn answer(&mut self, packet: &Packet, source: Source, input: &mut Choices<'_>) {
        let capabilities = self.capabilities;
        let answer = match Command(self.command) {
            Command::STMT_CLOSE => {
                if let Some(id) = statement_id(&packet.payload) {
                    self.statements.remove(&id);
                }
                Vec::new()
            }
            Command::STMT_SEND_LONG_DATA => Vec::new(),
            Command::QUIT => {
                self.hung_up = true;
                let says_so = input.chance(32);
                if says_so { vec![packets::eof(StatusFlags::empty())] } else { Vec::new() }
            }
            Command::QUERY if source == Source::Proxy && packets::prepares(&packet.payload) => {
                match packets::cells_asked_for(&packet.payload) {
                    _ if input.chance(16) => vec![packets::err()],
                    Some(cells) => packets::one_row(cells, capabilities),
                    None => vec![packets::ok(StatusFlags::AUTOCOMMIT, capabilities, input)],
                }
            }
            Command::QUERY if self.is_malformed(packet, source) => vec![packets::err()],
            Command::STMT_EXECUTE if input.chance(64) => packets::cursor(capabilities),
            Command::QUERY
            | Command::PROCESS_INFO
            | Command::STMT_EXECUTE
            | Command::STMT_BULK_EXECUTE => return self.query(input),
            _ if input.chance(24) => vec![packets::err()],
            Command::FIELD_LIST => packets::fields(capabilities, input),
            Command::STMT_PREPARE => self.prepare(&packet.payload, input),
            Command::STMT_FETCH => packets::fetched(capabilities, input),
            Command::STATISTICS => vec![b"Uptime: 1".to_vec()],
            Command::BINLOG_DUMP | Command::BINLOG_DUMP_GTID => {
                let mut events = vec![b"\0event".to_vec(); input.below(4)];
                events.push(packets::eof(StatusFlags::empty()));
                events
            }
            Command::CHANGE_USER => {
                self.user_by_script |= source == Source::Proxy;
                return match ChangeUser::parse(&packet.payload, capabilities) {
                    Ok(change) => {
                        self.method = change.auth_plugin.unwrap_or_default();
                        self.ask_or_decide(change.username, true, input);
                    }
                    Err(_) => self.say(vec![packets::err()]),
                };
            }
            command => {
                if command == Command::RESET_CONNECTION {
                    self.used_by = None;
                    self.statements.clear();
                }
                vec![packets::ok(packets::status(input), capabilities, input)]
            }
        };
        self.say(answer);
    }

    fn prepare(&mut self, payload: &[u8], input: &mut Choices<'_>) -> Vec<Vec<u8>> {
        // The number of the connection is in it: no other one has the same.
        self.given += 1;
        self.statements.insert(self.given, payload.get(1..).unwrap_or_default().to_vec());
        packets::prepared(self.given, self.capabilities, input)
    }

    /// The statement that a client executes is the one that it prepared, whatever its number is here.
    pub(super) fn check_statement(&self, payload: &[u8]) {
        // The number 0 is none.
        let Some(id) = statement_id(payload).filter(|id| !self.lied && *id != 0) else { return };
        let told = super::client::mark_of_execution(payload);
        let Some(text) = self.statements.get(&id) else {
            assert!(told.is_none(), "no statement: {payload:02x?}");
            return;
        };
        let prepared = text.last();
        let is_marked = text.len() > packets::STATEMENT.len();
        assert!(
            !is_marked || told.is_none() || told == prepared.copied(),
            "another statement is executed: {payload:02x?}, and prepared is {text:02x?}"
        );
    }

    /// Whether a query has no attributes that can be read, though it ought to have: the proxy puts them in front of what a
    /// script queues.
    fn is_malformed(&self, packet: &Packet, source: Source) -> bool {
        let is_agreed = self.capabilities.contains(Capabilities::QUERY_ATTRIBUTES);
        let argument = packet.payload.get(1..).unwrap_or_default();
        let is_malformed = is_agreed && query_attributes::split(argument).is_err();
        assert!(
            !is_malformed || source != Source::Proxy || self.lied,
            "a query of a script without attributes: {packet:?}"
        );
        is_malformed
    }

    /// The results of a query, the last of which may be a request for a file.
    pub(super) fn query(&mut self, input: &mut Choices<'_>) {
        loop {
            let more = input.chance(40);
            let mut status = packets::status(input);
            if more {
                status |= StatusFlags::MORE_RESULTS_EXISTS;
            }
            match input.byte() {
                0..=99 => self.say(vec![packets::ok(status, self.capabilities, input)]),
                100..=199 => {
                    let results = packets::result_set(self.capabilities, status, input);
                    let failed = results.last().is_some_and(|last| last.first() == Some(&0xff));
                    self.say(results);
                    if failed {
                        return;
                    }
                }
                200..=205 => {
                    self.say(vec![b"\xff\xff\xff\x01\x01\x02\x10\x27\x00\x04copy".to_vec()]);
                    continue;
                }
                206..=230 if self.command == Command::QUERY.0 => {
                    self.say(vec![packets::file_request()]);
                    self.phase = Phase::File;
                    return;
                }
                _ => return self.say(vec![packets::err()]),
            }
            if !more {
                return;
            }
        }
    }
}
