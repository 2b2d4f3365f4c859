//! Options about limits and about PROXY headers: what their values must be, and that they need a loop of our own.

use std::path::PathBuf;
use std::time::Duration;

use transport::proxy_protocol::Version;

use super::check::{self, Given, OptionError, Show};
use super::{EventLoop, Options, Values};
use crate::chassis::address as host_address;
use crate::drive::lane::Networks;
use crate::embed::ConfigValue;

type Checked<T> = Result<T, OptionError>;
type GivenText<'a> = Given<'a, Option<String>>;

/// A number of seconds, if one is given.
pub fn seconds(given: GivenText<'_>) -> Checked<Option<Duration>> {
    if given.value.is_none() {
        return Ok(None);
    }
    let limit = check::seconds(Given { default: Some("1"), ..given })?;
    Ok(limit.given)
}

/// A whole number.
pub fn number(given: GivenText<'_>) -> Checked<usize> {
    let text = given.value.as_deref().or(given.default).unwrap_or_default();
    let wrong = || OptionError::new(given.option, text, "expected a whole number, or 0");
    text.trim().parse().map_err(|_| wrong())
}

/// The most statements that may be counted.
const MOST_STATEMENTS: usize = 5000;

/// How many statements are counted.
pub fn query_stats(given: GivenText<'_>) -> Checked<usize> {
    let option = given.option;
    let most = number(given)?;
    if most <= MOST_STATEMENTS {
        return Ok(most);
    }
    let reason = format!("expected at most {MOST_STATEMENTS}");
    Err(OptionError::new(option, &most.to_string(), reason))
}

/// A file that may not be there yet.
pub fn path(given: GivenText<'_>) -> Checked<Option<PathBuf>> {
    Ok(given.value.as_deref().map(PathBuf::from))
}

/// The path of a unix socket.
pub fn socket_path(given: GivenText<'_>) -> Checked<Option<String>> {
    let Some(path) = given.value.as_deref() else { return Ok(None) };
    host_address::check(path).map_err(|e| OptionError::new(given.option, path, e))?;
    if !path.starts_with('/') {
        return Err(OptionError::new(given.option, path, "expected the path of a unix socket"));
    }
    Ok(Some(path.to_owned()))
}

/// Networks; each value may be a comma list.
pub fn networks(given: Given<'_, Vec<String>>) -> Checked<Networks> {
    let mut networks = Networks::default();
    for value in given.value {
        for text in value.split(',').map(str::trim) {
            networks.add(text).map_err(|e| OptionError::new(given.option, value, e))?;
        }
    }
    Ok(networks)
}

/// A version of PROXY headers, if one is given.
pub fn version(given: GivenText<'_>) -> Checked<Option<Version>> {
    match given.value.as_deref().map(str::trim) {
        None => Ok(None),
        Some("v1") => Ok(Some(Version::V1)),
        Some("v2") => Ok(Some(Version::V2)),
        Some(other) => Err(OptionError::new(given.option, other, "expected v1 or v2")),
    }
}

impl Options {
    /// What mysql-proxy's state machine cannot do must not seem to be done.
    pub(super) fn refuse_without_own_loop(&self, values: &Values) -> Checked<()> {
        if self.event_loop == EventLoop::Own {
            return Ok(());
        }
        let first = |list: &[String]| list.first().cloned();
        let number = |number: usize| (number > 0).then(|| number.to_string());
        let given = [
            ("pyproxy-login-timeout", values.login_timeout.clone()),
            ("pyproxy-query-timeout", values.query_timeout.clone()),
            ("pyproxy-idle-timeout", values.idle_timeout.clone()),
            ("pyproxy-max-connections", number(self.max_connections)),
            ("pyproxy-max-connections-per-address", number(self.max_connections_per_address)),
            ("pyproxy-takeover", values.takeover.clone()),
            ("pyproxy-takeover-timeout", values.takeover_timeout.clone()),
            ("pyproxy-proxy-protocol-from", first(&values.proxy_protocol_from)),
            ("pyproxy-backend-proxy-protocol", values.backend_proxy_protocol.clone()),
        ];
        for (option, value) in given {
            if let Some(value) = value {
                let reason = "this needs pyproxy-event-loop=own";
                return Err(OptionError::new(option, &value, reason));
            }
        }
        Ok(())
    }

