//! Random sequences of connects, logins, queries and ends: after every step `connected_clients` and the idle connections
//! are exactly what [`Model`] says. A sequence is fixed by its seed; a failure prints it.

use testkit::client::{COM_QUERY, RawClient};
use testkit::proto::{caps, ok_err, resultset};
use testkit::wait::PATIENCE;
use testkit::{Greeting, Host, Login, RawServer, Relay, ServerConn, eventually};

use super::model::{Account, BACKENDS, Fate, In, Model, USERS};
use super::support::*;

const MOST_CLIENTS: usize = 8;
const STEPS: usize = 200;
const NATIVE: &[u8] = b"mysql_native_password";
const RIGHT: &[u8] = b"the right password..";
const WRONG: &[u8] = b"the wrong password..";
/// A query that the server is busy with until its client is gone.
const WAITING: &[u8] = b"SELECT waiting";
/// What a script may do with `backend_ndx`, in any hook.
const ACTIONS: [&str; 6] = ["park", "take0", "take1", "take2", "raise", "none"];

/// Knuth's MMIX generator.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        let product = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = product.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn is_one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

fn contains(payload: &[u8], part: &[u8]) -> bool {
    payload.windows(part.len()).any(|window| window == part)
}

/// Judges a login or COM_CHANGE_USER as MariaDB does: asks for another method if it must, closes after an ERR.
fn judge(conn: &mut ServerConn, first: testkit::Packet) -> std::io::Result<bool> {
    let mut proof = first;
    if !contains(&proof.payload, NATIVE) {
        let switch = [b"\xfe", NATIVE, b"\0abcdefghijabcdefghij\0"].concat();
        conn.write(proof.id + 1, &switch)?;
        proof = conn.read()?;
    }
    let id = proof.id + 1;
    if contains(&proof.payload, RIGHT) {
        conn.write(id, &ok_err::plain_ok())?;
        return Ok(true);
    }
    conn.err(id, 1045, "28000", "Access denied")?;
    Ok(false)
}

fn judging_server() -> RawServer {
    RawServer::start(|conn| {
        conn.write(0, &Greeting::default().payload())?;
        let login = conn.read()?;
        let mut is_welcome = judge(conn, login)?;
        while is_welcome {
            let command = conn.read()?;
            if command.payload.first() == Some(&COM_CHANGE_USER) {
                is_welcome = judge(conn, command)?;
            } else if contains(&command.payload, WAITING) {
                conn.read_to_close()?;
            } else {
                conn.write_all(1, &resultset::one_cell("v", "served"))?;
            }
        }
        Ok(())
    })
}

/// The real thing beside its model.
struct Run {
    clients: Vec<RawClient>,
    model: Model,
    random: Random,
    history: Vec<String>,
    pooling: Pooling,
    relays: Vec<Relay>,
    _servers: Vec<RawServer>,
}

impl Run {
    fn start(seed: u64, threads: u32) -> Self {
        let servers: Vec<_> = (0..BACKENDS).map(|_| judging_server()).collect();
        let relays: Vec<_> = servers.iter().map(|server| Relay::start(server.address())).collect();
        let builder = Host::builder().event_threads(threads);
        let builder = relays.iter().fold(builder, |host, relay| host.backend(relay.address()));
        Self {
            clients: Vec::new(),
            model: Model::new(testkit::artifacts::event_loop() == "own"),
            random: Random(seed),
            history: vec![format!("seed {seed}, {threads} event threads")],
            pooling: Pooling::start(builder, DRIVEN),
            relays,
            _servers: servers,
        }
    }

    fn plan(&mut self, hook: &str, actions: &str) {
        if !actions.is_empty() {
            self.pooling.observe(&format!("{hook} {actions}"));
        }
    }

    #[track_caller]
    fn check(&self, condition: bool, what: &str) {
        assert!(condition, "{what}\n{}", self.history.join("\n"));
    }

    fn compare(&self) {
        let expected = self.model.reports();
        let same = eventually(PATIENCE, || self.pooling.report() == expected);
        let reported = self.pooling.report();
        self.check(same, &format!("reported {reported:?}\nexpected {expected:?}"));
    }

    fn step(&mut self) {
        let most = self.clients.len() == MOST_CLIENTS;
        if self.clients.is_empty() || !most && self.random.is_one_in(4) {
            self.connect();
        } else if self.random.is_one_in(30) {
            let ndx = self.random.below(BACKENDS);
            self.history.push(format!("cut {ndx}"));
            self.relays[ndx].cut_now();
            for number in self.model.cut(ndx) {
                let rest = self.clients.remove(number).read_to_close();
                self.check(rest.is_empty() || rest[4] == 0xff, "no more than an ERR");
            }
        } else {
            let number = self.random.below(self.clients.len());
            if self.random.is_one_in(6) {
                self.leave(number);
            } else if self.model.is_logged_in(number) {
                self.query(number);
            } else {
                self.login(number);
            }
        }
        self.compare();
        self.pooling.observe("forget");
    }

    fn connect(&mut self) {
        let first = self.random.one_of(&["", "", "take0", "take1", "take2", "park"]);
        let then = self.random.one_of(&["use", "use", "use", "none", "raise", "refuse"]);
        let planned = format!("{first} {then}");
        self.history.push(format!("connect, connect_server: {planned}"));
        self.plan("connect_server", &planned);
        let mut client = self.pooling.host.connect();
        let greeting = client.read_handshake();
        let is_let_in = self.model.connect(&planned);
        self.check(greeting.is_ok() == is_let_in, &format!("{greeting:?}"));
        if is_let_in {
            self.clients.push(client);
        } else {
            client.expect_closed();
        }
    }

