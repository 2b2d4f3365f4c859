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
    /// Each query is queued and its result kept; nobody looks at it.
    KeepRows,
    /// As above, and `read_query_result` goes through all rows.
    IterateRows,
}

const PYTHON_KEEP: &str = "\
def read_query(proxy, packet):
    if packet[0] == proxy.COM_QUERY:
        proxy.queries.append(1, packet, resultset_is_needed=True)
        return proxy.PROXY_SEND_QUERY
";

const PYTHON_ITERATE: &str = "
def read_query_result(proxy, inj):
    length = 0
    for row in inj.resultset.rows:
        length += len(row[2])
";

const LUA_KEEP: &str = "\
function read_query(packet)
  if packet:byte() == proxy.COM_QUERY then
    proxy.queries:append(1, packet, { resultset_is_needed = true })
    return proxy.PROXY_SEND_QUERY
  end
end
";

const LUA_ITERATE: &str = "
function read_query_result(inj)
  local length = 0
  for row in inj.resultset.rows do
    length = length + #row[3]
  end
end
";

/// Without this hook the Lua plugin never sends a result that it kept.
const LUA_SEND: &str = "
function read_query_result(inj)
end
";

impl Script {
    fn python(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::EmptyReadQuery => Some("def read_query(proxy, packet):\n    pass\n".to_owned()),
            Self::KeepRows => Some(PYTHON_KEEP.to_owned()),
            Self::IterateRows => Some(format!("{PYTHON_KEEP}{PYTHON_ITERATE}")),
        }
    }

    fn lua(self) -> Option<String> {
        match self {
            Self::None => None,
            Self::EmptyReadQuery => Some("function read_query(packet)\nend\n".to_owned()),
            Self::KeepRows => Some(format!("{LUA_KEEP}{LUA_SEND}")),
            Self::IterateRows => Some(format!("{LUA_KEEP}{LUA_ITERATE}")),
        }
    }
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
                match script.python() {
                    None => builder,
                    Some(source) => builder.script(&source),
                }
            }
            Self::Lua => {
                let builder = builder
                    .plugins(&["proxy"])
                    .option("proxy-address", format!("127.0.0.1:{port}"))
                    .option("proxy-backend-addresses", backend);
                match script.lua() {
                    None => builder,
                    Some(source) => builder
                        .file("hooks.lua", &source)
                        .option_to_file("proxy-lua-script", "hooks.lua"),
                }
            }
        };
        let host = host.start();
        assert!(eventually(wait::PATIENCE, || ports::is_listening(port)), "{}", host.log());
        host
    }
}
