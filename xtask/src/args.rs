//! The command line.

use std::fmt;

use crate::web::{Example, Web};

/// The text that `cargo xtask help` prints.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test                         check what you have written: format, lints, all tests
  ci                           the long proofs: everything else that CI runs for a change
  weekly                       the longest: mutants, fuzzing, all interop, lints of the UI frameworks, the tracker's window, Windows
  help                         this text

One of the proofs:
  dependencies                 licences, sources and versions of all dependencies
  api [--check]                write what is public to docs/api; --check: only compare
  command                      write the reference of the `livestore` command to docs/command.md
  book                         build the guide
  page                         build and test the page of the devtools
  screens [--bench]            check and test the bindings of the UI frameworks; --bench: only measure
  wasm                         build the libraries for browsers
  windows                      compile everything for Windows, tests too
  web test [WORD…]             the examples for browsers in Chromium: all scenarios, or those with every WORD
  web window                   the tracker in a window of the desktop, beside two browsers
  interleavings                the live graph, with threads in many orders
  simulation [ARG…]            clients, a server and faults from seeds; ARGs are for `cargo test`
  mutants [ARG…]               whether the simulator finds deliberate bugs; ARGs are for `cargo test`
  fuzz [--seconds N] [TARGET…] run all fuzz targets, or those named, for N seconds each; else for 60
  engines [WORD…]              the server over PostgreSQL and NATS: all tests, or those with a WORD
  interop [WORD…]              sync with LiveStore itself: all cells, or those with every WORD
  package [--allow-dirty]      pack the crates and build the packages

Longer, or to be looked at:
  web bench                    measure stores, and the tracker, in Chromium
  web build [todo|tracker]     build an example for browsers, small; else the todos
  web serve [todo|tracker]     and serve it, beside a backend
  soak [--minutes N]           run the tests that make up their cases for N minutes; else for 10
  bench [--json FILE] [NAME…]  run the benchmarks, all or those named
";

/// One command, understood.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Check what a person has written.
    Test,
    /// Run the long proofs.
    Ci,
    /// Run the longest.
    Weekly,
    /// Check the dependencies.
    Dependencies,
    /// Write what is public.
    Api {
        /// Only compare.
        check: bool,
    },
    /// Write the reference of the `livestore` command.
    Reference,
    /// Build the guide.
    Book,
    /// Build the page of the devtools.
    Page,
    /// Check the bindings of the UI frameworks.
    Screens {
        /// Only measure.
        bench: bool,
    },
    /// Build for browsers.
    Wasm,
    /// Compile for Windows.
    Windows,
    /// Build, serve or try the examples for browsers.
    Web(Web),
    /// Run the model of the live graph.
    Interleavings,
    /// Run the simulator's tests.
    Simulation {
        /// Handed to `cargo test` as they are.
        args: Vec<String>,
    },
    /// Run the simulator's tests on deliberate bugs.
    Mutants {
        /// Handed to `cargo test` as they are.
        args: Vec<String>,
    },
    /// Run the fuzz targets.
    Fuzz {
        /// For how long, each.
        seconds: u64,
        /// Which; an empty list stands for all.
        targets: Vec<String>,
    },
    /// Run the server over real engines.
    Engines {
        /// Texts of which the name of a test must contain one to be run.
        words: Vec<String>,
    },
    /// Sync with LiveStore itself.
    Interop {
        /// Texts that a line of the matrix must contain to be run.
        words: Vec<String>,
    },
    /// Pack the crates and build the packages.
    Package {
        /// Also what is not committed yet.
        allow_dirty: bool,
    },
    /// Run the tests that make up their own cases.
    Soak {
        /// For how long, all together.
        minutes: u64,
    },
    /// Run the benchmarks.
    Bench {
        /// Handed to `livestore-benches` as they are: it knows its own flags.
        args: Vec<String>,
    },
    /// Say what there is.
    Help,
}

/// Why a command line was not understood.
#[derive(Debug, PartialEq)]
pub(crate) enum Wrong {
    /// Nothing was asked for.
    NoCommand,
    /// There is no such command.
    Command(String),
    /// The command has several parts, and none was asked for.
    NoPart {
        /// The command.
        command: &'static str,
        /// The parts.
        parts: &'static str,
    },
    /// The command has no such argument.
    Argument {
        /// The command.
        command: &'static str,
        /// The value that was given.
        argument: String,
    },
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => write!(f, "which command?"),
            Self::Command(name) => write!(f, "there is no command `{name}`"),
            Self::NoPart { command, parts } => write!(f, "`cargo xtask {command}` wants {parts}"),
            Self::Argument { command, argument } => {
                write!(f, "`cargo xtask {command}` does not take `{argument}`")
            }
        }
    }
}

