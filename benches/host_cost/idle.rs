//! Memory of the proxy's process for each connection that is idle.

use std::fs;
use std::sync::Arc;

use crate::options::Options;
use crate::peers::{Client, Reply, serve};
use crate::variant::{Proxy, Running, Variant};

/// Opens many connections through each proxy, and prints what one costs.
pub fn run(options: &Options) {
    let connections = options.connections;
    println!(
        "method   resident memory (VmRSS) of the proxy's process with {connections} connections that are idle\n\
         \x20        after a query, less that with one, for each of them; the kernel's is not in it\n"
    );
    let variants = [
        ("pyproxy", Proxy::Pyproxy.plain()),
        ("pyproxy, TLS on both hops", Proxy::Pyproxy.plain().tls()),
        ("Lua plugin", Proxy::Lua.plain()),
    ];
    for (name, variant) in variants {
        if variant.proxy.is_available() {
            println!("{name:<40}{:>8.1} KiB", measure(variant, connections));
        } else {
            println!("{name}: not in this host, not measured");
        }
    }
}

/// KiB for each connection.
fn measure(variant: Variant, connections: u32) -> f64 {
    let reply = Arc::new(Reply::rows(1, 1));
    let running = variant.start(serve(Arc::clone(&reply)));
    let client = || {
        let mut client = Client::login(running.address(), variant.tls).expect("a login");
        client.query(reply.len(), None).expect("an answer");
        client
    };
    let first = client();
    let before = resident_kib(&running);
    let clients: Vec<Client> = (0..connections).map(|_| client()).collect();
    let with_all = resident_kib(&running);
    drop((first, clients));
    (with_all - before) / f64::from(connections)
}

fn resident_kib(running: &Running) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", running.pid())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number of KiB")
}