    /// A slow log needs a limit, and a limit a log.
    pub(super) fn refuse_half_a_slow_log(&self, values: &Values) -> Checked<()> {
        let (option, value, other) = match (&values.slow_query, &values.slow_log) {
            (Some(limit), None) if !self.slow_query.is_zero() => {
                ("pyproxy-slow-query", limit, "pyproxy-slow-log")
            }
            (None, Some(file)) => ("pyproxy-slow-log", file, "pyproxy-slow-query"),
            _ => return Ok(()),
        };
        Err(OptionError::new(option, value, format!("this needs {other}")))
    }
}

impl Options {
    /// A user is for checks, and a password for a user.
    pub(super) fn refuse_half_a_check(&self, values: &Values) -> Checked<()> {
        let (option, value, other) = match (&values.check_user, &values.check_password) {
            (Some(user), _) if self.check_interval.is_zero() => {
                ("pyproxy-check-user", user, "pyproxy-check-interval")
            }
            (None, Some(file)) => ("pyproxy-check-password-file", file, "pyproxy-check-user"),
            _ => return Ok(()),
        };
        Err(OptionError::new(option, value, format!("this needs {other}")))
    }
}

impl Show for Option<Duration> {
    fn show(&self) -> ConfigValue {
        self.map_or(ConfigValue::None, |time| ConfigValue::Seconds(time.as_secs_f64()))
    }
}

impl Show for Networks {
    fn show(&self) -> ConfigValue {
        ConfigValue::TextList(self.texts())
    }
}

