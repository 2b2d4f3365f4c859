//! The options: their meaning, defaults and checks (`docs/options.md`).

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::chassis::address;
use crate::embed::ConfigValue;
use crate::hooks::{OnScriptError, Settings};

/// Where clients connect if nothing else is said.
const DEFAULT_ADDRESS: &str = ":4045";
/// The backend if none is named.
const DEFAULT_BACKEND: &str = "127.0.0.1:3306";

/// Enough for what a script can reasonably look at row by row.
const DEFAULT_MAX_KEPT_BYTES: usize = 256 << 20;

/// The options as the user wrote them; `None` or empty: not given.
#[derive(Debug, Default, Clone)]
pub struct Values {
    /// `pyproxy-address`
    pub address: Option<String>,
    /// `pyproxy-backend-addresses`
    pub backend_addresses: Vec<String>,
    /// `pyproxy-readonly-backend-address`
    pub readonly_backend_address: Vec<String>,
    /// `pyproxy-read-only-backend-addresses`
    pub read_only_backend_addresses: Vec<String>,
    /// `pyproxy-python-script`
    pub python_script: Option<String>,
    /// `pyproxy-script-config`
    pub script_config: Option<String>,
    /// `pyproxy-skip-profiling`
    pub skip_profiling: bool,
    /// `no-pyproxy`
    pub no_pyproxy: bool,
    /// `pyproxy-pool-no-change-user`
    pub pool_no_change_user: bool,
    /// `pyproxy-connect-timeout`
    pub connect_timeout: Option<String>,
    /// `pyproxy-read-timeout`
    pub read_timeout: Option<String>,
    /// `pyproxy-write-timeout`
    pub write_timeout: Option<String>,
    /// `pyproxy-on-script-error`
    pub on_script_error: Option<String>,
    /// `pyproxy-max-kept-bytes`
    pub max_kept_bytes: Option<String>,
    /// `pyproxy-reload`
    pub reload: bool,
    /// `pyproxy-venv`
    pub venv: Option<String>,
}

/// The checked options.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen.
    pub address: String,
    /// Read-write backends, in order.
    pub backends: Vec<String>,
    /// Read-only backends, in order.
    pub readonly_backends: Vec<String>,
    /// The hook script.
    pub script: Option<PathBuf>,
    /// The ini file with the script's settings.
    pub script_config: Option<PathBuf>,
    /// FALSE: loaded but not started.
    pub enabled: bool,
    /// Log a pooled connection in again for its next client.
    pub pool_change_user: bool,
    /// The most memory that kept results and made answers may take for one connection, in bytes.
    pub max_kept_bytes: usize,
    /// Look for a newer script at each new connection.
    pub reload: bool,
    /// The script's virtual environment.
    pub venv: Option<PathBuf>,
    /// What the hooks need.
    pub settings: Settings,
}

/// An option with a value that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{option}={value}: {reason}")]
pub struct OptionError {
    /// The long name of the option.
    pub option: &'static str,
    /// What was given.
    pub value: String,
    /// What is wrong with it.
    pub reason: String,
}

impl OptionError {
    fn new(option: &'static str, value: &str, reason: impl ToString) -> Self {
        Self { option, value: value.to_owned(), reason: reason.to_string() }
    }
}

impl Options {
    /// Checks all values; the first wrong one is the error. Blocks for name look-ups.
    pub fn check(values: &Values) -> Result<Self, OptionError> {
        let enabled = !values.no_pyproxy;
        let address = values.address.clone().unwrap_or_else(|| DEFAULT_ADDRESS.to_owned());
        check_address("pyproxy-address", &address)?;
        let mut seen = BTreeSet::new();
        let mut backends =
            address_list("pyproxy-backend-addresses", &values.backend_addresses, &mut seen)?;
        if backends.is_empty() {
            backends.push(DEFAULT_BACKEND.to_owned());
            seen.insert(DEFAULT_BACKEND.to_owned());
        }
        let mut readonly_backends = address_list(
            "pyproxy-readonly-backend-address",
            &values.readonly_backend_address,
            &mut seen,
        )?;
        readonly_backends.extend(address_list(
            "pyproxy-read-only-backend-addresses",
            &values.read_only_backend_addresses,
            &mut seen,
        )?);
        let script = readable_file("pyproxy-python-script", values.python_script.as_deref())?;
        let script_config =
            readable_file("pyproxy-script-config", values.script_config.as_deref())?;
        let venv = virtual_environment("pyproxy-venv", values.venv.as_deref())?;
        let settings = Settings {
            connect_timeout: seconds("pyproxy-connect-timeout", &values.connect_timeout)?,
            read_timeout: seconds("pyproxy-read-timeout", &values.read_timeout)?,
            write_timeout: seconds("pyproxy-write-timeout", &values.write_timeout)?,
            on_script_error: policy("pyproxy-on-script-error", &values.on_script_error)?,
            profiling: !values.skip_profiling,
        };
        Ok(Self {
            address,
            backends,
            readonly_backends,
            script,
            script_config,
            enabled,
            pool_change_user: !values.pool_no_change_user,
            max_kept_bytes: bytes("pyproxy-max-kept-bytes", &values.max_kept_bytes)?,
            reload: values.reload,
            venv,
            settings,
        })
    }

