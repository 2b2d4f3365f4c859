"""pyproxy.proto: how fields are given, and what goes beyond the original's functions."""

from __future__ import annotations

import datetime
import pickle
from decimal import Decimal
from typing import Any

import pytest
from pyproxy import proto
from pyproxy.proto import Param


class TestFields:
    """What a `to_*` function takes."""

    ERR = b"\xff\x15\x04#28000denied"

    def test_a_mapping_a_tuple_and_keywords_are_the_same(self) -> None:
        fields = {"errcode": 1045, "sqlstate": b"28000", "errmsg": b"denied"}
        assert proto.to_err_packet(fields) == self.ERR
        assert proto.to_err_packet(**fields) == self.ERR
        assert proto.to_err_packet(proto.ErrPacket(**fields)) == self.ERR

    def test_keywords_win(self) -> None:
        err = proto.from_err_packet(self.ERR)
        assert proto.to_err_packet(err, errmsg="no") == b"\xff\x15\x04#28000no"
        assert proto.to_err_packet({"errmsg": "yes"}, errmsg="no") == b"\xff\0\0#07000no"

    def test_further_keys_of_a_mapping_are_ignored_further_keywords_are_not(self) -> None:
        assert proto.to_eof_packet({"warning": 1}) == b"\xfe\0\0\0\0"
        with pytest.raises(TypeError):
            proto.to_eof_packet(warning=1)

    @pytest.mark.parametrize("fields", [b"x", 5, [1, 2], proto.EofPacket()])
    def test_anything_else_is_refused(self, fields: Any) -> None:
        with pytest.raises(TypeError):
            proto.to_ok_packet(fields)

    @pytest.mark.parametrize(
        "text", ["caf\u00e9", b"caf\xc3\xa9", bytearray(b"caf\xc3\xa9"), memoryview(b"caf\xc3\xa9")]
    )
    def test_bytes_may_be_given_as_text_or_any_bytes_like_object(self, text: Any) -> None:
        assert proto.to_err_packet(errmsg=text) == b"\xff\0\0#07000caf\xc3\xa9"
        assert proto.from_err_packet(b"\xff\0\0#07000caf\xc3\xa9").errmsg == b"caf\xc3\xa9"

    def test_a_surrogate_stands_for_its_byte(self) -> None:
        assert proto.to_err_packet(errmsg="\udcff").endswith(b"\xff")

    @pytest.mark.parametrize("value", [1.5, "7", None, b"1"])
    def test_a_number_must_be_one(self, value: Any) -> None:
        with pytest.raises(TypeError):
            proto.to_ok_packet(warnings=value)

    @pytest.mark.parametrize("value", [-1, 1 << 16, 1 << 200])
    def test_a_number_must_fit(self, value: int) -> None:
        with pytest.raises(proto.PacketError, match="does not fit"):
            proto.to_ok_packet(warnings=value)


class TestPacketError:
    """The exception for bad packets."""

    def test_it_is_a_value_error_with_a_text(self) -> None:
        with pytest.raises(ValueError, match="too short"):
            proto.from_ok_packet(b"\0")

    def test_it_can_be_pickled(self) -> None:
        copy = pickle.loads(pickle.dumps(proto.PacketError("text")))
        assert (type(copy), copy.args) == (proto.PacketError, ("text",))


def test_what_follows_the_last_field_is_ignored() -> None:
    assert proto.from_eof_packet(b"\xfe\x01\0\x02\0more") == (2, 1)
    assert proto.from_ok_packet(b"\0\0\0\x02\0\0\0info") == (0, 0, 2, 0)


def test_an_err_packet_of_the_form_before_4_1_can_be_written() -> None:
    assert proto.to_err_packet(errcode=1040, sqlstate=b"", errmsg="full") == b"\xff\x10\x04full"


