//! Compression: which side has it, and from when on.
//!
//! It begins behind the final OK of the login, inside TLS, and lasts as long as the connection. The engine sees packets only;
//! their ids mean nothing inside compressed frames, which are numbered instead.
//! Source: <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression.html>.

use std::ops::RangeInclusive;

use wire::connect::Login;
use wire::{Capabilities, WireError};

use crate::turn::Turn;
use crate::{Compression, Effect, Side};

/// How the packets of one side are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// zlib.
    Zlib,
    /// zstd.
    Zstd {
        /// The level that the login asked for, from 1 to 22.
        level: u8,
    },
}

impl Algorithm {
    /// The level of clients that do not tell one.
    const USUAL_LEVEL: u8 = 3;
    const LEVELS: RangeInclusive<u8> = 1..=22;

    /// What these capabilities ask for. As with MySQL 9.7, zlib goes first where both are.
    pub(crate) fn of(capabilities: Capabilities, zstd_level: Option<u8>) -> Option<Self> {
        if capabilities.contains(Capabilities::COMPRESS) {
            Some(Self::Zlib)
        } else if capabilities.contains(Capabilities::ZSTD_COMPRESSION) {
            let level = zstd_level.unwrap_or(Self::USUAL_LEVEL);
            Some(Self::Zstd { level: level.clamp(*Self::LEVELS.start(), *Self::LEVELS.end()) })
        } else {
            None
        }
    }

    const fn bit(self) -> Capabilities {
        match self {
            Self::Zlib => Capabilities::COMPRESS,
            Self::Zstd { .. } => Capabilities::ZSTD_COMPRESSION,
        }
    }
}

impl Turn<'_> {
    /// The client's login asks for `asked`: notes what it gets. The bit that the server gets, too.
    pub fn agree_on_compression(&mut self, asked: &Login) -> Capabilities {
        let offered = self.session.client.handshake.as_ref().map(|offer| offer.capabilities);
        let compression = self.state.settings.compression;
        let usable = match compression {
            Compression::Off | Compression::ServerOnly => Capabilities::empty(),
            // What a script offers in a handshake of its own nobody mirrors.
            Compression::Mirror
                if self.session.server.is_none() && !self.state.greeted_by_proxy =>
            {
                Capabilities::empty()
            }
            Compression::Mirror | Compression::ClientOnly => offered.unwrap_or_default(),
        };
        let algorithm = Algorithm::of(asked.capabilities & usable, asked.zstd_level);
        self.session.client.compression = algorithm;
        let asks = asked.capabilities.intersects(Capabilities::COMPRESSION);
        self.state.may_compress = asks && algorithm.is_none();
        algorithm
            .filter(|_| compression == Compression::Mirror)
            .map_or(Capabilities::empty(), Algorithm::bit)
    }

    /// Makes a login ask this server for the compression that it gets: none that it does not offer.
    pub fn agree_with_server(
        &self,
        login: &mut Login,
        payload: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        let server = self.session.server.as_ref();
        let offered = server.map(|server| server.offered).unwrap_or_default();
        let refused = Capabilities::COMPRESSION.difference(offered);
        if login.capabilities.intersects(refused) {
            Login::mask(payload, refused)?;
            login.capabilities.remove(refused);
            login.zstd_level = None;
        }
        if self.state.settings.compression == Compression::ServerOnly {
            Login::ask(payload, offered.intersection(Capabilities::COMPRESS));
        }
        Ok(())
    }

    /// How the server compresses behind this login, which opened the connection.
    pub fn compression_of_server(&self, login: &Login) -> Option<Algorithm> {
        if self.state.settings.compression != Compression::ServerOnly {
            return Algorithm::of(login.capabilities, login.zstd_level);
        }
        let offered = self.session.server.as_ref()?.offered;
        offered.contains(Capabilities::COMPRESS).then_some(Algorithm::Zlib)
    }

    /// The server accepted a login that asked for this.
    pub fn compress_server(&mut self, algorithm: Option<Algorithm>) {
        let (Some(algorithm), Some(server)) = (algorithm, self.server()) else { return };
        server.compression = Some(algorithm);
        self.state.server_ids.leave_to_frames(true);
        self.driver.effect(Effect::Compress { side: Side::Server, algorithm });
    }

    /// The client was told that it is logged in.
    pub fn compress_client(&mut self) {
        let Some(algorithm) = self.session.client.compression else { return };
        if !self.state.client_ids.are_left_to_frames() {
            self.state.client_ids.leave_to_frames(true);
            self.driver.effect(Effect::Compress { side: Side::Client, algorithm });
        }
    }

    /// A command to the server follows: the numbers of its packets, or frames, start anew.
    pub fn begin_server_exchange(&mut self) {
        if self.session.command_at.is_some() {
            self.session.asked_backend = self.session.server.as_ref().map(|server| server.backend);
        }
        self.state.server_ids.restart();
        if self.state.server_ids.are_left_to_frames() {
            self.driver.effect(Effect::NewExchange(Side::Server));
        }
    }
}