    /// What `proxy.globals.config` shows.
    pub fn for_scripts(&self) -> Vec<(&'static str, ConfigValue)> {
        let seconds = |timeout: Option<Duration>, default: f64| {
            ConfigValue::Seconds(timeout.map_or(default, |timeout| timeout.as_secs_f64()))
        };
        let path =
            |path: &Option<PathBuf>| path.clone().map_or(ConfigValue::None, ConfigValue::Path);
        let policy = match self.settings.on_script_error {
            OnScriptError::Reject => "reject",
            OnScriptError::Forward => "forward",
        };
        const EIGHT_HOURS: f64 = 8.0 * 3600.0;
        vec![
            ("address", ConfigValue::Text(self.address.clone())),
            ("backend_addresses", ConfigValue::TextList(self.backends.clone())),
            ("read_only_backend_addresses", ConfigValue::TextList(self.readonly_backends.clone())),
            ("python_script", path(&self.script)),
            ("script_config", path(&self.script_config)),
            ("profiling", ConfigValue::Bool(self.settings.profiling)),
            ("start_proxy", ConfigValue::Bool(self.enabled)),
            ("pool_change_user", ConfigValue::Bool(self.pool_change_user)),
            ("connect_timeout", seconds(self.settings.connect_timeout, 2.0)),
            ("read_timeout", seconds(self.settings.read_timeout, EIGHT_HOURS)),
            ("write_timeout", seconds(self.settings.write_timeout, EIGHT_HOURS)),
            ("on_script_error", ConfigValue::Text(policy.to_owned())),
            ("max_kept_bytes", ConfigValue::Bytes(self.max_kept_bytes)),
            ("reload", ConfigValue::Bool(self.reload)),
            ("venv", path(&self.venv)),
        ]
    }
}

fn check_address(option: &'static str, text: &str) -> Result<(), OptionError> {
    address::check(text).map_err(|e| OptionError::new(option, text, e))
}

/// Values may be comma lists; `seen` refuses an address that is listed twice, in whatever option.
fn address_list(
    option: &'static str,
    values: &[String],
    seen: &mut BTreeSet<String>,
) -> Result<Vec<String>, OptionError> {
    let mut list = Vec::new();
    for value in values {
        for item in value.split(',').map(str::trim) {
            address::check(item).map_err(|e| OptionError::new(option, value, e))?;
            if !seen.insert(item.to_owned()) {
                return Err(OptionError::new(option, item, "this backend is listed twice"));
            }
            list.push(item.to_owned());
        }
    }
    Ok(list)
}

fn readable_file(option: &'static str, path: Option<&str>) -> Result<Option<PathBuf>, OptionError> {
    let Some(path) = path else { return Ok(None) };
    match std::fs::File::open(path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => Ok(Some(PathBuf::from(path))),
        Ok(_) => Err(OptionError::new(option, path, "this is not a file")),
        Err(e) => Err(OptionError::new(option, path, e)),
    }
}

fn virtual_environment(
    option: &'static str,
    path: Option<&str>,
) -> Result<Option<PathBuf>, OptionError> {
    let Some(path) = path else { return Ok(None) };
    let config = PathBuf::from(path).join("pyvenv.cfg");
    match std::fs::File::open(&config) {
        Ok(_) => Ok(Some(PathBuf::from(path))),
        Err(e) => {
            let reason = format!("this is no virtual environment: {}: {e}", config.display());
            Err(OptionError::new(option, path, reason))
        }
    }
}

fn seconds(option: &'static str, value: &Option<String>) -> Result<Option<Duration>, OptionError> {
    let Some(text) = value else { return Ok(None) };
    let wrong = || OptionError::new(option, text, "expected a number of seconds greater than 0");
    let number: f64 = text.trim().parse().map_err(|_| wrong())?;
    let duration = Duration::try_from_secs_f64(number).map_err(|_| wrong())?;
    // Less than a microsecond would reach the host as "no time at all".
    if duration.as_micros() == 0 { Err(wrong()) } else { Ok(Some(duration)) }
}

