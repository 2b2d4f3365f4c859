//! The options that the rules depend on.

/// What happens to a query whose hook failed (`pyproxy-on-script-error`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnScriptError {
    /// The client gets an ERR.
    #[default]
    Reject,
    /// As if the hook had said nothing.
    Forward,
}

/// The options that matter while a connection is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What to do when a hook fails.
    pub on_script_error: OnScriptError,
    /// FALSE: `read_query` and `read_query_result` are not called (`pyproxy-skip-profiling`).
    pub profiling: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { on_script_error: OnScriptError::default(), profiling: true }
    }
}
