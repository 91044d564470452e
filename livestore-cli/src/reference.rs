//! The reference page of all commands, made from their definitions.

use std::fmt::Write;

/// The page's beginning.
const HEAD: &str = "\
# The `livestore` command

This page is made from the command's own definitions, by `cargo xtask command`.

";

/// Returns the page, in Markdown.
pub(crate) fn markdown(command: &mut clap::Command) -> String {
    command.build();
    let mut page = HEAD.to_owned();
    section(&mut page, command, "livestore", 2);
    while page.ends_with("\n\n") {
        page.pop();
    }
    page
}

fn section(page: &mut String, command: &clap::Command, name: &str, level: usize) {
    // Writing to a string does not fail.
    let _ = writeln!(page, "{} `{name}`\n", "#".repeat(level));
    let mut command = command.clone().disable_help_flag(true).term_width(96);
    let help = command.render_long_help().to_string();
    let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let _ = writeln!(page, "```text\n{}\n```\n", help.trim_end());
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        section(page, command, &format!("{name} {}", command.get_name()), level + 1);
    }
}
