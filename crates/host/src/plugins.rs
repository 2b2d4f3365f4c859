//! Loading plugins and calling the entries of their table.
//!
//! Facts: `docs/internals/life.md#loading`, `docs/internals/abi.md#the-plugin-table`.

use std::ffi::{c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::{self, NonNull};

use chassis_sys::{CHASSIS_PLUGIN_MAGIC, chassis, chassis_plugin};
use glib_sys::{GOptionEntry, gboolean};

use crate::exports::export;
use crate::keyfile::{self, KeyFile};
use crate::options::CommandLine;
use crate::{glib, log};

/// `G_MODULE_BIND_LOCAL`: GModule opens with `RTLD_NOW | RTLD_LOCAL`.
const BIND_LOCAL: c_int = 2;

/// The entry function of a plugin.
type PluginInit = unsafe extern "C" fn(*mut chassis_plugin) -> c_int;

unsafe extern "C" {
    fn g_module_open(path: *const c_char, flags: c_int) -> *mut c_void;
    fn g_module_symbol(
        module: *mut c_void,
        name: *const c_char,
        symbol: *mut *mut c_void,
    ) -> gboolean;
    fn g_module_error() -> *const c_char;
    fn g_module_close(module: *mut c_void) -> gboolean;
}

fn module_error() -> String {
    // SAFETY: returns a C string of this thread, or NULL.
    glib::text(unsafe { glib::c_bytes(g_module_error()) })
}

/// A loaded plugin. Dropping it frees its statistics and closes the library.
pub struct Plugin(NonNull<chassis_plugin>);

impl Plugin {
    /// Opens `path` and runs the first entries of its table. The reason of a refusal is for the log.
    pub fn load(path: &Path, option_group: &str) -> Result<Self, String> {
        let shown = path.display();
        let name = path.as_os_str().as_bytes();
        let plugin =
            Self(NonNull::new(glib::alloc_zeroed()).expect("g_malloc0 aborts instead of failing"));
        let raw = plugin.0.as_ptr();
        // SAFETY: the table is this host's memory; the library keeps the contract of `plugin_init`.
        unsafe {
            let module = g_module_open(glib::c_string(name).as_ptr(), BIND_LOCAL);
            if module.is_null() {
                return Err(format!("loading module '{shown}' failed: {}", module_error()));
            }
            (*raw).module = module;
            let mut symbol: *mut c_void = ptr::null_mut();
            if g_module_symbol(module, c"plugin_init".as_ptr(), &raw mut symbol) == glib_sys::GFALSE
            {
                return Err(format!(
                    "module '{shown}' doesn't have a init-function: {}",
                    module_error()
                ));
            }
            let plugin_init = std::mem::transmute::<*mut c_void, PluginInit>(symbol);
            if plugin_init(raw) != 0 {
                return Err(format!("init-function for module '{shown}' failed"));
            }
            if (*raw).magic != i64::from(CHASSIS_PLUGIN_MAGIC) {
                return Err(format!(
                    "plugin '{shown}' doesn't match the current plugin interface (plugin is {:x}, chassis is {:x})",
                    (*raw).magic,
                    CHASSIS_PLUGIN_MAGIC
                ));
            }
            if let Some(init) = (*raw).init {
                (*raw).config = init();
            }
            if (*raw).name.is_null() {
                (*raw).name = glib::strdup(name);
            }
            if (*raw).version.is_null() {
                return Err(format!(
                    "plugin '{shown}' doesn't set a version number, refusing to load this plugin"
                ));
            }
            if let Some(new_stats) = (*raw).new_stats {
                (*raw).stats = new_stats();
            }
            (*raw).option_grp_name = glib::strdup(option_group.as_bytes());
        }
        Ok(plugin)
    }

    /// The table, for the host's list.
    pub fn as_ptr(&self) -> *mut chassis_plugin {
        self.0.as_ptr()
    }

    fn raw(&self) -> &chassis_plugin {
        // SAFETY: the table lives as long as the plugin.
        unsafe { self.0.as_ref() }
    }

    /// The plugin's own name.
    pub fn name(&self) -> String {
        // SAFETY: set by `load` at the latest.
        glib::text(unsafe { glib::c_bytes(self.raw().name) })
    }

    /// The plugin's version.
    pub fn version(&self) -> String {
        // SAFETY: checked by `load`.
        glib::text(unsafe { glib::c_bytes(self.raw().version) })
    }

    /// Collects the plugin's options: adds its group, parses the command line, reads the ini file, resolves file
    /// names.
    pub fn read_options(
        &self,
        line: &mut CommandLine,
        keyfile: Option<&KeyFile>,
        base_dir: &Path,
    ) -> Result<(), String> {
        let Some(get_options) = self.raw().get_options else { return Ok(()) };
        // SAFETY: the plugin's own function with its own configuration.
        let entries: *mut GOptionEntry = unsafe { get_options(self.raw().config) };
        if entries.is_null() {
            log::critical(&format!("adding config options for module '{}' failed", self.name()));
            return Ok(());
        }
        // SAFETY: a plugin's table ends with an empty entry, lives until parsing is over, and matches its values.
        unsafe {
            let group = glib::text(glib::c_bytes(self.raw().option_grp_name));
            line.add_group(&group, entries);
            line.parse().map_err(|error| error.message)?;
            if let Some(keyfile) = keyfile {
                keyfile.apply(entries)?;
            }
            keyfile::resolve_filenames(base_dir, entries);
        }
        Ok(())
    }

    /// Lets the plugin start its work. False when it refuses.
    ///
    /// # Safety
    /// `chas` is the live host object, ready as the ABI says.
    pub unsafe fn apply_config(&self, chas: *mut chassis) -> bool {
        let Some(apply) = self.raw().apply_config else {
            log::fatal(&format!("plugin {} doesn't set apply_config", self.name()));
        };
        // SAFETY: as the caller promises.
        unsafe { apply(chas, self.raw().config) == 0 }
    }

    /// Lets the plugin release its configuration.
    pub fn destroy(&self) {
        let Some(destroy) = self.raw().destroy else {
            log::fatal(&format!("plugin {} doesn't set destroy", self.name()));
        };
        // SAFETY: the plugin's own function with its own configuration, once.
        unsafe { destroy(self.raw().config) };
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let raw = self.0.as_ptr();
        // SAFETY: names are g_malloc memory or NULL; after this the library is not called any more.
        unsafe {
            glib::free((*raw).option_grp_name);
            glib::free((*raw).name);
            glib::free((*raw).version);
            if let Some(free_stats) = (*raw).free_stats.filter(|_| !(*raw).stats.is_null()) {
                free_stats((*raw).stats);
            }
            if !(*raw).module.is_null() {
                g_module_close((*raw).module);
            }
            glib::free(raw);
        }
    }
}

/// The file of the plugin with this name in the list of plugins.
pub fn file_of(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("lib{name}.so"))
}

export! {
    /// The plugin of this name; borrowed; NULL when absent.
    fn chassis_plugin_for_name(chas: *mut chassis, name: *mut c_char) -> *mut chassis_plugin
    as fn_chassis_plugin_for_name {
        // SAFETY: the live host object, whose list holds live tables, and a C string (ABI).
        unsafe {
            let wanted = glib::c_bytes(name);
            let modules = &*(*chas).modules;
            (0..usize::try_from(modules.len).unwrap_or_default())
                .map(|index| (*modules.pdata.add(index)).cast::<chassis_plugin>())
                .find(|&plugin| glib::c_bytes((*plugin).name) == wanted)
                .unwrap_or(ptr::null_mut())
        }
    }
}
