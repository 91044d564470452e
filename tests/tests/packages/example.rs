//! The lock of an example catches a breaking change.

use crate::scratch::Scratch;

#[test]
fn a_change_that_breaks_an_example_does_not_compile() {
    let scratch = Scratch::of_example("repo-history");
    scratch.check("frozen").passes_with("");
    scratch.edit(
        "src/model.rs",
        "author: String,\n    pub(crate) committed_at: Timestamp,\n    pub(crate) files",
        "files",
    );
    scratch.edit("src/model.rs", "    Copied,\n", "");
    let checked = scratch.check("frozen");
    assert!(!checked.passed);
    for line in [
        "event \"v1.CommitRecorded\": `committedAt: Timestamp` is gone",
        "event \"v1.CommitRecorded\": `author: String` is gone",
        "or keep this event, and add \"v2.CommitRecorded\" with `upcast(\"v1.CommitRecorded\", with = …)`",
        "or accept it on purpose: `LIVESTORE_SCHEMA=accept cargo check`",
        "type `ChangeKind`: `copied: unit` is gone",
    ] {
        assert!(checked.text.contains(line), "no `{line}` in\n{}", checked.text);
    }
}
