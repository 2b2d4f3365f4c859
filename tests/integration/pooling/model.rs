//! The rules of the pool, as a model: what scripts do to `connected_clients` and to the idle connections.
//!
//! Source: `docs/internals/backends-and-pools.md`. The script it knows is `support::DRIVEN`: what is planned for a hook
//! is given as text, for example `take1 use`.

use std::collections::VecDeque;

use super::support::Report;

/// Number of backends.
pub const BACKENDS: usize = 3;
/// The names of the users.
pub const USERS: [&str; 2] = ["ann", "bob"];

/// Who a server connection is logged in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Index in [`USERS`].
    pub user: usize,
    /// The client asked for FOUND_ROWS; the server connection that it opened keeps that for ever.
    pub found_rows: bool,
}

#[derive(Debug, Clone, Copy)]
struct Attached {
    backend: usize,
    /// `None` before the login.
    account: Option<Account>,
    /// The line to the server was cut.
    dead: bool,
}

#[derive(Debug, Default)]
struct Client {
    server: Option<Attached>,
    login: Option<Account>,
}

/// How a query reaches the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum In {
    /// The script has nothing to do with it.
    Nothing,
    /// The action is for `read_query`.
    ReadQuery,
    /// The action is for `read_query_result`.
    ReadQueryResult,
}

/// What a query gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A result set.
    Served,
    /// An ERR; the connection goes on.
    Refused,
    /// The end of the connection.
    Closed,
}

/// Clients and pools.
#[derive(Debug, Default)]
pub struct Model {
    pools: [VecDeque<Account>; BACKENDS],
    clients: Vec<Client>,
    watches_both: bool,
}

impl Model {
    /// `watches_both`: what happens to the other side than the one that is awaited is seen at once, and not late.
    pub fn new(watches_both: bool) -> Self {
        Self { watches_both, ..Self::default() }
    }

    /// As [`Model::new`] was told.
    pub fn watches_both(&self) -> bool {
        self.watches_both
    }

    /// Number of connected clients.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether client `number` is logged in.
    pub fn is_logged_in(&self, number: usize) -> bool {
        self.clients[number].login.is_some()
    }

    /// What the backends must be like.
    pub fn reports(&self) -> Vec<Report> {
        let report = |(ndx, pool): (usize, &VecDeque<Account>)| {
            let users = USERS.iter().enumerate().filter_map(|(user, name)| {
                let count = pool.iter().filter(|idle| idle.user == user).count();
                (count > 0).then(|| format!("{name}:{count}"))
            });
            let users: Vec<_> = users.collect();
            Report::new(self.connected(ndx), &users.join(" "))
        };
        self.pools.iter().enumerate().map(report).collect()
    }

    fn connected(&self, ndx: usize) -> u64 {
        let servers = self.clients.iter().filter_map(|client| client.server);
        u64::try_from(servers.filter(|server| server.backend == ndx).count()).expect("a few")
    }

    /// A client connects while `planned` is for `connect_server`; `false`: it is refused.
    pub fn connect(&mut self, planned: &str) -> bool {
        let mut client = Client::default();
        let chosen = planned.split(' ').find_map(take_of);
        if let Some(backend) = chosen {
            let account = self.pools[backend].pop_front();
            client.server = account.map(|_| Attached { backend, account, dead: false });
        }
        if planned.contains("raise") || planned.contains("refuse") {
            self.park(&mut client);
            return false;
        }
        if client.server.is_none() || !planned.contains("use") {
            self.park(&mut client);
            let shortest = || (0..BACKENDS).min_by_key(|ndx| self.connected(*ndx));
            let backend = chosen.or_else(shortest).expect("there are backends");
            client.server = Some(Attached { backend, account: None, dead: false });
        }
        self.clients.push(client);
        true
    }