fn bytes(option: &'static str, value: &Option<String>) -> Result<usize, OptionError> {
    let Some(text) = value else { return Ok(DEFAULT_MAX_KEPT_BYTES) };
    let wrong = || {
        OptionError::new(
            option,
            text,
            "expected a number of bytes greater than 0, or one with K, M or G",
        )
    };
    let number = text.trim();
    let (digits, unit) = match number.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => (&number[..number.len() - 1], 1 << 10),
        Some(b'M') => (&number[..number.len() - 1], 1 << 20),
        Some(b'G') => (&number[..number.len() - 1], 1 << 30),
        _ => (number, 1),
    };
    let count: usize = digits.parse().map_err(|_| wrong())?;
    count.checked_mul(unit).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

fn policy(option: &'static str, value: &Option<String>) -> Result<OnScriptError, OptionError> {
    match value.as_deref().map(str::trim) {
        None | Some("reject") => Ok(OnScriptError::Reject),
        Some("forward") => Ok(OnScriptError::Forward),
        Some(other) => Err(OptionError::new(option, other, "expected reject or forward")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(change: impl FnOnce(&mut Values)) -> String {
        let mut values = Values::default();
        change(&mut values);
        Options::check(&values).expect_err("a wrong value").to_string()
    }

    #[test]
    fn defaults() {
        let options = Options::check(&Values::default()).expect("defaults are right");
        assert_eq!(options.address, ":4045");
        assert_eq!(options.backends, ["127.0.0.1:3306"]);
        assert!(options.readonly_backends.is_empty() && options.script.is_none());
        assert!(options.enabled && options.pool_change_user && options.settings.profiling);
        assert_eq!(options.settings.on_script_error, OnScriptError::Reject);
        assert_eq!(options.settings.connect_timeout, None);
    }

    #[test]
    fn lists_may_be_repeated_and_comma_separated() {
        let values = Values {
            backend_addresses: vec!["127.0.0.1:1, 127.0.0.1:2".into(), "127.0.0.1:3".into()],
            readonly_backend_address: vec!["127.0.0.1:4".into()],
            read_only_backend_addresses: vec!["127.0.0.1:5".into()],
            ..Values::default()
        };
        let options = Options::check(&values).expect("right");
        assert_eq!(options.backends, ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]);
        assert_eq!(options.readonly_backends, ["127.0.0.1:4", "127.0.0.1:5"]);
    }

    #[test]
    fn fractions_of_a_second_survive() {
        let values = Values { connect_timeout: Some("0.7".into()), ..Values::default() };
        let options = Options::check(&values).expect("right");
        assert_eq!(options.settings.connect_timeout, Some(Duration::from_millis(700)));
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("1", 1), ("10k", 10 << 10), ("3M", 3 << 20), (" 2G ", 2 << 30)] {
            let values = Values { max_kept_bytes: Some(text.into()), ..Values::default() };
            assert_eq!(Options::check(&values).expect("right").max_kept_bytes, bytes, "{text}");
        }
        for wrong in ["", "0", "0M", "-1", "M", "1T", "1.5M", "99999999999G"] {
            let text = error(|v| v.max_kept_bytes = Some(wrong.into()));
            assert!(
                text.starts_with(&format!("pyproxy-max-kept-bytes={wrong}: expected a")),
                "{text}"
            );
        }
    }

    #[test]
    fn wrong_values_name_option_and_value() {
        assert_eq!(
            error(|v| v.address = Some("127.0.0.1:99999".into())),
            "pyproxy-address=127.0.0.1:99999: the port must be a number from 1 to 65535"
        );
        assert_eq!(
            error(|v| v.backend_addresses = vec!["127.0.0.1:1,127.0.0.1:1".into()]),
            "pyproxy-backend-addresses=127.0.0.1:1: this backend is listed twice"
        );
        assert_eq!(
            error(|v| v.on_script_error = Some("ignore".into())),
            "pyproxy-on-script-error=ignore: expected reject or forward"
        );
        for wrong in ["0", "-1", "x", "NaN", "inf", ""] {
            let text = error(|v| v.read_timeout = Some(wrong.into()));
            assert_eq!(
                text,
                format!(
                    "pyproxy-read-timeout={wrong}: expected a number of seconds greater than 0"
                )
            );
        }
        assert!(
            error(|v| v.python_script = Some("/no/such/script.py".into()))
                .starts_with("pyproxy-python-script=/no/such/script.py: No such file")
        );
        assert!(
            error(|v| v.script_config = Some("/".into()))
                .starts_with("pyproxy-script-config=/: this is not a file")
        );
        assert!(
            error(|v| v.venv = Some("/".into())).starts_with("pyproxy-venv=/: this is no virt")
        );
    }
}
