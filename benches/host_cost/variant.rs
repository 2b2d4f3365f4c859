//! What is compared: a plugin with a script or without one, in a host of its own.

use std::fmt;
use std::net::SocketAddr;

use testkit::artifacts::host_plugin_dir;
use testkit::{Host, eventually, ports, wait};

/// The plugin that carries the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plugin {
    /// The plugin of this project.
    Pyproxy,
    /// The host's own plugin with Lua scripts.
    Lua,
}

/// The script that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// None at all.
    None,
    /// A `read_query` hook that returns nothing.
    EmptyReadQuery,
}

impl fmt::Display for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pyproxy => "pyproxy",
            Self::Lua => "Lua",
        })
    }
}

impl Plugin {
    /// Whether the host can run it: the bundled host has no Lua plugin.
    pub fn is_available(self) -> bool {
        match self {
            Self::Pyproxy => true,
            Self::Lua => host_plugin_dir().is_some_and(|dir| dir.join("libproxy.so").exists()),
        }
    }

    /// Starts a host with this plugin alone in front of `backend`.
    pub fn start(self, script: Script, backend: SocketAddr) -> Host {
        let port = ports::free_port();
        let builder = Host::builder().listen_port(port).option("log-level", "critical");
        let host = match self {
            Self::Pyproxy => {
                let builder = builder.backend(backend);
                match script {
                    Script::None => builder,
                    Script::EmptyReadQuery => {
                        builder.script("def read_query(proxy, packet):\n    pass\n")
                    }
                }
            }
            Self::Lua => {
                let builder = builder
                    .plugins(&["proxy"])
                    .option("proxy-address", format!("127.0.0.1:{port}"))
                    .option("proxy-backend-addresses", backend);
                match script {
                    Script::None => builder,
                    Script::EmptyReadQuery => builder
                        .file("hooks.lua", "function read_query(packet)\nend\n")
                        .option_to_file("proxy-lua-script", "hooks.lua"),
                }
            }
        };
        let host = host.start();
        assert!(eventually(wait::PATIENCE, || ports::is_listening(port)), "{}", host.log());
        host
    }
}
