//! The options: one table, from which everything about them comes (`docs/options.md`).
//!
//! `table.rs` has the macro, [`kind`] how the host reads an option, [`check`] what its value must be. An option is one row
//! here, and a check if no present one fits.

pub mod check;
pub mod ini_file;
pub mod kind;
pub mod limits;
mod table;
mod tls;
pub mod words;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use glib_sys::GOptionEntry;

use self::check::{Given, Show};
use self::kind::{Kind, c_text};
use self::table::option_table;
use crate::checks::{Account, Checks, Password};
use crate::drive::lane::Networks;
use crate::drive::{TimeLimit, TimeLimits};
use crate::embed::ConfigValue;
use crate::http::token::Token;
use engine::{Compression, OnScriptError, Settings};
use transport::proxy_protocol::Version;
use transport::tls::ClientCertificates;

pub use self::check::{EventLoop, OptionError};
use self::words::{BackendTls, TlsMode, Versions};

option_table! {
    "pyproxy-address" (Text "<host:port|path>") "address to listen on" (default ":4045")
        => address: String = check::address, shown as "address";
    "pyproxy-backend-addresses" (List "<host:port|path>")
        "read-write backends, repeatable or a comma list" (default "127.0.0.1:3306")
        => backends: Vec<String> = check::addresses, shown as "backend_addresses";
    "pyproxy-readonly-backend-address" (List "<host:port|path>")
        "read-only backends, repeatable or a comma list (default: none)"
        => readonly_backends: Vec<String> = check::addresses, shown as "read_only_backend_addresses";
    "pyproxy-read-only-backend-addresses" (List "<host:port|path>")
        "another name of pyproxy-readonly-backend-address"
        => more_readonly_backends: Vec<String> = check::addresses;
    "pyproxy-python-script" (File "<file>") "the Python script with the hooks (default: none)"
        => script: Option<PathBuf> = check::file, shown as "python_script";
    "pyproxy-script-config" (File "<file>") "an ini file with the script's settings (default: none)"
        => script_config: Option<PathBuf> = check::file, shown as "script_config";
    "pyproxy-skip-profiling" (Switch) "do not call read_query and read_query_result"
        => profiling: bool = check::off, shown as "profiling";
    "pyproxy-check-config" (Switch)
        "check the options and load the script, say what would run, and end; with plugins=pyproxy alone"
        => check_config: bool = check::on;
    "no-pyproxy" (Switch) "load the plugin but do not start it"
        => enabled: bool = check::off, shown as "start_proxy";
    "pyproxy-pool-no-change-user" (Switch)
        "do not log a pooled connection in again with COM_CHANGE_USER"
        => pool_change_user: bool = check::off, shown as "pool_change_user";
    "pyproxy-connect-timeout" (Text "<seconds>")
        "how long a connect to a backend may take" (default "2")
        => connect_timeout: TimeLimit = check::seconds, shown as "connect_timeout";
    "pyproxy-read-timeout" (Text "<seconds>") "how long to wait for data" (default "28800")
        => read_timeout: TimeLimit = check::seconds, shown as "read_timeout";
    "pyproxy-write-timeout" (Text "<seconds>") "how long a write may block" (default "28800")
        => write_timeout: TimeLimit = check::seconds, shown as "write_timeout";
    "pyproxy-on-script-error" (Text "<reject|forward>")
        "what to do with a query whose hook failed" (default "reject")
        => on_script_error: OnScriptError = check::on_script_error, shown as "on_script_error";
    "pyproxy-max-kept-bytes" (Text "<bytes>")
        "memory that kept results and made answers may take for one connection" (default "256M")
        => max_kept_bytes: usize = check::bytes, shown as "max_kept_bytes";
    "pyproxy-server-version" (Text "<version>")
        "what clients are told that are greeted without a server (default: as the server that greeted last)"
        => server_version: Option<String> = check::server_version, shown as "server_version";
    "pyproxy-reload" (Switch) "new connections use the script and its settings as they are now, if a file changed"
        => reload: bool = check::on, shown as "reload";
    "pyproxy-venv" (File "<directory>")
        "virtual environment whose packages the script may import"
        => venv: Option<PathBuf> = check::virtual_environment, shown as "venv";
    "pyproxy-event-loop" (Text "<own|chassis>")
        "serve clients in threads of its own, or through mysql-proxy's state machine" (default "own")
        => event_loop: EventLoop = check::event_loop, shown as "event_loop";
    "pyproxy-drain-timeout" (Text "<seconds>")
        "how long commands and transactions may go on when mysql-proxy stops" (default "5")
        => drain_timeout: Duration = check::seconds_or_none, shown as "drain_timeout";
    "pyproxy-takeover" (File "<path>")
        "a unix socket where this process takes over from the one before, and the next one from this (default: none)"
        => takeover: Option<String> = limits::socket_path, shown as "takeover";
    "pyproxy-takeover-timeout" (Text "<seconds>")
        "how long clients may stay in a process that was taken over" (default "3600")
        => takeover_timeout: Duration = check::seconds_or_none, shown as "takeover_timeout";
    "pyproxy-hook-warn" (Text "<seconds>")
        "how long a hook may run before the log says where it is; 0: for ever" (default "1")
        => hook_warn: Duration = check::seconds_or_none, shown as "hook_warn";
    "pyproxy-hook-timeout" (Text "<seconds>")
        "how long a hook may take, without its queries; 0: for ever" (default "30")
        => hook_timeout: Duration = check::seconds_or_none, shown as "hook_timeout";
    "pyproxy-login-timeout" (Text "<seconds>")
        "how long a login may take, from accept to its end" (default "10")
        => login_timeout: TimeLimit = check::seconds, shown as "login_timeout";
    "pyproxy-query-timeout" (Text "<seconds>")
        "how long a server may be silent that is to answer (default: as pyproxy-read-timeout)"
        => query_timeout: Option<Duration> = limits::seconds, shown as "query_timeout";
    "pyproxy-idle-timeout" (Text "<seconds>")
        "how long a client may send no command (default: as pyproxy-read-timeout)"
        => idle_timeout: Option<Duration> = limits::seconds, shown as "idle_timeout";
    "pyproxy-max-connections" (Text "<number>") "the most clients; 0: any number" (default "0")
        => max_connections: usize = limits::number, shown as "max_connections";
    "pyproxy-max-connections-per-address" (Text "<number>")
        "the most clients from one address; 0: any number" (default "0")
        => max_connections_per_address: usize = limits::number,
        shown as "max_connections_per_address";
    "pyproxy-max-connections-per-user" (Text "<number>")
        "the most connections of one user; 0: any number" (default "0")
        => max_connections_per_user: usize = limits::number, shown as "max_connections_per_user";
    "pyproxy-backend-max-connections" (Text "<number>")
        "the most connections to each backend, idle ones as well; 0: any number" (default "0")
        => backend_max_connections: usize = limits::number, shown as "backend_max_connections";
    "pyproxy-check-interval" (Text "<seconds>")
        "how far it is between two checks of each backend; 0: none is checked" (default "0")
        => check_interval: Duration = check::seconds_or_none, shown as "check_interval";
    "pyproxy-check-user" (Text "<user>")
        "who logs in to check whether a backend can be written to (default: nobody logs in)"
        => check_user: Option<String> = words::text, shown as "check_user";
    "pyproxy-check-password-file" (File "<file>")
        "the password of this user, in a file that only its owner may read (default: none)"
        => check_password: Option<Password> = check::password;
    "pyproxy-proxy-protocol-from" (List "<address[/bits]>")
        "networks whose connections begin with a PROXY header, repeatable or a comma list (default: none)"
        => proxy_protocol_from: Networks = limits::networks, shown as "proxy_protocol_from";
    "pyproxy-backend-proxy-protocol" (Text "<v1|v2>")
        "tell backends of their clients in a PROXY header (default: no)"
        => backend_proxy_protocol: Option<Version> = limits::version,
        shown as "backend_proxy_protocol";
    "pyproxy-tls" (Text "<mirror|off|optional|required>")
        "TLS with clients: as their server has it, or whatever it has" (default "mirror")
        => tls: TlsMode = words::word, shown as "tls";
    "pyproxy-tls-cert" (File "<file>") "the certificate for clients (default: one is made at the start)"
        => tls_cert: Option<PathBuf> = check::file, shown as "tls_cert";
    "pyproxy-tls-key" (File "<file>") "its key, without password"
        => tls_key: Option<PathBuf> = check::file, shown as "tls_key";
    "pyproxy-tls-ca" (File "<file>") "the CAs of client certificates (default: none is asked for)"
        => tls_ca: Option<PathBuf> = check::file, shown as "tls_ca";
    "pyproxy-tls-client-certificates" (Text "<optional|required>")
        "whether a client with TLS has to have a certificate" (default "optional")
        => tls_client_certificates: ClientCertificates = words::word, shown as "tls_client_certificates";
    "pyproxy-tls-versions" (Text "<list>") "versions of TLS, with clients and servers: TLSv1.2,TLSv1.3"
        => tls_versions: Versions = words::versions, shown as "tls_versions";
    "pyproxy-tls-ciphers" (Text "<list>") "ciphers of TLS 1.2, with clients and servers"
        => tls_ciphers: Option<String> = words::text, shown as "tls_ciphers";
    "pyproxy-tls-ciphersuites" (Text "<list>") "ciphers of TLS 1.3, with clients and servers"
        => tls_ciphersuites: Option<String> = words::text, shown as "tls_ciphersuites";
    "pyproxy-backend-tls" (Text "<off|required|verify-ca|verify-identity>")
        "TLS with servers, and what of their certificate is verified"
        => backend_tls: Option<BackendTls> = words::word_or_none, shown as "backend_tls";
    "pyproxy-backend-tls-ca" (File "<file>") "the CAs of servers (default: servers are not verified)"
        => backend_tls_ca: Option<PathBuf> = check::file, shown as "backend_tls_ca";
    "pyproxy-backend-tls-cert" (File "<file>") "the certificate that servers are shown (default: none)"
        => backend_tls_cert: Option<PathBuf> = check::file, shown as "backend_tls_cert";
    "pyproxy-backend-tls-key" (File "<file>") "its key, without password"
        => backend_tls_key: Option<PathBuf> = check::file, shown as "backend_tls_key";
    "pyproxy-compression" (Text "<mirror|off|client|server>")
        "which side is compressed: both if both want it, or one" (default "mirror")
        => compression: Compression = words::word, shown as "compression";
    "pyproxy-http-address" (Text "<host:port|path>")
        "where metrics and health are told over HTTP; :port is 127.0.0.1:port (default: nowhere)"
        => http_address: Option<String> = check::http_address, shown as "http_address";
    "pyproxy-http-token-file" (File "<file>")
        "the token that a change over HTTP needs (default: none, nothing can be changed)"
        => http_token: Option<Token> = check::token;
    "pyproxy-http-hide-queries" (Switch) "do not show the texts of queries over HTTP"
        => http_shows_queries: bool = check::off, shown as "http_shows_queries";
    "pyproxy-query-stats" (Text "<number>")
        "how many of the most costly statements are counted; 0: none" (default "0")
        => query_stats: usize = limits::query_stats, shown as "query_stats";
    "pyproxy-slow-query" (Text "<seconds>")
        "from how long on a command is slow; 0: never" (default "0")
        => slow_query: Duration = check::seconds_or_none, shown as "slow_query";
    "pyproxy-slow-log" (File "<file>") "where slow commands are written (default: nowhere)"
        => slow_log: Option<PathBuf> = limits::path, shown as "slow_log";
    "pyproxy-slow-log-hide-queries" (Switch) "do not write the texts of queries there"
        => slow_log_shows_queries: bool = check::off, shown as "slow_log_shows_queries";
}

