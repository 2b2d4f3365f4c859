//! Rows of all column types, and executions with all parameter types, exchanged with a real server.
//!
//! `data/mariadb-10.11-binary.json` was recorded from MariaDB 10.11.19: the rows of one table, once
//! by COM_QUERY and once by COM_STMT_EXECUTE. The last two rows were inserted by the two executions
//! in the file, after the long data there; the second execution carries no types.

use serde_json::Value;
use wire::Capabilities;
use wire::binary::{BinaryValue, ValueType};
use wire::reply::PrepareOk;
use wire::result::{
    BinaryRow, ColumnDefinition, TextRow, encode_binary_row, encode_binary_row_from_text,
};
use wire::statement::{Params, PreparedStatement, StmtSendLongData};

const RECORD: &str = include_str!("data/mariadb-10.11-binary.json");

struct Record(Value);

impl Record {
    fn load() -> Self {
        Self(serde_json::from_str(RECORD).expect("a well-formed record"))
    }

    /// A list of packets.
    fn packets(&self, key: &str) -> Vec<Vec<u8>> {
        let packets = self.0[key].as_array().expect(key);
        packets.iter().map(|p| hex(p.as_str().expect("hex"))).collect()
    }

    fn types(&self) -> Vec<ValueType> {
        let columns = self.packets("columns");
        let parsed = columns
            .iter()
            .map(|c| ColumnDefinition::parse(c, Capabilities::empty()).expect("a definition"));
        parsed.map(|column| ValueType::of_column(&column)).collect()
    }
}

fn hex(digits: &str) -> Vec<u8> {
    let byte = |i| u8::from_str_radix(&digits[i..i + 2], 16).expect("hex digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}

#[test]
fn binary_rows_have_the_values_of_the_text_rows() {
    let record = Record::load();
    let types = record.types();
    let (text, binary) = (record.packets("text"), record.packets("binary"));
    assert_eq!((types.len(), text.len(), binary.len()), (31, 6, 6));
    for (text, binary) in text.iter().zip(&binary) {
        let text: Vec<_> = TextRow::new(text).collect::<Result<_, _>>().unwrap();
        let values: Vec<_> =
            BinaryRow::parse(binary, &types).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(values.len(), types.len());
        for ((value, text), &value_type) in values.iter().zip(&text).zip(&types) {
            let from_text =
                text.map_or(Ok(BinaryValue::Null), |text| BinaryValue::from_text(text, value_type));
            assert_eq!(from_text, Ok(*value), "{value_type:?}");
        }
    }
}

#[test]
fn rows_are_written_as_the_server_writes_them() {
    let record = Record::load();
    let types = record.types();
    for (text, binary) in record.packets("text").iter().zip(record.packets("binary")) {
        let values: Vec<_> =
            BinaryRow::parse(&binary, &types).unwrap().collect::<Result<_, _>>().unwrap();
        let mut written = Vec::new();
        encode_binary_row(&mut written, &types, values).unwrap();
        assert_eq!(written, binary);

        let cells: Vec<_> = TextRow::new(text).collect::<Result<_, _>>().unwrap();
        written.clear();
        encode_binary_row_from_text(&mut written, &types, cells).unwrap();
        assert_eq!(written, binary);
    }
}

#[test]
fn parameters_are_what_the_server_stored() {
    let record = Record::load();
    let params = record.0["params"].as_u64().and_then(|n| n.try_into().ok()).expect("a count");
    let ok = PrepareOk { statement_id: 1, columns: 0, params, warnings: 0 };
    let mut statement = PreparedStatement::new(&ok, Capabilities::empty());
    let mut long_data = vec![Vec::new(); params.into()];
    for packet in record.packets("long_data") {
        let piece = StmtSendLongData::parse(&packet).unwrap();
        statement.send_long_data(piece.param);
        long_data[usize::from(piece.param)].extend_from_slice(piece.data);
        assert_eq!(piece.encode(), packet);
    }
    assert!(long_data.iter().any(|data| data == b"long data"));

    let (types, rows) = (record.types(), record.packets("binary"));
    let executes = record.packets("executes");
    assert_eq!(executes.len(), 2);
    for (packet, row) in executes.iter().zip(&rows[4..]) {
        let execute = statement.execute(packet).unwrap();
        assert_eq!(execute.encode().unwrap(), *packet);
        let Params::Typed(params) = execute.params else { panic!("types are known") };
        let stored = BinaryRow::parse(row, &types).unwrap();
        for (i, (param, stored)) in params.iter().zip(stored).enumerate() {
            let value = param.value.unwrap_or(BinaryValue::Bytes(&long_data[i]));
            // YEAR columns are unsigned, the parameter for one is not.
            let same = match (value, stored.unwrap()) {
                (BinaryValue::Int(n), BinaryValue::UInt(m)) => u64::try_from(n) == Ok(m),
                (value, stored) => value == stored,
            };
            assert!(same, "parameter {i}: {param:?}");
        }
    }
}
