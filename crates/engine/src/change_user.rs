//! COM_CHANGE_USER of a client takes rounds, like a login.

use wire::Command;
use wire::connect::AuthReply;

use crate::engine::Step;
use crate::exchange::Change;
use crate::login_rounds::{LoginReason, LoginRounds};
use crate::turn::Turn;
use crate::{Awaits, Incoming, Side};

impl Turn<'_> {
    /// The server asks the client in answer to a COM_CHANGE_USER.
    pub fn change_user_round(&mut self, packet: Incoming<'_>) {
        let is_queued = self.state.exchange.injection.take().is_some();
        let asked = self.session.command == Some(Command::CHANGE_USER.0);
        if !asked || (is_queued && self.state.exchange.is_answered()) {
            log::error!(
                "{}: a COM_CHANGE_USER of the script needs the client's password",
                self.name()
            );
            return self.broken("a queued COM_CHANGE_USER cannot be followed");
        }
        if is_queued {
            // It stands for the client's own: the client answers, and what is queued behind it is not run.
            self.session.queries.clear();
        }
        let Change::Login(login) = std::mem::take(&mut self.state.exchange.effect) else {
            return self.broken("cannot read the COM_CHANGE_USER of the client");
        };
        let mut rounds = LoginRounds {
            reason: LoginReason::ChangeUser,
            method: login.auth_plugin.clone().unwrap_or_default(),
            knows_factors: self.server().is_some_and(|server| server.knows_factors(&login)),
            sent: Some(*login),
            ..LoginRounds::default()
        };
        let reply = rounds.judge(packet.payload);
        rounds.asked_again = true;
        self.state.login = rounds;
        self.note_challenge(packet.payload);
        if let Ok(reply) = reply {
            self.expect_password(packet.payload, reply);
        }
        if let Some(due) = self.state.exchange.due.take() {
            // What the rounds lead to is the answer.
            due.given();
        }
        self.forward(Side::Client, packet);
        match reply {
            Ok(AuthReply::FastSuccess) => self.go(Step::LoginAnswer, Awaits::LoginAnswer),
            Ok(_) => self.go(Step::LoginData, Awaits::LoginData),
            Err(_) => self.abort(),
        }
    }
}
