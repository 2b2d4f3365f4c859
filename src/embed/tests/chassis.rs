//! `pyproxy.chassis`.

use pyo3::prelude::*;

use super::super::chassis;
use super::*;

/// Runs statements in `read_query`; an assertion in them fails the test.
fn check(statements: &str) {
    let body = statements.replace('\n', "\n    ");
    let script = format!(
        "import pyproxy.chassis\nimport chassis\ndef read_query(proxy, packet):\n    {body}\n"
    );
    let outcome = Connection::new(&script).call(Hook::ReadQuery);
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}

#[test]
fn it_has_two_names() {
    check(
        "import sys\n\
         from pyproxy import chassis as third\n\
         assert chassis is pyproxy.chassis is third is sys.modules['chassis']\n\
         assert chassis.__name__ == 'pyproxy.chassis'\n\
         for name in ('pyproxy.nothing', 'chassis.nothing'):\n\
         \x20   try: __import__(name)\n\
         \x20   except ModuleNotFoundError: pass\n\
         \x20   else: raise AssertionError(name)",
    );
}

#[test]
fn the_numbers_are_a_dict() {
    check(
        "stats = chassis.get_stats()\n\
         assert {'connections', 'queries', 'panics', 'read_query.calls', 'disconnect_client.micros'} < set(stats)\n\
         assert all(type(name) is str and type(number) is int for name, number in stats.items())\n\
         assert chassis.get_stats() is not stats\n\
         for wrong in (lambda: chassis.get_stats(1), lambda: chassis.get_stats(name='pyproxy')):\n\
         \x20   try: wrong()\n\
         \x20   except TypeError: pass\n\
         \x20   else: raise AssertionError()",
    );
}

#[test]
fn the_numbers_are_those_of_the_proxy() {
    let counted = python(|py| {
        let shared = shared();
        let module = chassis::module(py, Arc::clone(&shared)).unwrap();
        for _ in 0..3 {
            shared.stats.malformed_packets.increment();
        }
        let stats = module.call_method0("get_stats").unwrap();
        stats.get_item("malformed_packets").unwrap().extract::<u64>().unwrap()
    });
    assert_eq!(counted, 3);
}

#[test]
fn every_level_goes_to_its_own() {
    for (name, level) in [
        ("error", log::Level::Error),
        ("critical", log::Level::Error),
        ("warning", log::Level::Warn),
        ("message", log::Level::Info),
        ("info", log::Level::Info),
        ("debug", log::Level::Debug),
    ] {
        for call in [format!("chassis.{name}('text')"), format!("chassis.log('{name}', 'text')")] {
            check(&call);
            assert_eq!(logged(level), "(script.py:4) text", "{call}");
        }
    }
}

#[test]
fn what_is_logged_may_be_any_object() {
    check(
        "chassis.warning(5)\nchassis.warning('a\\0\\udcff')\nchassis.log(text=None, level='warning')",
    );
    assert_eq!(
        logged(log::Level::Warn),
        "(script.py:4) 5\n---\n(script.py:5) a\\x00\u{fffd}\u{fffd}\u{fffd}\n---\n(script.py:6) None"
    );
    check(
        "class Bad:\n\
         \x20   def __str__(self): raise LookupError\n\
         for call in (lambda: chassis.info(), lambda: chassis.log('loud', 'text'), lambda: chassis.info(Bad())):\n\
         \x20   try: call()\n\
         \x20   except (TypeError, ValueError, LookupError): pass\n\
         \x20   else: raise AssertionError()",
    );
}
