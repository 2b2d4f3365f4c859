//! The dashboard and the alert rules of `docs/monitoring`: valid, and about metrics that there are.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring").join(name)
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    let names = words.filter(|word| word.starts_with("pyproxy_"));
    // A histogram is documented by the name of the whole.
    let whole = |name: &str| {
        let end = ["_bucket", "_sum", "_count"].into_iter().find_map(|end| name.strip_suffix(end));
        end.unwrap_or(name).to_owned()
    };
    names.map(whole).collect()
}

fn documented() -> BTreeSet<String> {
    let page = include_str!("../../../docs/metrics.md");
    page.lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect()
}

#[test]
fn prometheus_takes_the_rules() {
    let rules = file("alerts.yml");
    let output = Command::new("promtool").args(["check", "rules"]).arg(&rules).output();
    let output = output.expect("promtool, of Debian's package prometheus");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("SUCCESS: 9 rules found"), "{output:?}");
    let used = names(&std::fs::read_to_string(rules).unwrap());
    assert!(used.len() > 5 && used.is_subset(&documented()), "{used:?}");
}

#[test]
fn the_dashboard_shows_what_there_is() {
    let text = std::fs::read_to_string(file("grafana.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let expressions: Vec<_> = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap())
        .map(|target| target["expr"].as_str().unwrap())
        .collect();
    assert!(expressions.len() > panels.len(), "{expressions:?}");
    let used = names(&expressions.join(" "));
    let shown = documented();
    assert!(used.is_subset(&shown), "{:?}", used.difference(&shown));
    // Each is an expression that Prometheus can read.
    let rules = expressions.iter().enumerate().map(|(number, expr)| {
        let expr = expr.replace("$__rate_interval", "5m").replace("$instance", ".*");
        format!("      - record: panel{number}\n        expr: {}\n", serde_json::json!(expr))
    });
    let rules = format!("groups:\n  - name: panels\n    rules:\n{}", rules.collect::<String>());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.yml");
    std::fs::write(&path, rules).unwrap();
    let output = Command::new("promtool").args(["check", "rules"]).arg(&path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}
