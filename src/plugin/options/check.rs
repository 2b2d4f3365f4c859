//! What the values of options must be, and what they become.

use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use crate::chassis::address as host_address;
use crate::checks::Password;
use crate::drive::TimeLimit;
use crate::embed::ConfigValue;
use crate::http::token::Token;
use engine::OnScriptError;

/// One option as the user wrote it.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a, V> {
    /// The long name.
    pub option: &'static str,
    /// The value; `None`, empty or FALSE: not given.
    pub value: &'a V,
    /// What the table says for an option that is not given.
    pub default: Option<&'static str>,
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
    /// An error that names option and value.
    pub fn new(option: &'static str, value: &str, reason: impl ToString) -> Self {
        Self { option, value: value.to_owned(), reason: reason.to_string() }
    }
}

type Checked<T> = Result<T, OptionError>;
type GivenText<'a> = Given<'a, Option<String>>;
type GivenList<'a> = Given<'a, Vec<String>>;
type GivenSwitch<'a> = Given<'a, bool>;

impl GivenText<'_> {
    /// The text, or the default.
    fn text(&self) -> Option<&str> {
        self.value.as_deref().or(self.default)
    }
}

/// An address that can be listened on or connected to. Blocks for a name look-up.
pub fn address(given: GivenText<'_>) -> Checked<String> {
    let text = given.text().unwrap_or_default();
    host_address::check(text).map_err(|e| OptionError::new(given.option, text, e))?;
    Ok(text.to_owned())
}

/// Where the HTTP endpoint listens, if it does. Without a host only this machine reaches it. Blocks for a name look-up.
pub fn http_address(given: GivenText<'_>) -> Checked<Option<String>> {
    let Some(text) = given.text() else { return Ok(None) };
    host_address::check(text).map_err(|e| OptionError::new(given.option, text, e))?;
    let port = text.rsplit_once(':').map(|(_, port)| port);
    if !text.starts_with('/') && port.is_none_or(|port| port.ends_with(']')) {
        let reason = "expected host:port, :port or the path of a unix socket";
        return Err(OptionError::new(given.option, text, reason));
    }
    Ok(Some(if text.starts_with(':') { format!("127.0.0.1{text}") } else { text.to_owned() }))
}

/// Addresses; each value may be a comma list.
pub fn addresses(given: GivenList<'_>) -> Checked<Vec<String>> {
    let mut list = Vec::new();
    for value in given.value {
        for item in value.split(',').map(str::trim) {
            host_address::check(item).map_err(|e| OptionError::new(given.option, value, e))?;
            list.push(item.to_owned());
        }
    }
    if list.is_empty() {
        list.extend(given.default.map(str::to_owned));
    }
    Ok(list)
}

/// A file that can be read.
pub fn file(given: GivenText<'_>) -> Checked<Option<PathBuf>> {
    let Some(path) = given.text() else { return Ok(None) };
    match std::fs::File::open(path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_file() => Ok(Some(PathBuf::from(path))),
        Ok(_) => Err(OptionError::new(given.option, path, "this is not a file")),
        Err(e) => Err(OptionError::new(given.option, path, e)),
    }
}

/// The token in a file that only its owner may read.
pub fn token(given: GivenText<'_>) -> Checked<Option<Token>> {
    let Some(path) = given.text() else { return Ok(None) };
    let read = Token::read(Path::new(path));
    read.map(Some).map_err(|e| OptionError::new(given.option, path, e))
}

/// The password in a file that only its owner may read.
pub fn password(given: GivenText<'_>) -> Checked<Option<Password>> {
    let Some(path) = given.text() else { return Ok(None) };
    let read = Password::read(Path::new(path));
    read.map(Some).map_err(|e| OptionError::new(given.option, path, e))
}

/// The folder of a virtual environment.
pub fn virtual_environment(given: GivenText<'_>) -> Checked<Option<PathBuf>> {
    let Some(path) = given.text() else { return Ok(None) };
    let config = PathBuf::from(path).join("pyvenv.cfg");
    match std::fs::File::open(&config) {
        Ok(_) => Ok(Some(PathBuf::from(path))),
        Err(e) => {
            let reason = format!("this is no virtual environment: {}: {e}", config.display());
            Err(OptionError::new(given.option, path, reason))
        }
    }
}

/// A switch that turns something on.
pub fn on(given: GivenSwitch<'_>) -> Checked<bool> {
    Ok(*given.value)
}

/// A switch that turns something off.
pub fn off(given: GivenSwitch<'_>) -> Checked<bool> {
    Ok(!given.value)
}