class TestChallenge:
    """The version of a greeting, which is a text and a number."""

    def version(self, **fields: Any) -> tuple[int, bytes]:
        greeting = proto.from_challenge_packet(proto.to_challenge_packet(**fields))
        return greeting.server_version, greeting.server_version_text

    def test_the_text_is_sent(self) -> None:
        text = b"5.5.5-10.11.2-MariaDB"
        assert self.version(server_version_text=text) == (50505, text)
        assert self.version(server_version_text="8.0.36") == (80036, b"8.0.36")
        assert self.version(server_version_text="beta") == (0, b"beta")

    def test_a_number_that_says_something_else_wins(self) -> None:
        assert self.version(server_version=50734) == (50734, b"5.7.34")
        greeting = proto.from_challenge_packet(
            proto.to_challenge_packet(server_version_text="8.0.36-log")
        )
        assert proto.to_challenge_packet(greeting)[1:12] == b"8.0.36-log\0"
        changed = greeting._replace(server_version=50734)
        assert proto.to_challenge_packet(changed)[1:8] == b"5.7.34\0"

    def test_the_plugin_name_is_sent_with_its_capability(self) -> None:
        name = b"mysql_native_password"
        capabilities = 0x8200 | 0x80000
        packet = proto.to_challenge_packet(capabilities=capabilities, auth_plugin_name=name)
        assert proto.from_challenge_packet(packet).auth_plugin_name == name
        assert proto.from_challenge_packet(packet).challenge == b"01234567890123456789\0"
        packet = proto.to_challenge_packet(auth_plugin_name=name)
        assert proto.from_challenge_packet(packet).auth_plugin_name == b""

    def test_what_cannot_be_sent_is_refused(self) -> None:
        with pytest.raises(proto.PacketError):
            proto.to_challenge_packet(server_version=-1)
        with pytest.raises(proto.PacketError):
            proto.to_challenge_packet(server_version_text=b"8.0\0.36")


class TestResponse:
    """The login."""

    def test_it_has_no_attributes_behind_it(self) -> None:
        with_attributes = 1 << 20 | 0x8200
        packet = proto.to_response_packet(
            server_capabilities=with_attributes, capabilities=with_attributes, username="u"
        )
        assert proto.from_response_packet(packet, with_attributes).capabilities == 0x8200

    def test_the_old_form_is_for_old_servers(self) -> None:
        packet = proto.to_response_packet(
            server_capabilities=8, username="u", response="r", database="db", max_packet_size=7
        )
        assert packet == b"\x08\x80\x07\0\0u\0r\0db\0"
        login = proto.from_response_packet(packet, 8)
        assert (login.username, login.response, login.database) == (b"u", b"r", b"db")

    @pytest.mark.parametrize("fields", [{}, {"username": "u"}])
    def test_a_server_that_is_not_named_offers_what_a_login_can_have(
        self, fields: dict[str, str]
    ) -> None:
        packet = proto.to_response_packet(
            fields, database="db", auth_plugin_name="mysql_native_password"
        )
        offered = proto.ResponsePacket().server_capabilities
        login = proto.from_response_packet(packet, offered)
        assert (login.database, login.auth_plugin_name) == (b"db", b"mysql_native_password")
        # 4.1, its authentication, and what has just been sent.
        assert offered == login.capabilities == 0x8200 | 0x8 | 0x80000
        assert (
            proto.from_response_packet(proto.to_response_packet({}), offered).capabilities == 0x8200
        )

    def test_a_request_for_tls_is_no_login(self) -> None:
        request = (0x8A00).to_bytes(4, "little") + bytes(28)
        with pytest.raises(proto.PacketError, match="TLS"):
            proto.from_response_packet(request, 0x8A00)


class TestMasterInfo:
    """Lines of a file."""

    def test_a_line_end_inside_a_field_is_refused(self) -> None:
        with pytest.raises(proto.PacketError):
            proto.to_masterinfo_string(master_host="a\nb")

    def test_a_file_that_breaks_off_is_refused(self) -> None:
        text = proto.to_masterinfo_string(master_lines=14, master_ssl_key="key")
        assert proto.from_masterinfo_string(text).master_ssl_key == b"key"
        with pytest.raises(proto.PacketError):
            proto.from_masterinfo_string(text[:-1])

    def test_text_is_read_as_well(self) -> None:
        text = proto.to_masterinfo_string(master_host="h", master_port=3306).decode()
        assert proto.from_masterinfo_string(text).master_port == 3306