    /// Client `number` logs in; `false`: it is refused and closed.
    pub fn login(
        &mut self,
        number: usize,
        account: Account,
        password_is_right: bool,
        (in_read_auth, in_read_auth_result): (&str, &str),
    ) -> bool {
        if in_read_auth == "raise" {
            self.leave(number, "park");
            return false;
        }
        let mut client = self.clients.remove(number);
        self.choose(&mut client, account, in_read_auth);
        let server = client.server.expect("the script of the model parks after the login only");
        if server.account.is_some_and(|old| old.found_rows != account.found_rows) {
            let pool = &mut self.pools[server.backend];
            let fitting = pool.iter().position(|idle| idle.found_rows == account.found_rows);
            let taken = fitting.and_then(|position| pool.remove(position));
            self.park(&mut client);
            client.server = Some(Attached { account: taken, dead: false, ..server });
        }
        let server = client.server.as_mut().expect("just looked at");
        if server.dead || !password_is_right {
            return false;
        }
        server.account = Some(account);
        client.login = Some(account);
        if in_read_auth_result == "raise" {
            self.park(&mut client);
            return false;
        }
        self.act(&mut client, in_read_auth_result);
        self.clients.insert(number, client);
        true
    }

    /// Client `number` sends a query.
    pub fn query(&mut self, number: usize, place: In, action: &str) -> Fate {
        let mut client = self.clients.remove(number);
        if place == In::ReadQuery {
            self.act(&mut client, action);
        }
        let fate = match client.server {
            _ if place == In::ReadQuery && action == "raise" => Fate::Refused,
            None => Fate::Refused,
            Some(server) if server.dead => return Fate::Closed,
            Some(_) if place == In::ReadQueryResult && action == "raise" => Fate::Refused,
            Some(_) => Fate::Served,
        };
        if place == In::ReadQueryResult && fate == Fate::Served {
            self.act(&mut client, action);
        }
        self.clients.insert(number, client);
        fate
    }

    /// Client `number` leaves while `planned` is for `disconnect_client`.
    pub fn leave(&mut self, number: usize, planned: &str) {
        let mut client = self.clients.remove(number);
        self.act(&mut client, planned);
    }

    /// Client `number` leaves while the server is busy with its query.
    pub fn leave_in_query(&mut self, number: usize, planned: &str) {
        // If that is seen at once, the server connection is of no use any more.
        self.clients[number].server.take_if(|_| self.watches_both);
        self.leave(number, planned);
    }

    /// All lines to backend `ndx` are cut. Tells which clients are closed, the last one first.
    pub fn cut(&mut self, ndx: usize) -> Vec<usize> {
        self.pools[ndx].clear();
        if self.watches_both {
            let is_cut = |number: &usize| {
                self.clients[*number].server.is_some_and(|server| server.backend == ndx)
            };
            let closed: Vec<_> = (0..self.clients.len()).rev().filter(is_cut).collect();
            for number in &closed {
                self.clients.remove(*number);
            }
            return closed;
        }
        let servers = self.clients.iter_mut().filter_map(|client| client.server.as_mut());
        servers.filter(|server| server.backend == ndx).for_each(|server| server.dead = true);
        Vec::new()
    }

    fn act(&mut self, client: &mut Client, action: &str) {
        match take_of(action) {
            Some(ndx) => self.take(client, ndx),
            None if action == "park" => self.park(client),
            None => {}
        }
    }

    /// The login goes to another backend than the one that greeted the client: to an idle connection that is exactly what it would
    /// be, or to a new one.
    fn choose(&mut self, client: &mut Client, account: Account, action: &str) {
        let Some(backend) = take_of(action) else { return };
        if client.server.is_some_and(|server| server.backend == backend) {
            return;
        }
        let pool = &mut self.pools[backend];
        let fitting = pool.iter().position(|idle| *idle == account);
        let account = fitting.and_then(|position| pool.remove(position));
        self.park(client);
        client.server = Some(Attached { backend, account, dead: false });
    }

    /// Gives the server connection back: only a logged-in, living one stays.
    fn park(&mut self, client: &mut Client) {
        let server = client.server.take();
        if let Some(Attached { backend, account: Some(account), dead: false }) = server {
            self.pools[backend].push_back(account);
        }
    }

    /// Exchanges the server connection for an idle one of backend `ndx` that is exactly the client's.
    fn take(&mut self, client: &mut Client, ndx: usize) {
        let Some(login) = client.login else { return };
        if client.server.is_some_and(|server| server.backend == ndx) {
            return;
        }
        let pool = &mut self.pools[ndx];
        let Some(position) = pool.iter().position(|idle| *idle == login) else { return };
        let account = pool.remove(position);
        self.park(client);
        client.server = Some(Attached { backend: ndx, account, dead: false });
    }
}

/// The index in `take1`.
fn take_of(action: &str) -> Option<usize> {
    action.strip_prefix("take")?.parse().ok()
}
