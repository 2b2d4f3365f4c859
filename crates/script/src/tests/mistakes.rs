//! Mistakes in a response: the error names what is wrong.

use super::responses::answering;
use super::*;

#[test]
fn an_attribute_that_is_not_there_is_named_with_its_object() {
    let script = "def read_query(proxy, packet):\n\
        \x20   def text(wrong):\n\
        \x20       try: wrong()\n\
        \x20       except AttributeError as error: return str(error), error.name, error.obj is proxy.response\n\
        \x20   want = ('proxy.response has no attribute \"errmessage\"', 'errmessage', True)\n\
        \x20   assert text(lambda: proxy.response.errmessage) == want, text(lambda: proxy.response.errmessage)\n\
        \x20   assert text(lambda: delattr(proxy.response, 'errmessage')) == want\n";
    let outcome = Connection::new(script).call(Hook::ReadQuery);
    assert_eq!(outcome, Verdict::Proceed, "{}", logged(log::Level::Error));
}

#[test]
fn a_key_that_means_nothing_is_named_with_the_one_that_was_meant() {
    for (statements, error) in [
        (
            "proxy.response = {'type': 0, 'resulset': {}}",
            "proxy.response has an unknown key \"resulset\" (did you mean resultset?)",
        ),
        ("r.type = 255; r.errmessage = 'no'", "proxy.response has an unknown key \"errmessage\""),
        (
            "r.type = 0; r.resultset = {'fields': [('a', 3)], 'row': []}",
            "proxy.response.resultset has an unknown key \"row\" (did you mean rows?)",
        ),
        (
            "r.type = 0; r.resultset = {'fields': [{'nmae': 'a', 'name': 'b'}], 'rows': []}",
            "a field has an unknown key \"nmae\" (did you mean name?)",
        ),
    ] {
        let mut connection = answering(statements);
        assert_eq!(connection.call(Hook::ReadQuery), Verdict::Failed, "{statements}");
        let log = logged(log::Level::Error);
        assert!(log.contains(error), "{statements}: {log}");
    }
}

#[test]
fn text_in_a_column_of_numbers_is_named_with_its_column() {
    for column_type in [0, 1, 2, 3, 4, 5, 8, 9, 13, 246] {
        for cell in ["'abc'", "''", "b'1x'", "'1 '"] {
            let statements = format!(
                "r.type = 0; r.resultset = {{'fields': [('n', 254), ('total', {column_type})], 'rows': [('a', 1), ('b', {cell})]}}"
            );
            let mut connection = answering(&statements);
            assert_eq!(connection.call(Hook::ReadQuery), Verdict::Failed, "{statements}");
            let log = logged(log::Level::Error);
            assert!(
                log.contains("row 1: ") && log.contains("is no number, as column \"total\""),
                "{log}"
            );
        }
    }
    for cell in ["'12'", "b'-1.5e3'", "None", "True", "0.1", "decimal.Decimal('1E+3')"] {
        assert!(matches!(
            answering(&format!(
                "r.type = 0; r.resultset = {{'fields': [('total', 5)], 'rows': [[{cell}]]}}"
            ))
            .call(Hook::ReadQuery),
            Verdict::SendResult(_)
        ));
    }
}