    fn login(&mut self, number: usize) {
        let account =
            Account { user: self.random.below(USERS.len()), found_rows: self.random.is_one_in(3) };
        let is_right = !self.random.is_one_in(4);
        let in_read_auth = if self.random.is_one_in(4) { self.random.one_of(&ACTIONS) } else { "" };
        let in_result = if self.random.is_one_in(3) { self.random.one_of(&ACTIONS) } else { "" };
        self.history.push(format!(
            "login of {number}: {account:?}, password is right: {is_right}, read_auth: {in_read_auth}, \
             read_auth_result: {in_result}"
        ));
        self.plan("read_auth", in_read_auth);
        self.plan("read_auth_result", in_result);
        let stays = self.model.login(number, account, is_right, (in_read_auth, in_result));
        let proof = if is_right { RIGHT } else { WRONG };
        let verdict = self.send_login(number, account, proof);
        self.check(verdict == stays, "the verdict on the login");
        if !stays {
            self.clients.remove(number).read_to_close();
        }
    }

    /// Logs in; `true`: the server said OK.
    fn send_login(&mut self, number: usize, account: Account, proof: &[u8]) -> bool {
        let mut login = Login::new(USERS[account.user], "").auth_data(proof);
        if account.found_rows {
            login = login.with(caps::FOUND_ROWS);
        }
        let greeting = testkit::client::handshake::Handshake::parse(&Greeting::default().payload());
        let payload = login.payload(&greeting.expect("a handshake"));
        let client = &mut self.clients[number];
        // The server may be gone, and the client's connection with it.
        let _ = client.send_packet(1, &payload);
        loop {
            let Ok(packet) = client.read_packet() else { return false };
            match packet.kind() {
                Some(0xfe) => {
                    let _ = client.send_packet(packet.id + 1, proof);
                }
                kind => return kind == Some(0),
            }
        }
    }

    fn query(&mut self, number: usize) {
        let action = self.random.one_of(&ACTIONS);
        let (place, text) = match self.random.below(3) {
            0 => (In::Nothing, "SELECT".to_owned()),
            1 => (In::ReadQuery, format!("now {action}")),
            _ => (In::ReadQueryResult, format!("in result {action}")),
        };
        self.history.push(format!("query of {number}: {text}"));
        let fate = self.model.query(number, place, action);
        let client = &mut self.clients[number];
        if fate == Fate::Closed {
            let _ = client.send_command(COM_QUERY, text.as_bytes());
            let rest = self.clients.remove(number).read_to_close();
            self.check(rest.is_empty() || rest[4] == 0xff, "no result after a cut");
            return;
        }
        let answer = client.query(&text);
        let is_err = answer.as_ref().is_ok_and(|answer| answer.packets[0].is_err());
        self.check(answer.is_ok() && is_err == (fate == Fate::Refused), &format!("{answer:?}"));
    }

    fn leave(&mut self, number: usize) {
        let planned = self.random.one_of(&["park", "park", "none", "raise", "take0", "take1"]);
        let how = self.random.one_of(&["quits", "closes", "aborts", "aborts in a query"]);
        self.history.push(format!("{number} {how}, disconnect_client: {planned}"));
        self.plan("disconnect_client", planned);
        let is_logged_in = self.model.is_logged_in(number);
        let in_query = is_logged_in && how == "aborts in a query";
        if in_query {
            self.model.leave_in_query(number, planned);
        } else {
            self.model.leave(number, planned);
        }
        let mut client = self.clients.remove(number);
        match how {
            "quits" if is_logged_in => client.quit(),
            _ if in_query => {
                // A loop that sees it late sees it with the answer.
                let sql = if self.model.watches_both() { WAITING } else { b"SELECT" };
                let _ = client.send_command(COM_QUERY, sql);
                client.abort();
            }
            "aborts" => client.abort(),
            _ => drop(client),
        }
        // One without a server changes no counter: else its hook could take what is planned for the next client.
        let is_done = eventually(PATIENCE, || self.pooling.observe("planned") == "[]");
        self.check(is_done, "disconnect_client was not called");
    }
}

/// Random steps, then everybody leaves.
fn walk(run: &mut Run) {
    for _ in 0..STEPS {
        run.step();
    }
    while run.model.len() > 0 {
        run.leave(0);
        run.compare();
        run.pooling.observe("forget");
    }
    let reports = run.pooling.report();
    run.check(reports.iter().all(|report| report.clients == 0), "all counters are 0");
}

fn idle(run: &Run) -> usize {
    run.pooling.report().iter().map(|report| report.idle).sum()
}

fn run(seed: u64, threads: u32) {
    let mut run = Run::start(seed, threads);
    walk(&mut run);
    let base = run.pooling.host.idle_fds() - idle(&run);
    walk(&mut run);
    run.pooling.host.wait_for_fds(base + idle(&run));
}

#[test]
fn counters_are_exact_with_one_event_thread() {
    (1..=3).for_each(|seed| run(seed, 1));
}

#[test]
fn counters_are_exact_with_four_event_threads() {
    (4..=6).for_each(|seed| run(seed, 4));
}
