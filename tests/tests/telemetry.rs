//! `docs/telemetry.md` names every span and every metric, and the dashboard asks for metrics that there are.

#![expect(clippy::unwrap_used, reason = "a test reads the sources")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn docs() -> String {
    fs::read_to_string(root().join("docs/telemetry.md")).unwrap()
}

/// The texts in quotes that follow one of these.
fn quoted_behind(text: &str, begins: &[&str]) -> BTreeSet<String> {
    let behind = begins.iter().flat_map(|begin| text.split(begin).skip(1));
    let texts = behind.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    texts.map(str::to_owned).collect()
}

fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            *all += &fs::read_to_string(path).unwrap();
        }
    }
}

#[test]
fn every_span_is_named() {
    let mut all = String::new();
    for library in
        ["livestore", "livestore-sync", "livestore-web", "livestore-devtools", "livestore-server"]
    {
        sources(&root().join(library).join("src"), &mut all);
    }
    let spans = quoted_behind(&all, &["_span!("]);
    assert!(spans.contains("commit"), "{spans:?}");
    let docs = docs();
    let missing: Vec<_> =
        spans.iter().filter(|span| !docs.contains(&format!("| `{span}` |"))).collect();
    assert!(missing.is_empty(), "not in docs/telemetry.md: {missing:?}");
}

/// The metrics of the server, as they are written.
fn metrics() -> BTreeSet<String> {
    let source = root().join("livestore-server/src/server/metrics.rs");
    let source = fs::read_to_string(source).unwrap();
    let counters = quoted_behind(&source, &["counter("]);
    let others = quoted_behind(&source, &["registry.register(", "histogram("]);
    let counters = counters.into_iter().map(|name| format!("livestore_{name}_total"));
    counters.chain(others.into_iter().map(|name| format!("livestore_{name}"))).collect()
}

#[test]
fn every_metric_is_named_and_no_other() {
    let docs = docs();
    let rows = docs.lines().filter_map(|line| line.strip_prefix("| `livestore_"));
    let named = rows.filter_map(|row| row.split('`').next());
    let named: BTreeSet<_> = named.map(|name| format!("livestore_{name}")).collect();
    assert_eq!(named, metrics());
}

#[test]
fn every_activity_is_named_and_no_other() {
    let source = root().join("livestore/src/store/tools/observe.rs");
    let source = fs::read_to_string(source).unwrap();
    let (_, activity) = source.split_once("pub enum Activity {").unwrap();
    let (activity, _) = activity.split_once("\n}").unwrap();
    let variants = activity.lines().filter_map(|line| line.strip_prefix("    "));
    let variants = variants.filter(|line| line.starts_with(char::is_uppercase));
    let ends = |c: char| !c.is_ascii_alphanumeric();
    let variants: BTreeSet<_> = variants.filter_map(|line| line.split(ends).next()).collect();
    assert!(variants.contains("Committed"), "{variants:?}");

    let docs = docs();
    let (_, table) = docs.split_once("| activity |").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let named: BTreeSet<_> = rows.filter_map(|row| row.split('`').next()).collect();
    assert_eq!(named, variants);
}

#[test]
fn the_dashboard_asks_for_metrics_that_there_are() {
    let dashboard = fs::read_to_string(root().join("docs/grafana.json")).unwrap();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let asked: BTreeSet<_> = dashboard
        .split("livestore_")
        .skip(1)
        .filter_map(|rest| rest.split(|c| !is_name(c)).next())
        .map(|name| format!("livestore_{name}"))
        .collect();
    let known = metrics();
    let of_histogram = ["_bucket", "_sum", "_count"];
    for name in &asked {
        let base = of_histogram.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(known.contains(base), "there is no metric {name}");
    }
    assert!(known.iter().all(|name| asked.iter().any(|asked| asked.starts_with(name))));
}
