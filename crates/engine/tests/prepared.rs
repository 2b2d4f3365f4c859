//! What is remembered of a client's prepared statements, for a script that is asked about commands.

mod scene;

use engine::{Event, Hook, Incoming, Verdict};
use wire::binary::BinaryValue;
use wire::reply::PrepareOk;

use scene::{OK, Scene};

const PREPARE: &[u8] = b"\x16SELECT ?";
/// TINY 7, with its type, and 8 without.
const BOUND: &[u8] = b"\x17\x05\0\0\0\0\x01\0\0\0\x00\x01\x01\x00\x07";
const UNBOUND: &[u8] = b"\x17\x05\0\0\0\0\x01\0\0\0\x00\x00\x08";

fn prepared() -> Vec<u8> {
    PrepareOk { statement_id: 5, columns: 0, params: 1, warnings: 0 }.encode()
}

/// The client's command goes as the script says.
fn command(scene: &mut Scene, packet: &[u8], verdict: Verdict) {
    scene.client(0, packet);
    scene.tell(Event::Verdict(verdict, Some(Incoming::single(0, packet))));
}

fn scene(hooks: &[Hook]) -> Scene {
    Scene::new(hooks).logged_in()
}

/// Text and the value that the script is told of an execution.
fn told(scene: &mut Scene, packet: &[u8]) -> Option<(Vec<u8>, Option<i64>)> {
    scene.client(0, packet);
    let told = {
        let session = scene.engine.session().lock().expect("alive");
        let execution = session.execution.as_ref()?;
        let params = execution.params(packet).expect("well formed");
        let value = params.and_then(|params| params[0].0.value);
        let value = value.map(|value| match value {
            BinaryValue::Int(number) => number,
            other => panic!("{other:?}"),
        });
        (execution.text.to_vec(), value)
    };
    scene.tell(Event::Verdict(Verdict::Proceed, Some(Incoming::single(0, packet))));
    scene.server(1, OK);
    Some(told)
}

/// A server's answer to a preparation, with the definition of the parameter.
fn answer(scene: &mut Scene) {
    scene.server(1, &prepared());
    scene.server(2, b"\x03def\0\0\0\x01?\0\x0c\x3f\0\0\0\0\0\xfd\0\0\0\0\0");
    scene.server(3, b"\xfe\0\0\x02\0");
}

#[test]
fn an_execution_has_the_text_that_was_prepared() {
    let mut scene = scene(&[Hook::ReadQuery]);
    command(&mut scene, PREPARE, Verdict::Proceed);
    answer(&mut scene);
    assert_eq!(told(&mut scene, BOUND), Some((b"SELECT ?".to_vec(), Some(7))));
    assert_eq!(told(&mut scene, UNBOUND), Some((b"SELECT ?".to_vec(), Some(8))));
}

#[test]
fn it_is_the_clients_text_whatever_was_prepared_in_its_place() {
    for hooks in [&[Hook::ReadQuery][..], &[Hook::ReadQuery, Hook::ReadQueryResult]] {
        let mut scene = scene(hooks);
        command(&mut scene, PREPARE, Verdict::Forward(b"\x16SELECT 1 + ?".to_vec()));
        answer(&mut scene);
        assert_eq!(told(&mut scene, BOUND).map(|told| told.0), Some(b"SELECT ?".to_vec()));
    }
}

#[test]
fn an_answer_that_was_kept_counts_when_it_is_sent() {
    for is_dropped in [false, true] {
        let mut scene = scene(&[Hook::ReadQuery, Hook::ReadQueryResult]);
        scene.replaced(PREPARE, &[PREPARE]);
        answer(&mut scene);
        let verdict = if is_dropped { Verdict::IgnoreResult } else { Verdict::Proceed };
        scene.tell(Event::Verdict(verdict, None));
        assert_eq!(told(&mut scene, BOUND).is_some(), !is_dropped);
    }
}

#[test]
fn what_a_script_answers_counts_as_well() {
    let mut scene = scene(&[Hook::ReadQuery]);
    command(&mut scene, PREPARE, scene::reply(&prepared()));
    assert!(told(&mut scene, BOUND).is_some());
}

#[test]
fn results_of_queries_before_it_are_none_of_the_preparation() {
    let mut scene = scene(&[Hook::ReadQuery, Hook::ReadQueryResult]);
    scene.replaced(PREPARE, &[b"\x03DO 1", PREPARE]);
    scene.server(1, OK);
    scene.tell(Event::Verdict(Verdict::IgnoreResult, None));
    answer(&mut scene);
    scene.tell(Event::Verdict(Verdict::Proceed, None));
    assert!(told(&mut scene, BOUND).is_some());
}

#[test]
fn what_is_closed_is_forgotten() {
    for end in [&b"\x19\x05\0\0\0"[..], b"\x1f"] {
        let mut scene = scene(&[Hook::ReadQuery]);
        command(&mut scene, PREPARE, Verdict::Proceed);
        answer(&mut scene);
        command(&mut scene, end, Verdict::Proceed);
        if end == b"\x1f" {
            scene.server(1, OK);
        }
        assert!(told(&mut scene, BOUND).is_none());
    }
}

#[test]
fn only_the_execution_itself_has_it() {
    let mut scene = scene(&[Hook::ReadQuery]);
    command(&mut scene, PREPARE, Verdict::Proceed);
    answer(&mut scene);
    told(&mut scene, BOUND);
    assert!(told(&mut scene, b"\x03SELECT 1").is_none());
}

#[test]
fn nothing_is_remembered_without_a_script_that_is_asked() {
    let mut scene = scene(&[Hook::ReadQueryResult]);
    scene.client(0, PREPARE);
    answer(&mut scene);
    scene.client(0, BOUND);
    let session = scene.engine.session().lock().expect("alive");
    assert!(session.execution.is_none());
    let server = session.server.as_ref().expect("attached");
    assert!(server.statements.look(BOUND).is_none());
}

#[test]
fn a_prepared_statement_of_another_user_of_the_connection_is_unknown() {
    let mut scene = scene(&[Hook::ReadQuery]);
    command(&mut scene, PREPARE, Verdict::Proceed);
    answer(&mut scene);
    let mut session = scene.engine.session().lock().expect("alive");
    let server = session.server.as_mut().expect("attached");
    assert!(server.statements.look(BOUND).is_some());
    let login = server.login.clone();
    server.logged_in(login, Default::default(), true, std::time::Instant::now());
    assert!(server.statements.look(BOUND).is_none());
}
