//! `examples/README.md` lists each example with the first line of its docstring, and nothing else.

use std::collections::BTreeMap;
use std::fs;

use super::folder;

#[test]
fn the_table_has_each_example_with_its_first_line() {
    let mut scripts = BTreeMap::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "py") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let source = fs::read_to_string(&path).unwrap();
            let first = source.lines().next().unwrap();
            let summary = first.strip_prefix("\"\"\"").expect("a docstring").to_owned();
            scripts.insert(name, summary);
        }
    }
    let readme = fs::read_to_string(folder().join("README.md")).unwrap();
    let rows: BTreeMap<String, String> = readme.lines().filter_map(table_row).collect();
    assert_eq!(rows, scripts);
}

/// File name and text of a line like `| [name](name.py) | text |`.
fn table_row(line: &str) -> Option<(String, String)> {
    let (link, text) = line.strip_prefix("| [")?.split_once(" | ")?;
    let (name, file) = link.strip_suffix(')')?.split_once("](")?;
    assert_eq!(file, format!("{name}.py"), "{line}");
    Some((file.to_owned(), text.strip_suffix(" |").expect("the row ends").to_owned()))
}