/// Understands the arguments that follow `cargo xtask`.
pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Command, Wrong> {
    let mut args = args.into_iter();
    let name = args.next().ok_or(Wrong::NoCommand)?;
    let rest: Vec<String> = args.collect();
    if rest.iter().any(|arg| is_help(arg)) {
        return Ok(Command::Help);
    }
    match name.as_str() {
        "test" => nothing("test", rest).map(|()| Command::Test),
        "ci" => nothing("ci", rest).map(|()| Command::Ci),
        "weekly" => nothing("weekly", rest).map(|()| Command::Weekly),
        "dependencies" => nothing("dependencies", rest).map(|()| Command::Dependencies),
        "api" => Ok(Command::Api { check: flag("api", "--check", rest)? }),
        "command" => nothing("command", rest).map(|()| Command::Reference),
        "book" => nothing("book", rest).map(|()| Command::Book),
        "page" => nothing("page", rest).map(|()| Command::Page),
        "screens" => Ok(Command::Screens { bench: flag("screens", "--bench", rest)? }),
        "wasm" => nothing("wasm", rest).map(|()| Command::Wasm),
        "windows" => nothing("windows", rest).map(|()| Command::Windows),
        "web" => web(rest).map(Command::Web),
        "interleavings" => nothing("interleavings", rest).map(|()| Command::Interleavings),
        "simulation" => Ok(Command::Simulation { args: rest }),
        "mutants" => Ok(Command::Mutants { args: rest }),
        "fuzz" => seconds(rest).map(|(seconds, targets)| Command::Fuzz { seconds, targets }),
        "engines" => Ok(Command::Engines { words: rest }),
        "interop" => Ok(Command::Interop { words: rest }),
        "package" => Ok(Command::Package { allow_dirty: flag("package", "--allow-dirty", rest)? }),
        "soak" => minutes(&rest).map(|minutes| Command::Soak { minutes }),
        "bench" => Ok(Command::Bench { args: rest }),
        "help" => nothing("help", rest).map(|()| Command::Help),
        name if is_help(name) => Ok(Command::Help),
        _ => Err(Wrong::Command(name)),
    }
}

fn is_help(arg: &str) -> bool {
    arg == "-h" || arg == "--help"
}

/// Whether `flag` is given; anything else is wrong.
fn flag(command: &'static str, flag: &str, args: Vec<String>) -> Result<bool, Wrong> {
    let given = args.iter().any(|arg| arg == flag);
    let others = args.into_iter().filter(|arg| arg != flag).collect();
    nothing(command, others).map(|()| given)
}

/// Of `soak`.
fn minutes(args: &[String]) -> Result<u64, Wrong> {
    let wrong = |argument: &String| Wrong::Argument { command: "soak", argument: argument.clone() };
    match args {
        [] => Ok(10),
        [flag, minutes] if flag == "--minutes" => minutes.parse().map_err(|_| wrong(minutes)),
        [argument, ..] => Err(wrong(argument)),
    }
}

/// Of `fuzz`, and the other arguments.
fn seconds(mut args: Vec<String>) -> Result<(u64, Vec<String>), Wrong> {
    let wrong = |argument: &str| Wrong::Argument { command: "fuzz", argument: argument.to_owned() };
    let mut seconds = 60;
    if let Some(at) = args.iter().position(|arg| arg == "--seconds") {
        let value = args.get(at + 1).ok_or_else(|| wrong("--seconds"))?;
        seconds = value.parse().map_err(|_| wrong(value))?;
        args.drain(at..at + 2);
    }
    match args.iter().find(|arg| arg.starts_with('-')) {
        Some(flag) => Err(wrong(flag)),
        None => Ok((seconds, args)),
    }
}

fn web(mut args: Vec<String>) -> Result<Web, Wrong> {
    let wrong = |argument: &str| Wrong::Argument { command: "web", argument: argument.to_owned() };
    if args.is_empty() {
        return Err(Wrong::NoPart { command: "web", parts: "bench, build, serve, test or window" });
    }
    let name = args.remove(0);
    let example = || match args.as_slice() {
        [] => Ok(Example::Todo),
        [name] => Example::named(name).ok_or_else(|| wrong(name)),
        [_, other, ..] => Err(wrong(other)),
    };
    match name.as_str() {
        "test" => Ok(Web::Test(args)),
        "bench" if args.is_empty() => Ok(Web::Bench),
        "window" if args.is_empty() => Ok(Web::Window),
        "build" => example().map(Web::Build),
        "serve" => example().map(Web::Serve),
        name => Err(wrong(name)),
    }
}

