//! Objects that are used too late, on the wrong thread, or in somebody else's hook.

use std::sync::Arc;

use super::*;

/// Uses everything a script can keep of a connection; each must raise ReferenceError.
const USES: &str = "import threading\n\
    kept = {}\n\
    def keep(proxy):\n\
    \x20   kept.update(proxy=proxy, c=proxy.connection, client=proxy.connection.client, q=proxy.queries, r=proxy.response,\n\
    \x20               backends=proxy.globals.backends)\n\
    READS = ['c.client', 'c.server', 'c.backend_ndx', 'c.backend', 'c.connection_close', 'c.unknown', 'client.src',\n\
    \x20        'client.username', 'client.default_db', 'len(q)', 'q.len()', 'list(q)', 'r.type']\n\
    CHANGES = ['q.append(1, b\"a\")', 'q.prepend(1, b\"a\")', 'q.reset()', 'setattr(r, \"type\", 1)', 'delattr(r, \"type\")',\n\
    \x20          'setattr(c, \"backend_ndx\", -1)', 'setattr(c, \"connection_close\", True)',\n\
    \x20          'setattr(proxy, \"response\", {})']\n\
    def refused(expressions):\n\
    \x20   for expression in expressions:\n\
    \x20       try: eval(expression, {}, kept)\n\
    \x20       except ReferenceError: pass\n\
    \x20       else: return expression\n\
    def allowed(expressions):\n\
    \x20   for expression in expressions:\n\
    \x20       if expression != 'c.unknown': eval(expression, {}, kept)\n";

#[test]
fn a_connection_that_has_ended_is_gone() {
    let script = format!(
        "{USES}\n\
         def read_auth(proxy): keep(proxy)\n\
         def read_query(proxy, packet):\n\
         \x20   assert refused(READS + CHANGES) is None, refused(READS + CHANGES)\n\
         \x20   attributes = ['setattr(c, \"mine\", 1)', 'delattr(c, \"mine\")', 'c.mine']\n\
         \x20   assert refused(attributes) is None, refused(attributes)\n\
         \x20   assert 'gone' in repr(kept['c']) and 'gone' in repr(kept['client']) and 'gone' in repr(kept['q'])\n\
         \x20   assert kept['c'] != proxy.connection and kept['c'] == kept['c'] and hash(kept['client'])\n"
    );
    let script = load(&script);
    let mut first = Connection::of(Arc::clone(&script));
    assert_eq!(first.call(Hook::ReadAuth), Verdict::Proceed, "{}", logged(log::Level::Error));
    let session = first.session.take();
    drop(first);
    drop(session);
    let outcome = Connection::of(script).call(Hook::ReadQuery);
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}

#[test]
fn an_answer_to_a_login_is_gone_with_its_connection() {
    let script = "kept = []\n\
        def read_auth_result(proxy, auth):\n\
        \x20   kept.append(auth)\n\
        \x20   assert kept[0].packet == b'\\0\\0\\0'\n\
        def read_query(proxy, packet):\n\
        \x20   try: kept[0].packet\n\
        \x20   except ReferenceError: return 1\n";
    let script = load(script);
    let mut first = Connection::of(Arc::clone(&script));
    assert_eq!(first.call(Hook::ReadAuthResult), Verdict::Proceed);
    assert_eq!(first.call(Hook::ReadQuery), Verdict::Proceed, "the connection lives");
    drop(first.session.take());
    assert_eq!(Connection::of(script).call(Hook::ReadQuery), Verdict::SendQuery);
}

#[test]
fn another_connection_may_be_read_but_not_changed() {
    let script = format!(
        "{USES}\n\
         def read_auth(proxy): keep(proxy)\n\
         def read_query(proxy, packet):\n\
         \x20   allowed(READS)\n\
         \x20   assert refused(CHANGES) is None, refused(CHANGES)\n"
    );
    let script = load(&script);
    let mut first = Connection::of(Arc::clone(&script));
    assert_eq!(first.call(Hook::ReadAuth), Verdict::Proceed);
    let outcome = Connection::of(script).call(Hook::ReadQuery);
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}

