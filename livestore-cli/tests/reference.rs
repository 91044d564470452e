//! The reference page says what the command says.

use std::path::Path;

use snapbox::{Data, IntoData};

#[test]
fn the_reference_page_is_up_to_date() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/command.md");
    snapbox::Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .eq(livestore_cli::reference().raw(), Data::read_from(&page, None));
}