impl Show for Option<Version> {
    fn show(&self) -> ConfigValue {
        let text = |version: &Version| match version {
            Version::V1 => "v1",
            Version::V2 => "v2",
        };
        self.as_ref()
            .map_or(ConfigValue::None, |version| ConfigValue::Text(text(version).to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(change: impl FnOnce(&mut Values)) -> Result<Options, String> {
        let mut values = Values::default();
        change(&mut values);
        Options::check(&values).map_err(|e| e.to_string())
    }

    #[test]
    fn nothing_is_limited_but_a_login() {
        let options = checked(|_| ()).expect("right");
        let limits = options.time_limits();
        assert_eq!(limits.login.value(), Duration::from_secs(10));
        assert_eq!((limits.query(), limits.idle()), (limits.read.value(), limits.read.value()));
        assert_eq!((options.max_connections, options.max_connections_per_user), (0, 0));
        assert!(options.proxy_protocol_from.is_empty());
        assert!(!options.settings().names_clients);
    }

    #[test]
    fn values() {
        let options = checked(|v| {
            v.query_timeout = Some("1.5".into());
            v.max_connections_per_user = Some("7".into());
            v.proxy_protocol_from = vec!["10.0.0.0/8, ::1".into(), "192.0.2.1".into()];
            v.backend_proxy_protocol = Some("v2".into());
        });
        let options = options.expect("right");
        assert_eq!(options.time_limits().query(), Duration::from_millis(1500));
        assert_eq!(options.settings().max_connections_per_user, 7);
        assert_eq!(options.proxy_protocol_from.texts(), ["10.0.0.0/8", "::1/128", "192.0.2.1/32"]);
        assert!(options.settings().names_clients);
    }

    #[test]
    fn wrong_values() {
        assert_eq!(
            checked(|v| v.idle_timeout = Some("0".into())).expect_err("wrong"),
            "pyproxy-idle-timeout=0: expected a number of seconds greater than 0"
        );
        assert_eq!(
            checked(|v| v.max_connections = Some("many".into())).expect_err("wrong"),
            "pyproxy-max-connections=many: expected a whole number, or 0"
        );
        assert_eq!(
            checked(|v| v.backend_proxy_protocol = Some("3".into())).expect_err("wrong"),
            "pyproxy-backend-proxy-protocol=3: expected v1 or v2"
        );
        assert_eq!(
            checked(|v| v.proxy_protocol_from = vec!["lb1".into()]).expect_err("wrong"),
            "pyproxy-proxy-protocol-from=lb1: expected an IP address, or one with /bits"
        );
    }

    #[test]
    fn slow_logs() {
        let slow = |limit: Option<&str>, log: Option<&str>| {
            checked(|v| {
                (v.slow_query, v.slow_log) = (limit.map(str::to_owned), log.map(str::to_owned));
            })
        };
        let options = slow(Some("0.5"), Some("/tmp/slow.log")).expect("right");
        assert_eq!(options.slow_query, Duration::from_millis(500));
        assert!(slow(Some("0"), Some("/tmp/slow.log")).is_ok() && slow(Some("0"), None).is_ok());
        let wrong = |limit, log| slow(limit, log).expect_err("wrong");
        assert_eq!(wrong(Some("2"), None), "pyproxy-slow-query=2: this needs pyproxy-slow-log");
        let needs = "pyproxy-slow-log=/tmp/slow.log: this needs pyproxy-slow-query";
        assert_eq!(wrong(None, Some("/tmp/slow.log")), needs);
        let seconds = "pyproxy-slow-query=-1: expected a number of seconds, or 0";
        assert_eq!(wrong(Some("-1"), Some("/tmp/slow.log")), seconds);
    }

    #[test]
    fn statements_that_are_counted() {
        let count = |text: &str| checked(|v| v.query_stats = Some(text.into()));
        assert_eq!(count("5000").map(|options| options.query_stats), Ok(5000));
        assert_eq!(
            count("5001").expect_err("wrong"),
            "pyproxy-query-stats=5001: expected at most 5000"
        );
        assert_eq!(
            count("all").expect_err("wrong"),
            "pyproxy-query-stats=all: expected a whole number, or 0"
        );
    }

    #[test]
    fn a_takeover_has_a_path() {
        let path = |path: &str| checked(|v| v.takeover = Some(path.into()));
        assert_eq!(path("/run/t.sock").expect("right").takeover.as_deref(), Some("/run/t.sock"));
        assert_eq!(
            path("127.0.0.1:1").err().as_deref(),
            Some("pyproxy-takeover=127.0.0.1:1: expected the path of a unix socket")
        );
        assert!(path(&format!("/{}", "x".repeat(107))).is_err());
    }

    #[test]
    fn the_chassis_has_no_such_limits() {
        let chassis = |change: fn(&mut Values)| {
            checked(|v| {
                v.event_loop = Some("chassis".into());
                change(v);
            })
        };
        assert!(chassis(|v| v.max_connections_per_user = Some("1".into())).is_ok());
        assert_eq!(
            chassis(|v| v.max_connections = Some("1".into())).expect_err("refused"),
            "pyproxy-max-connections=1: this needs pyproxy-event-loop=own"
        );
        let others: [fn(&mut Values); 8] = [
            |v| v.takeover = Some("/run/pyproxy/takeover.sock".into()),
            |v| v.takeover_timeout = Some("1".into()),
            |v| v.login_timeout = Some("1".into()),
            |v| v.query_timeout = Some("1".into()),
            |v| v.idle_timeout = Some("1".into()),
            |v| v.max_connections_per_address = Some("1".into()),
            |v| v.proxy_protocol_from = vec!["::1".into()],
            |v| v.backend_proxy_protocol = Some("v1".into()),
        ];
        for other in others {
            let refused = chassis(other).expect_err("refused");
            assert!(refused.ends_with(": this needs pyproxy-event-loop=own"), "{refused}");
        }
    }
}