# Type byte, unsigned, a value that can be sent, and what is read of it.
VALUES = [
    (1, False, -1, -1),
    (1, True, 255, 255),
    (3, False, "-5", -5),
    (8, True, 2**64 - 1, 2**64 - 1),
    (8, False, True, 1),
    (4, False, 1.5, 1.5),
    (5, False, 3, 3.0),
    (5, False, Decimal("0.25"), 0.25),
    (246, False, Decimal("1E+2"), b"100"),
    (253, False, "caf\u00e9", b"caf\xc3\xa9"),
    (252, False, bytearray(b"\0\xff"), b"\0\xff"),
    (253, False, 2**70, b"1180591620717411303424"),
    (10, False, datetime.date(2010, 10, 17), datetime.date(2010, 10, 17)),
    (10, False, "0000-00-00", "0000-00-00"),
    (12, False, "2023-02-31 01:00:00", "2023-02-31 01:00:00"),
    (
        12,
        False,
        datetime.datetime(2010, 10, 17, 19, 27, 30, 1),
        datetime.datetime(2010, 10, 17, 19, 27, 30, 1),
    ),
    (11, False, datetime.timedelta(hours=-100), datetime.timedelta(hours=-100)),
    (11, False, datetime.time(1, 2, 3), datetime.timedelta(hours=1, minutes=2, seconds=3)),
    (253, False, datetime.timedelta(microseconds=-1), b"-00:00:00.000001"),
    (3, False, None, None),
]


class TestExecute:
    """Parameters of prepared statements."""

    @pytest.mark.parametrize(("kind", "unsigned", "value", "read"), VALUES)
    def test_values_both_ways(self, kind: int, unsigned: bool, value: Any, read: Any) -> None:
        packet = proto.to_stmt_execute_packet(stmt_id=1, params=[(kind, value, unsigned)])
        params = proto.from_stmt_execute_packet(packet, 1).params
        assert params == (Param(kind, read, unsigned),)
        assert params is not None and type(params[0].value) is type(read)

    @pytest.mark.parametrize(
        ("kind", "value"),
        [(1, 128), (1, "x"), (5, float("nan")), (5, "inf"), (3, 1.5), (10, "today"), (200, 1)],
    )
    def test_a_value_must_be_one_of_its_type(self, kind: int, value: Any) -> None:
        with pytest.raises(ValueError):
            proto.to_stmt_execute_packet(stmt_id=1, params=[(kind, value)])

    def test_a_value_of_no_known_class_is_refused(self) -> None:
        with pytest.raises(TypeError):
            proto.to_stmt_execute_packet(stmt_id=1, params=[(253, object())])

    def test_types_that_are_not_in_the_packet_come_from_the_execution_before(self) -> None:
        first = proto.to_stmt_execute_packet(stmt_id=1, params=[(3, 7, True), (253, "a")])
        known = proto.from_stmt_execute_packet(first, 2)
        again = proto.to_stmt_execute_packet(
            stmt_id=1, new_params_bound=False, params=[(3, 2**32 - 1, True), (253, "b")]
        )
        assert proto.from_stmt_execute_packet(again, 2).params is None
        for types in [known.params, [(3, True), 253], [(3, True), (253, False)]]:
            execute = proto.from_stmt_execute_packet(again, 2, types)
            assert execute.params == (Param(3, 2**32 - 1, True), Param(253, b"b"))
            assert not execute.new_params_bound

    def test_as_many_types_as_parameters_are_needed(self) -> None:
        packet = proto.to_stmt_execute_packet(
            stmt_id=1, new_params_bound=False, params=[(1, 1), (1, 2)]
        )
        with pytest.raises(proto.PacketError):
            proto.from_stmt_execute_packet(packet, 2, [1])

    def test_what_was_sent_ahead_is_not_in_the_packet(self) -> None:
        packet = proto.to_stmt_execute_packet(stmt_id=1, params=[(252, None), (1, 5)])
        execute = proto.from_stmt_execute_packet(packet, 2, long_data={0: b"long"})
        assert execute.params == (Param(252, b"long"), Param(1, 5))