#[test]
fn a_connection_that_another_thread_is_busy_with_is_not_gone() {
    let script = "def read_auth(proxy):\n\
        \x20   global client\n\
        \x20   client = proxy.connection.client\n\
        def read_query(proxy, packet): assert client.src.name == '10.0.0.1:5555'\n";
    let script = load(script);
    let mut first = Connection::of(Arc::clone(&script));
    assert_eq!(first.call(Hook::ReadAuth), Verdict::Proceed, "{}", logged(log::Level::Error));
    let mut second = Connection::of(script);
    let (holding, held) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let session = &first.session;
        scope.spawn(move || {
            let session = session.lock();
            holding.send(()).expect("the test waits");
            // As long as a thread may be in writing a long packet, or in getting its turn on a busy machine.
            std::thread::sleep(std::time::Duration::from_millis(500));
            drop(session);
        });
        held.recv().expect("the connection is held");
        let outcome = second.call(Hook::ReadQuery);
        assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
    });
}

#[test]
fn a_thread_of_the_script_has_no_access_even_while_a_hook_runs() {
    let script = format!(
        "{USES}\n\
         def read_query(proxy, packet):\n\
         \x20   keep(proxy)\n\
         \x20   found = ['not run']\n\
         \x20   def work():\n\
         \x20       found[0] = refused(READS + CHANGES + ['len(backends)', 'backends[0]', 'backends.add(\"127.0.0.1:1\")'])\n\
         \x20   thread = threading.Thread(target=work); thread.start(); thread.join()\n\
         \x20   assert found == [None], found\n\
         \x20   allowed(READS)\n"
    );
    let outcome = Connection::new(&script).call(Hook::ReadQuery);
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}

#[test]
fn outside_of_hooks_nothing_can_be_used() {
    let script = format!(
        "{USES}\n\
         def read_auth(proxy): keep(proxy)\n\
         def refused_outside(): return refused(READS + CHANGES)\n"
    );
    let script = load(&script);
    let mut connection = Connection::of(Arc::clone(&script));
    assert_eq!(connection.call(Hook::ReadAuth), Verdict::Proceed);
    let refused = python(|py| {
        use pyo3::types::PyAnyMethods;
        let refused = script.module.bind(py).call_method0("refused_outside").unwrap();
        refused.extract::<Option<String>>().unwrap()
    });
    assert_eq!(refused, None);
}

#[test]
fn finalisers_that_touch_objects_do_no_harm() {
    let script = "class Last:\n\
        \x20   def __init__(self, proxy): self.proxy = proxy\n\
        \x20   def __del__(self):\n\
        \x20       try: self.proxy.connection.client.username; trace.append('read')\n\
        \x20       except ReferenceError: trace.append('gone')\n\
        trace = []\n\
        def read_auth(proxy): proxy.connection.last = Last(proxy)\n\
        def read_query(proxy, packet): assert trace == ['gone'], trace\n";
    let script = load(script);
    let mut first = Connection::of(Arc::clone(&script));
    assert_eq!(first.call(Hook::ReadAuth), Verdict::Proceed);
    let session = first.session.take();
    drop(session);
    drop(first);
    let outcome = Connection::of(script).call(Hook::ReadQuery);
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}

#[test]
fn finalisers_of_what_ends_with_a_connection_may_use_what_all_share() {
    let script = "class Last:\n\
        \x20   def __init__(self, proxy): self.globals = proxy.globals\n\
        \x20   def __del__(self): trace.append(len(self.globals.backends))\n\
        trace = []\n\
        def read_auth(proxy): proxy.connection.last = Last(proxy)\n\
        def read_query(proxy, packet): assert trace == [0], trace\n";
    let script = load(script);
    let mut first = Connection::of(Arc::clone(&script));
    assert_eq!(first.call(Hook::ReadAuth), Verdict::Proceed);
    drop(first);
    let outcome = Connection::of(script).call(Hook::ReadQuery);
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}
