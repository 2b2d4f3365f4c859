//! The ini file: group `[mysql-proxy]`, keys named like the long options.
//!
//! Facts: `docs/internals/life.md#the-ini-file`, with the original's quirks: an integer or flag in the file overrides
//! the command line, a reversed flag takes the raw value, a fractional number damages its target, an option of another
//! kind ends the process.

use std::ffi::{CStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::ptr;

use glib_sys::{
    G_OPTION_ARG_DOUBLE, G_OPTION_ARG_FILENAME, G_OPTION_ARG_FILENAME_ARRAY, G_OPTION_ARG_INT,
    G_OPTION_ARG_NONE, G_OPTION_ARG_STRING, G_OPTION_ARG_STRING_ARRAY, GError, GKeyFile,
    GOptionEntry,
};

use crate::options::chassis_resolve_path;
use crate::{glib, log};

/// The only group that is read.
const GROUP: &CStr = c"mysql-proxy";
/// Permission bits of others: none may be set.
const OTHERS: u32 = 0o007;

/// An ini file in memory.
pub struct KeyFile(*mut GKeyFile);

/// Refuses what is no regular file or open to others.
fn check_mode(path: &Path) -> Result<(), String> {
    let metadata =
        path.metadata().map_err(|error| format!("cannot stat({}): {error}", path.display()))?;
    if !metadata.is_file() {
        return Err(format!("{} isn't a regular file", path.display()));
    }
    if metadata.permissions().mode() & OTHERS != 0 {
        return Err(format!(
            "permissions of {} aren't secure (0660 or stricter required)",
            path.display()
        ));
    }
    Ok(())
}

impl KeyFile {
    /// Reads `path`.
    pub fn open(path: &Path) -> Result<Self, String> {
        check_mode(path)?;
        let name = glib::c_string(path.as_os_str().as_bytes());
        let mut error = ptr::null_mut();
        // SAFETY: a fresh key file and a C string; GLib sets the error when it fails.
        unsafe {
            let file = Self(glib_sys::g_key_file_new());
            glib_sys::g_key_file_set_list_separator(file.0, c_char::from_ne_bytes([b',']));
            glib_sys::g_key_file_load_from_file(
                file.0,
                name.as_ptr(),
                glib_sys::G_KEY_FILE_NONE,
                &raw mut error,
            );
            match glib::take_error(error) {
                None => Ok(file),
                Some(error) => Err(error.message),
            }
        }
    }

    /// Stores the file's values in the options of a table.
    ///
    /// # Safety
    /// `entries` is a table with its end, and each `arg_data` is NULL or points to a value of its kind.
    pub unsafe fn apply(&self, entries: *const GOptionEntry) -> Result<(), String> {
        // SAFETY: the key file is live.
        if unsafe { glib_sys::g_key_file_has_group(self.0, GROUP.as_ptr()) } == glib_sys::GFALSE {
            return Ok(());
        }
        // SAFETY: as the caller promises.
        for entry in unsafe { table(entries) } {
            let mut error: *mut GError = ptr::null_mut();
            // SAFETY: as the caller promises; GLib sets the error when it fails.
            let error = unsafe {
                self.apply_one(entry, &raw mut error);
                glib::take_error(error)
            };
            match error {
                Some(error) if error.code != glib_sys::G_KEY_FILE_ERROR_KEY_NOT_FOUND => {
                    return Err(error.message);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// # Safety
    /// As for [`KeyFile::apply`], and `error` is a place with NULL.
    unsafe fn apply_one(&self, entry: &GOptionEntry, error: *mut *mut GError) {
        let (file, group, key) = (self.0, GROUP.as_ptr(), entry.long_name);
        // SAFETY: as the caller promises: the kind tells what `arg_data` points to.
        unsafe {
            match entry.arg {
                G_OPTION_ARG_STRING | G_OPTION_ARG_FILENAME => {
                    let target = entry.arg_data.cast::<*mut c_char>();
                    if target.is_null() || !(*target).is_null() {
                        return;
                    }
                    let value = glib_sys::g_key_file_get_string(file, group, key, error);
                    if (*error).is_null() {
                        *target = glib_sys::g_strchomp(value);
                    }
                }
                G_OPTION_ARG_STRING_ARRAY | G_OPTION_ARG_FILENAME_ARRAY => {
                    let target = entry.arg_data.cast::<*mut *mut c_char>();
                    if target.is_null() || !(*target).is_null() {
                        return;
                    }
                    let value = glib_sys::g_key_file_get_string_list(
                        file,
                        group,
                        key,
                        ptr::null_mut(),
                        error,
                    );
                    if (*error).is_null() {
                        for_each(value, |item| {
                            *item = glib_sys::g_strchug(glib_sys::g_strchomp(*item))
                        });
                        *target = value;
                    }
                }
                G_OPTION_ARG_NONE => {
                    let value = glib_sys::g_key_file_get_boolean(file, group, key, error);
                    if (*error).is_null() {
                        *entry.arg_data.cast::<c_int>() = value;
                    }
                }
                G_OPTION_ARG_INT => {
                    let value = glib_sys::g_key_file_get_integer(file, group, key, error);
                    if (*error).is_null() {
                        *entry.arg_data.cast::<c_int>() = value;
                    }
                }
                G_OPTION_ARG_DOUBLE => {
                    let value = glib_sys::g_key_file_get_double(file, group, key, error);
                    if (*error).is_null() {
                        // The original stores an int in the first half of the double.
                        #[expect(
                            clippy::cast_possible_truncation,
                            reason = "the quirk that is repeated here"
                        )]
                        let damaged = value as c_int;
                        *entry.arg_data.cast::<c_int>() = damaged;
                    }
                }
                kind => {
                    let name = glib::text(glib::c_bytes(key));
                    log::fatal(&format!(
                        "(keyfile) the option {name} of kind {kind} can't be handled"
                    ));
                }
            }
        }
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        // SAFETY: the key file is live and not used any more.
        unsafe { glib_sys::g_key_file_free(self.0) };
    }
}

/// The entries of an option table.
///
/// # Safety
/// `entries` is a table that ends with an entry without a name and lives during `'t`.
unsafe fn table<'t>(entries: *const GOptionEntry) -> impl Iterator<Item = &'t GOptionEntry> {
    let mut next = entries;
    std::iter::from_fn(move || {
        // SAFETY: as the caller promises.
        let entry = unsafe { &*next };
        next = next.wrapping_add(1);
        (!entry.long_name.is_null()).then_some(entry)
    })
}

/// Runs `visit` on the place of each string of an array.
///
/// # Safety
/// `array` is NULL or an array of C strings that ends with NULL.
unsafe fn for_each(array: *mut *mut c_char, mut visit: impl FnMut(*mut *mut c_char)) {
    let mut place = array;
    // SAFETY: as the caller promises.
    while !place.is_null() && !unsafe { *place }.is_null() {
        visit(place);
        place = place.wrapping_add(1);
    }
}

/// The strings of an array.
///
/// # Safety
/// As for [`for_each`].
pub unsafe fn strings(array: *mut *mut c_char) -> Vec<String> {
    let mut strings = Vec::new();
    // SAFETY: as the caller promises.
    unsafe { for_each(array, |item| strings.push(glib::text(glib::c_bytes(*item)))) };
    strings
}

/// Makes the file names of an option table absolute.
///
/// # Safety
/// As for [`KeyFile::apply`].
pub unsafe fn resolve_filenames(base_dir: &Path, entries: *const GOptionEntry) {
    let base = glib::c_string(base_dir.as_os_str().as_bytes());
    // SAFETY: as the caller promises.
    for entry in unsafe { table(entries) }.filter(|entry| !entry.arg_data.is_null()) {
        // SAFETY: as the caller promises.
        unsafe {
            match entry.arg {
                G_OPTION_ARG_FILENAME => {
                    chassis_resolve_path(base.as_ptr(), entry.arg_data.cast());
                }
                G_OPTION_ARG_FILENAME_ARRAY => {
                    for_each(*entry.arg_data.cast(), |item| {
                        chassis_resolve_path(base.as_ptr(), item);
                    });
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[repr(C)]
    struct Values {
        text: *mut c_char,
        given: *mut c_char,
        list: *mut *mut c_char,
        file: *mut c_char,
        flag: c_int,
        reversed: c_int,
        number: c_int,
        fraction: f64,
    }

    fn entry<T>(name: &'static CStr, kind: c_int, value: *mut T) -> GOptionEntry {
        GOptionEntry {
            long_name: name.as_ptr(),
            short_name: 0,
            flags: if name == c"reversed" {
                glib_sys::G_OPTION_FLAG_REVERSE.cast_signed()
            } else {
                0
            },
            arg: kind,
            arg_data: value.cast(),
            description: ptr::null(),
            arg_description: ptr::null(),
        }
    }

    fn write_ini(dir: &Path, content: &str, mode: u32) -> std::path::PathBuf {
        let path = dir.join("conf");
        fs::write(&path, content).expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
        path
    }

    #[test]
    fn values_are_read_with_the_originals_quirks() {
        let dir = tempfile::tempdir().expect("a directory");
        let ini = "[mysql-proxy]\ntext = a b  \ngiven = ini\nlist = x , y,z\nfile = rel\nflag = true\n\
                   reversed = true\nnumber = 7\nfraction = 3\nunknown = 1\n[other]\nnumber = 9\n";
        let file = KeyFile::open(&write_ini(dir.path(), ini, 0o660)).expect("opens");
        let values: *mut Values = glib::alloc_zeroed();
        // SAFETY: the table matches the values, which live for ever.
        unsafe {
            (*values).given = glib::strdup(b"command line");
            (*values).number = 1;
            (*values).fraction = -1.0;
            let entries = [
                entry(c"text", G_OPTION_ARG_STRING, &raw mut (*values).text),
                entry(c"given", G_OPTION_ARG_STRING, &raw mut (*values).given),
                entry(c"list", G_OPTION_ARG_STRING_ARRAY, &raw mut (*values).list),
                entry(c"file", G_OPTION_ARG_FILENAME, &raw mut (*values).file),
                entry(c"flag", G_OPTION_ARG_NONE, &raw mut (*values).flag),
                entry(c"reversed", G_OPTION_ARG_NONE, &raw mut (*values).reversed),
                entry(c"number", G_OPTION_ARG_INT, &raw mut (*values).number),
                entry(c"fraction", G_OPTION_ARG_DOUBLE, &raw mut (*values).fraction),
                entry(c"absent", G_OPTION_ARG_INT, &raw mut (*values).number),
                GOptionEntry { long_name: ptr::null(), ..entry(c"", 0, ptr::null_mut::<c_int>()) },
            ];
            file.apply(entries.as_ptr()).expect("applies");
            resolve_filenames(Path::new("/base"), entries.as_ptr());
            let text = |value| glib::text(glib::c_bytes(value));
            assert_eq!(text((*values).text), "a b");
            assert_eq!(text((*values).given), "command line");
            assert_eq!(strings((*values).list), ["x", "y", "z"]);
            assert_eq!(text((*values).file), "/base/rel");
            assert_eq!(((*values).flag, (*values).reversed), (1, 1));
            assert_eq!((*values).number, 7, "the file wins over the command line");
            assert_eq!((*values).fraction, -1.000_000_000_000_000_7);
        }
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = KeyFile::open(&write_ini(dir.path(), "[mysql-proxy]\nnumber = x\n", 0o600))
            .expect("opens");
        let mut number: c_int = 0;
        let entries = [
            entry(c"number", G_OPTION_ARG_INT, &raw mut number),
            GOptionEntry { long_name: ptr::null(), ..entry(c"", 0, ptr::null_mut::<c_int>()) },
        ];
        // SAFETY: the table matches its value.
        let refused = unsafe { file.apply(entries.as_ptr()) }.expect_err("no number");
        assert!(refused.contains("number"), "{refused}");
    }

    #[test]
    fn files_that_others_may_use_are_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        for mode in [0o664, 0o662, 0o661] {
            let path = write_ini(dir.path(), "[mysql-proxy]\n", mode);
            let refused = KeyFile::open(&path).err().expect("refused");
            assert!(refused.contains("aren't secure"), "{refused}");
        }
        assert!(KeyFile::open(dir.path()).err().expect("a directory").contains("regular file"));
        assert!(
            KeyFile::open(&dir.path().join("none")).err().expect("missing").contains("cannot stat")
        );
    }
}