/// A version as servers tell it: clients look for the numbers at its start.
pub fn server_version(given: GivenText<'_>) -> Checked<Option<String>> {
    let Some(text) = given.text() else { return Ok(None) };
    let numbers =
        text.splitn(3, '.').filter(|part| part.starts_with(|it: char| it.is_ascii_digit()));
    if numbers.count() == 3 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(text.to_owned()));
    }
    let reason = "expected a version like 8.0.36, and nothing but ASCII behind it";
    Err(OptionError::new(given.option, text, reason))
}

/// Who moves the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventLoop {
    /// Threads of the plugin.
    Own,
    /// mysql-proxy's state machine, callback by callback.
    Chassis,
}

/// Which loop.
pub fn event_loop(given: GivenText<'_>) -> Checked<EventLoop> {
    match given.text().map(str::trim).unwrap_or_default() {
        "own" => Ok(EventLoop::Own),
        "chassis" => Ok(EventLoop::Chassis),
        other => Err(OptionError::new(given.option, other, "expected own or chassis")),
    }
}

/// A number of seconds, or 0.
pub fn seconds_or_none(given: GivenText<'_>) -> Checked<Duration> {
    let text = given.text().unwrap_or_default();
    let number = text.trim().parse().ok();
    number
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or_else(|| OptionError::new(given.option, text, "expected a number of seconds, or 0"))
}

/// A number of seconds.
pub fn seconds(given: GivenText<'_>) -> Checked<TimeLimit> {
    let parse = |text: &str| {
        let wrong = || {
            let reason = "expected a number of seconds greater than 0";
            OptionError::new(given.option, text, reason)
        };
        let number: f64 = text.trim().parse().map_err(|_| wrong())?;
        let duration = Duration::try_from_secs_f64(number).map_err(|_| wrong())?;
        // Less than a microsecond would reach the host as "no time at all".
        if duration.as_micros() == 0 { Err(wrong()) } else { Ok(duration) }
    };
    let default = parse(given.default.unwrap_or_default())?;
    Ok(TimeLimit { given: given.value.as_deref().map(parse).transpose()?, default })
}

/// A number of bytes greater than 0; K, M or G behind it multiply.
pub fn bytes(given: GivenText<'_>) -> Checked<usize> {
    let text = given.text().unwrap_or_default();
    let number = text.trim();
    let (digits, unit) = match number.as_bytes().last().map(u8::to_ascii_uppercase) {
        Some(b'K') => (&number[..number.len() - 1], 1 << 10),
        Some(b'M') => (&number[..number.len() - 1], 1 << 20),
        Some(b'G') => (&number[..number.len() - 1], 1 << 30),
        _ => (number, 1),
    };
    let bytes = digits.parse::<usize>().ok().and_then(|count| count.checked_mul(unit));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| {
        let reason = "expected a number of bytes greater than 0, or one with K, M or G";
        OptionError::new(given.option, text, reason)
    })
}

/// What happens to a query whose hook failed.
pub fn on_script_error(given: GivenText<'_>) -> Checked<OnScriptError> {
    match given.text().map(str::trim).unwrap_or_default() {
        "reject" => Ok(OnScriptError::Reject),
        "forward" => Ok(OnScriptError::Forward),
        other => Err(OptionError::new(given.option, other, "expected reject or forward")),
    }
}

/// What an attribute of `proxy.globals.config` is made of.
pub trait Show {
    /// The attribute's value.
    fn show(&self) -> ConfigValue;
}

impl Show for bool {
    fn show(&self) -> ConfigValue {
        ConfigValue::Bool(*self)
    }
}

impl Show for usize {
    fn show(&self) -> ConfigValue {
        ConfigValue::Bytes(*self)
    }
}

impl Show for String {
    fn show(&self) -> ConfigValue {
        ConfigValue::Text(self.clone())
    }
}

impl Show for Vec<String> {
    fn show(&self) -> ConfigValue {
        ConfigValue::TextList(self.clone())
    }
}

impl Show for Option<PathBuf> {
    fn show(&self) -> ConfigValue {
        self.clone().map_or(ConfigValue::None, ConfigValue::Path)
    }
}

impl Show for TimeLimit {
    fn show(&self) -> ConfigValue {
        ConfigValue::Seconds(self.value().as_secs_f64())
    }
}

impl Show for Duration {
    fn show(&self) -> ConfigValue {
        ConfigValue::Seconds(self.as_secs_f64())
    }
}

impl Show for EventLoop {
    fn show(&self) -> ConfigValue {
        let text = match self {
            Self::Own => "own",
            Self::Chassis => "chassis",
        };
        ConfigValue::Text(text.to_owned())
    }
}

impl Show for OnScriptError {
    fn show(&self) -> ConfigValue {
        let text = match self {
            Self::Reject => "reject",
            Self::Forward => "forward",
        };
        ConfigValue::Text(text.to_owned())
    }
}
