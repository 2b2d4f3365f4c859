//! What is compared: a proxy with a script or without one, in a process of its own.

use std::fmt;
use std::fs;
use std::net::SocketAddr;

use testkit::artifacts::host_plugin_dir;
use testkit::haproxy::{self, Haproxy};
use testkit::{Host, eventually, ports, wait};

use crate::script::Script;

/// What carries the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// The plugin of this project.
    Pyproxy,
    /// The host's own plugin with Lua scripts.
    Lua,
    /// HAProxy, which passes bytes on and knows no MySQL.
    Haproxy,
}

/// A proxy and how it is set up.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// What carries the traffic.
    pub proxy: Proxy,
    /// The hooks that look at it.
    pub script: Script,
    /// Threads that serve clients.
    pub threads: u32,
    /// TLS on both hops; pyproxy alone has it.
    pub tls: bool,
    /// The HTTP endpoint is on, and nobody asks it; pyproxy alone has it.
    pub http: bool,
    /// Statements are counted; pyproxy alone has it.
    pub query_stats: bool,
}

/// A process that carries traffic. It ends when this is dropped.
#[derive(Debug)]
pub enum Running {
    /// A host with a plugin.
    Host(Host),
    /// HAProxy.
    Haproxy(Haproxy),
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pyproxy => "pyproxy",
            Self::Lua => "Lua",
            Self::Haproxy => "HAProxy",
        })
    }
}

impl Proxy {
    /// Whether it is here: the bundled host has no Lua plugin, and HAProxy may not be installed.
    pub fn is_available(self) -> bool {
        match self {
            Self::Pyproxy => true,
            Self::Lua => host_plugin_dir().is_some_and(|dir| dir.join("libproxy.so").exists()),
            Self::Haproxy => haproxy::program().is_some(),
        }
    }

    /// The proxy with one event thread, without script and TLS.
    pub fn plain(self) -> Variant {
        Variant {
            proxy: self,
            script: Script::None,
            threads: 1,
            tls: false,
            http: false,
            query_stats: false,
        }
    }
}

impl Variant {
    /// The same with this script.
    pub fn script(self, script: Script) -> Self {
        Self { script, ..self }
    }

    /// The same with so many event threads.
    pub fn threads(self, threads: u32) -> Self {
        Self { threads, ..self }
    }

    /// The same with TLS on both hops.
    pub fn tls(self) -> Self {
        Self { tls: true, ..self }
    }

    /// The same with the HTTP endpoint.
    pub fn http(self) -> Self {
        Self { http: true, ..self }
    }

    /// The same with statements counted.
    pub fn query_stats(self) -> Self {
        Self { query_stats: true, ..self }
    }

    /// Starts it alone in front of `backend`.
    pub fn start(self, backend: SocketAddr) -> Running {
        let port = ports::free_port();
        let builder = Host::builder()
            .listen_port(port)
            .event_threads(self.threads)
            .option("log-level", "critical");
        let host = match self.proxy {
            Proxy::Pyproxy => {
                let mut builder = builder.backend(backend);
                if self.tls {
                    for option in ["pyproxy-tls", "pyproxy-backend-tls"] {
                        builder = builder.option(option, "required");
                    }
                }
                if self.http {
                    let address = format!(":{}", ports::free_port());
                    builder = builder.option("pyproxy-http-address", address);
                }
                if self.query_stats {
                    builder = builder.option("pyproxy-query-stats", 100);
                }
                match self.script.python() {
                    None => builder,
                    Some(source) => builder.script(&source),
                }
            }
            Proxy::Lua => {
                let builder = builder
                    .plugins(&["proxy"])
                    .option("proxy-address", format!("127.0.0.1:{port}"))
                    .option("proxy-backend-addresses", backend);
                match self.script.lua() {
                    None => builder,
                    Some(source) => builder
                        .file("hooks.lua", &source)
                        .option_to_file("proxy-lua-script", "hooks.lua"),
                }
            }
            Proxy::Haproxy => {
                let section = format!("  server backend {backend}");
                return Running::Haproxy(Haproxy::start(self.threads, &section));
            }
        };
        let host = host.start();
        assert!(eventually(wait::PATIENCE, || ports::is_listening(port)), "{}", host.log());
        Running::Host(host)
    }
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Host(host) => host.address(),
            Self::Haproxy(haproxy) => haproxy.address(),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        match self {
            Self::Host(host) => host.pid(),
            Self::Haproxy(haproxy) => haproxy.pid(),
        }
    }

    /// User plus system time of all threads. `schedstat` counts nanoseconds, `stat` only ticks.
    pub fn processor_nanoseconds(&self) -> u64 {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).expect("the host runs");
        let on_processor = |task: fs::DirEntry| -> u64 {
            let text = fs::read_to_string(task.path().join("schedstat")).expect("schedstat");
            text.split_whitespace().next().and_then(|field| field.parse().ok()).expect("a number")
        };
        tasks.flatten().map(on_processor).sum()
    }
}