class TestStatements:
    """What is remembered of prepared statements."""

    PREPARE_OK = proto.to_stmt_prepare_ok_packet(stmt_id=1, num_params=2)
    BOUND = proto.to_stmt_execute_packet(stmt_id=1, params=[(8, 1), (252, "a")])
    UNBOUND = proto.to_stmt_execute_packet(
        stmt_id=1, new_params_bound=False, params=[(8, 2), (252, "b")]
    )

    @pytest.fixture
    def statements(self) -> proto.Statements:
        statements = proto.Statements()
        assert statements.prepared(self.PREPARE_OK, "SELECT ?, ?").num_params == 2
        return statements

    @staticmethod
    def values(execute: proto.StmtExecute) -> list[Any]:
        assert execute.params is not None
        return [param.value for param in execute.params]

    def test_types_are_remembered(self, statements: proto.Statements) -> None:
        assert statements.execute(self.UNBOUND).params is None
        assert self.values(statements.execute(self.BOUND)) == [1, b"a"]
        for _ in range(2):
            assert self.values(statements.execute(self.UNBOUND)) == [2, b"b"]

    def test_texts_are_remembered(self, statements: proto.Statements) -> None:
        assert statements.text(1) == b"SELECT ?, ?"
        assert (len(statements), 1 in statements, 2 in statements) == (1, True, False)

    def test_pieces_of_long_data_add_up_for_one_execution(
        self, statements: proto.Statements
    ) -> None:
        statements.execute(self.BOUND)
        for piece in (b"long ", b"text"):
            statements.long_data(
                proto.to_stmt_send_long_data_packet(stmt_id=1, param=1, data=piece)
            )
        ahead = proto.to_stmt_execute_packet(
            stmt_id=1, new_params_bound=False, params=[(8, 3), (252, None)]
        )
        assert self.values(statements.execute(ahead)) == [3, b"long text"]
        assert self.values(statements.execute(ahead)) == [3, None]

    def test_a_reset_drops_long_data_and_keeps_types(self, statements: proto.Statements) -> None:
        statements.execute(self.BOUND)
        statements.long_data(proto.to_stmt_send_long_data_packet(stmt_id=1, param=0, data=b"x"))
        statements.reset(proto.to_stmt_reset_packet(stmt_id=1))
        assert self.values(statements.execute(self.UNBOUND)) == [2, b"b"]

    def test_long_data_for_what_does_not_exist_is_ignored(
        self, statements: proto.Statements
    ) -> None:
        statements.execute(self.BOUND)
        for stmt_id, param in ((1, 2), (9, 0)):
            statements.long_data(
                proto.to_stmt_send_long_data_packet(stmt_id=stmt_id, param=param, data=b"x")
            )
        assert self.values(statements.execute(self.UNBOUND)) == [2, b"b"]

    def test_an_execution_that_cannot_be_read_forgets_the_types(
        self, statements: proto.Statements
    ) -> None:
        statements.execute(self.BOUND)
        with pytest.raises(proto.PacketError):
            statements.execute(self.BOUND[:-1])
        assert statements.execute(self.UNBOUND).params is None

    def test_a_new_statement_of_the_same_number_starts_anew(
        self, statements: proto.Statements
    ) -> None:
        statements.execute(self.BOUND)
        statements.prepared(proto.StmtPrepareOk(1, num_params=2))
        assert statements.execute(self.UNBOUND).params is None
        assert statements.text(1) == b""

    def test_a_closed_statement_is_forgotten(self, statements: proto.Statements) -> None:
        statements.close(proto.to_stmt_close_packet(stmt_id=1))
        statements.close(proto.to_stmt_close_packet(stmt_id=1))
        assert len(statements) == 0
        for use in (
            lambda: statements.execute(self.BOUND),
            lambda: statements.reset(proto.to_stmt_reset_packet(stmt_id=1)),
            lambda: statements.text(1),
        ):
            with pytest.raises(KeyError):
                use()

    def test_all_are_forgotten(self, statements: proto.Statements) -> None:
        statements.clear()
        assert len(statements) == 0


@pytest.mark.parametrize(
    ("write", "read", "fields"),
    [
        (proto.to_stmt_prepare_packet, proto.from_stmt_prepare_packet, {"stmt_text": b"DO 1"}),
        (proto.to_stmt_reset_packet, proto.from_stmt_reset_packet, {"stmt_id": 7}),
        (proto.to_stmt_close_packet, proto.from_stmt_close_packet, {"stmt_id": 7}),
        (
            proto.to_stmt_send_long_data_packet,
            proto.from_stmt_send_long_data_packet,
            {"stmt_id": 7, "param": 3, "data": b"piece"},
        ),
    ],
)
def test_commands_of_statements_both_ways(write: Any, read: Any, fields: dict[str, Any]) -> None:
    packet = write(fields)
    assert read(packet)._asdict() == fields
    with pytest.raises(proto.PacketError):
        read(b"\x03" + packet[1:])
    with pytest.raises(TypeError):
        write({})
