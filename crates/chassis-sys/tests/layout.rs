//! The asserted layouts are those recorded from the debug information of a mysql-proxy 0.8.5 build
//! (`layout-0.8.5-x86_64.json`).

use chassis_sys::chassis_log_head;
use chassis_sys::layout::{SOCKET_SIZE_REL, SOCKET_TAIL, STRUCTS};
use serde_json::Value;

fn facts() -> Value {
    serde_json::from_str(include_str!("layout-0.8.5-x86_64.json")).expect("valid JSON")
}

/// bindgen appends `_` to names that are Rust keywords.
fn c_name(rust_name: &str) -> &str {
    rust_name.strip_suffix('_').unwrap_or(rust_name)
}

fn member<'a>(structure: &'a Value, name: &str) -> &'a Value {
    structure["members"]
        .as_array()
        .expect("members")
        .iter()
        .find(|m| m["name"] == c_name(name))
        .unwrap_or_else(|| panic!("no member {name} in the facts"))
}

#[test]
fn the_level_of_the_log_is_its_first_member() {
    let facts = facts();
    let level = member(&facts["structs"]["chassis_log"], "min_lvl");
    assert_eq!(level["offset"], std::mem::offset_of!(chassis_log_head, min_lvl));
    assert_eq!(level["size"], size_of::<chassis_log_head>());
}

#[test]
fn structs_match_the_recorded_facts() {
    let facts = facts();
    for (name, size, members) in STRUCTS {
        let structure = &facts["structs"][name];
        assert_eq!(structure["size"], *size, "size of {name}");
        for (field, offset) in *members {
            assert_eq!(member(structure, field)["offset"], *offset, "{name}.{field}");
        }
        assert_eq!(
            structure["members"].as_array().expect("members").len(),
            members.len(),
            "every member of {name} is asserted"
        );
    }
}

#[test]
fn the_socket_tail_matches_the_recorded_facts() {
    let facts = facts();
    let socket = &facts["structs"]["network_socket"];
    assert_eq!(socket["size_event_rel"], SOCKET_SIZE_REL);
    for (field, offset) in SOCKET_TAIL {
        assert_eq!(member(socket, field)["event_rel"], *offset, "network_socket.{field}");
    }
}

#[test]
fn constants_match_the_recorded_facts() {
    let facts = facts();
    assert_eq!(facts["constants"]["CHASSIS_PLUGIN_MAGIC"], chassis_sys::CHASSIS_PLUGIN_MAGIC);
    let states = &facts["enums"]["network_mysqld_con_state_t"]["values"];
    assert_eq!(
        states["CON_STATE_SEND_LOCAL_INFILE_RESULT"],
        chassis_sys::network_mysqld_con_state_t::CON_STATE_SEND_LOCAL_INFILE_RESULT
    );
    assert_eq!(
        states["CON_STATE_SEND_ERROR"],
        chassis_sys::network_mysqld_con_state_t::CON_STATE_SEND_ERROR
    );
}
