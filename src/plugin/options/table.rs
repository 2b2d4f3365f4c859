//! The macro behind the table of options: one row is all that an option needs, but for its check.

/// Makes of each row
///
/// ```text
/// "long-name" (Kind "<argument>") "help" (default "text") => field: Type = check, shown as "name";
/// ```
///
/// * the storage for the host's option parser, and the entry that points to it ([`RawOptions`](super::RawOptions));
/// * a field of what the user wrote ([`Values`](super::Values));
/// * a field of the checked [`Options`](super::Options): what `check` makes of the [`Given`](super::check::Given);
/// * an attribute of `proxy.globals.config`, if the row says how it is shown.
///
/// The default is what stands in `--help`, and what `check` takes if the option is not given. Options are checked in the
/// order of the rows.
macro_rules! option_table {
    ($(
        $name:literal ($kind:ident $($argument:literal)?) $help:literal $((default $default:literal))?
            => $field:ident: $type:ty = $check:path $(, shown as $shown:literal)?;
    )*) => {
        /// Storage that the option parser writes to. Lives behind the host's `plugin->config` from `init` to `destroy`.
        #[derive(Debug)]
        pub struct RawOptions {
            $($field: kind::$kind,)*
            entries: Vec<GOptionEntry>,
        }

        impl RawOptions {
            /// Empty storage and the entries that point into it. On the heap, so that it never moves.
            pub fn new() -> Box<Self> {
                let mut raw =
                    Box::new(Self { $($field: Default::default(),)* entries: Vec::new() });
                raw.entries = vec![
                    $(kind::entry(
                        const { c_text(concat!($name, "\0")) },
                        &raw mut raw.$field,
                        const { c_text(concat!($help $(, " (default: ", $default, ")")?, "\0")) },
                        None $(.or(const { Some(c_text(concat!($argument, "\0"))) }))?,
                    ),)*
                    kind::end(),
                ];
                raw
            }

            /// The array for the host's option parser; it lives as long as `self`.
            pub fn entries(&mut self) -> *mut GOptionEntry {
                self.entries.as_mut_ptr()
            }

            /// Copies what the option parser left.
            pub fn values(&self) -> Values {
                Values { $($field: self.$field.value(),)* }
            }
        }

        /// The options as the user wrote them; `None`, empty or FALSE: not given.
        #[derive(Debug, Default, Clone)]
        pub struct Values {
            $(#[doc = concat!("`", $name, "`")] pub $field: <kind::$kind as Kind>::Value,)*
        }

        /// The checked options.
        #[derive(Debug, Clone)]
        pub struct Options {
            $(#[doc = concat!("From `", $name, "`: ", $help, ".")] pub $field: $type,)*
        }

        impl Options {
            /// Checks each value by itself; the first wrong one is the error.
            fn check_each(values: &Values) -> Result<Self, OptionError> {
                Ok(Self {
                    $($field: $check(Given {
                        option: $name,
                        value: &values.$field,
                        default: None $(.or(Some($default)))?,
                    })?,)*
                })
            }

            /// What `proxy.globals.config` shows.
            pub fn for_scripts(&self) -> Vec<(&'static str, ConfigValue)> {
                [$(None $(.or(Some(($shown, Show::show(&self.$field)))))?,)*]
                    .into_iter()
                    .flatten()
                    .collect()
            }
        }

        /// The long names.
        pub const NAMES: &[&str] = &[$($name),*];
    };
}

pub(super) use option_table;