impl Options {
    /// Checks all values; the first wrong one is the error. Blocks for name look-ups.
    pub fn check(values: &Values) -> Result<Self, OptionError> {
        let mut options = Self::check_each(values)?;
        options.refuse_doubles()?;
        options.refuse_without_own_loop(values)?;
        options.settle_tls(values)?;
        if let (None, Some(file)) = (&options.http_address, &values.http_token) {
            let reason = "this needs pyproxy-http-address";
            return Err(OptionError::new("pyproxy-http-token-file", file, reason));
        }
        options.refuse_half_a_slow_log(values)?;
        options.refuse_half_a_check(values)?;
        options.readonly_backends.append(&mut options.more_readonly_backends);
        Ok(options)
    }

    /// A backend is listed once, in whatever option.
    fn refuse_doubles(&self) -> Result<(), OptionError> {
        let lists = [
            ("pyproxy-backend-addresses", &self.backends),
            ("pyproxy-readonly-backend-address", &self.readonly_backends),
            ("pyproxy-read-only-backend-addresses", &self.more_readonly_backends),
        ];
        let mut seen = BTreeSet::new();
        for (option, list) in lists {
            if let Some(double) = list.iter().find(|address| !seen.insert(*address)) {
                return Err(OptionError::new(option, double, "this backend is listed twice"));
            }
        }
        Ok(())
    }

    /// How backends are checked, if they are.
    pub fn checks(&self) -> Option<Checks> {
        let account = self.check_user.clone().map(|user| Account {
            user,
            password: self.check_password.clone().unwrap_or_default(),
        });
        let interval = self.check_interval;
        (!interval.is_zero()).then_some(Checks { interval, account })
    }

    /// What the rules depend on.
    pub fn settings(&self) -> Settings {
        Settings {
            on_script_error: self.on_script_error,
            profiling: self.profiling,
            max_connections_per_user: self.max_connections_per_user,
            names_clients: self.backend_proxy_protocol.is_some(),
            tls: self.tls_rule(),
            compression: self.compression,
        }
    }

    /// How long the host waits.
    pub fn time_limits(&self) -> TimeLimits {
        TimeLimits {
            connect: self.connect_timeout,
            read: self.read_timeout,
            write: self.write_timeout,
            login: self.login_timeout,
            query: self.query_timeout,
            idle: self.idle_timeout,
        }
    }
}

#[cfg(test)]
mod tests;