fn nothing(command: &'static str, args: Vec<String>) -> Result<(), Wrong> {
    match args.into_iter().next() {
        None => Ok(()),
        Some(argument) => Err(Wrong::Argument { command, argument }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, Wrong> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_command_in_the_usage_is_understood() {
        assert_eq!(parsed("test"), Ok(Command::Test));
        assert_eq!(parsed("dependencies"), Ok(Command::Dependencies));
        assert_eq!(parsed("api"), Ok(Command::Api { check: false }));
        assert_eq!(parsed("api --check"), Ok(Command::Api { check: true }));
        assert_eq!(parsed("command"), Ok(Command::Reference));
        assert_eq!(parsed("book"), Ok(Command::Book));
        assert_eq!(parsed("page"), Ok(Command::Page));
        assert_eq!(parsed("screens"), Ok(Command::Screens { bench: false }));
        assert_eq!(parsed("screens --bench"), Ok(Command::Screens { bench: true }));
        assert_eq!(parsed("wasm"), Ok(Command::Wasm));
        assert_eq!(parsed("windows"), Ok(Command::Windows));
        assert_eq!(parsed("web bench"), Ok(Command::Web(Web::Bench)));
        assert_eq!(parsed("web window"), Ok(Command::Web(Web::Window)));
        assert_eq!(parsed("web build"), Ok(Command::Web(Web::Build(Example::Todo))));
        assert_eq!(parsed("web serve todo"), Ok(Command::Web(Web::Serve(Example::Todo))));
        assert_eq!(parsed("web serve tracker"), Ok(Command::Web(Web::Serve(Example::Tracker))));
        assert_eq!(parsed("web test ws"), Ok(Command::Web(Web::Test(vec!["ws".to_owned()]))));
        assert_eq!(parsed("interleavings"), Ok(Command::Interleavings));
        assert_eq!(parsed("simulation"), Ok(Command::Simulation { args: vec![] }));
        assert_eq!(parsed("package"), Ok(Command::Package { allow_dirty: false }));
        assert_eq!(parsed("bench"), Ok(Command::Bench { args: vec![] }));
        assert_eq!(parsed("soak"), Ok(Command::Soak { minutes: 10 }));
        assert_eq!(parsed("soak --minutes 60"), Ok(Command::Soak { minutes: 60 }));
        let fuzz = |seconds, targets: &[&str]| {
            let targets = targets.iter().map(|target| (*target).to_owned()).collect();
            Ok(Command::Fuzz { seconds, targets })
        };
        assert_eq!(parsed("fuzz"), fuzz(60, &[]));
        assert_eq!(parsed("fuzz --seconds 5 sql lock"), fuzz(5, &["sql", "lock"]));
        assert_eq!(parsed("engines"), Ok(Command::Engines { words: vec![] }));
        assert_eq!(parsed("interop"), Ok(Command::Interop { words: vec![] }));
        assert_eq!(parsed("ci"), Ok(Command::Ci));
        assert_eq!(parsed("weekly"), Ok(Command::Weekly));
        assert_eq!(parsed("help"), Ok(Command::Help));
    }

    #[test]
    fn bench_hands_its_arguments_on_untouched() {
        let args = ["--json", "out.json", "commit", "rebase"].map(str::to_owned).to_vec();
        assert_eq!(parsed("bench --json out.json commit rebase"), Ok(Command::Bench { args }));
    }

    #[test]
    fn help_is_understood_wherever_it_is_asked() {
        for line in ["--help", "-h", "test --help", "bench commit -h", "ci --help"] {
            assert_eq!(parsed(line), Ok(Command::Help), "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let messages = [
            ("", "which command?"),
            ("tset", "there is no command `tset`"),
            ("test --fast", "`cargo xtask test` does not take `--fast`"),
            ("api --chek", "`cargo xtask api` does not take `--chek`"),
            ("soak --minutes ten", "`cargo xtask soak` does not take `ten`"),
            ("soak 5", "`cargo xtask soak` does not take `5`"),
            ("fuzz --seconds", "`cargo xtask fuzz` does not take `--seconds`"),
            ("fuzz sql --second 5", "`cargo xtask fuzz` does not take `--second`"),
            ("web", "`cargo xtask web` wants bench, build, serve, test or window"),
            ("web serve 80", "`cargo xtask web` does not take `80`"),
            ("ci --fast", "`cargo xtask ci` does not take `--fast`"),
            ("help me", "`cargo xtask help` does not take `me`"),
        ];
        for (line, message) in messages {
            assert_eq!(parsed(line).map_err(|wrong| wrong.to_string()), Err(message.to_owned()));
        }
    }
}
