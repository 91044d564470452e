//! The command line.

use std::fmt;

/// What `cargo xtask help` prints.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test [--fast]                check everything; --fast: only fmt, clippy and the tests
  bench [--json FILE] [NAME…]  run the benchmarks, all or those named
  soak [--minutes N]           run the tests that make up their cases for N minutes; else for 10
  fuzz [--seconds N] [TARGET…] run all fuzz targets, or those named, for N seconds each; else for 60
  interop [WORD…]              sync with LiveStore itself: all cells, or those with every WORD
  ci                           test as CI does: missing tools are installed, nothing is skipped
  help                         this text
";

/// One command, understood.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Check the workspace.
    Test {
        /// Leave out what takes long and rarely breaks.
        fast: bool,
    },
    /// Run the benchmarks.
    Bench {
        /// Handed to `livestore-benches` as they are: it knows its own flags.
        args: Vec<String>,
    },
    /// Run the tests that make up their own cases.
    Soak {
        /// For how long, all together.
        minutes: u64,
    },
    /// Run the fuzz targets.
    Fuzz {
        /// For how long, each.
        seconds: u64,
        /// Which; none is all.
        targets: Vec<String>,
    },
    /// Sync with LiveStore itself.
    Interop {
        /// What a line of the matrix must have to be run.
        words: Vec<String>,
    },
    /// Check the workspace as CI does.
    Ci,
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
    /// The command takes no such argument.
    Argument {
        /// The command.
        command: &'static str,
        /// What it was given.
        argument: String,
    },
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => write!(f, "which command?"),
            Self::Command(name) => write!(f, "there is no command `{name}`"),
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
        "test" => Ok(Command::Test { fast: flag("test", "--fast", rest)? }),
        "bench" => Ok(Command::Bench { args: rest }),
        "soak" => minutes(&rest).map(|minutes| Command::Soak { minutes }),
        "fuzz" => seconds(rest).map(|(seconds, targets)| Command::Fuzz { seconds, targets }),
        "interop" => Ok(Command::Interop { words: rest }),
        "ci" => nothing("ci", rest).map(|()| Command::Ci),
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
        assert_eq!(parsed("test"), Ok(Command::Test { fast: false }));
        assert_eq!(parsed("test --fast"), Ok(Command::Test { fast: true }));
        assert_eq!(parsed("bench"), Ok(Command::Bench { args: vec![] }));
        assert_eq!(parsed("soak"), Ok(Command::Soak { minutes: 10 }));
        assert_eq!(parsed("soak --minutes 60"), Ok(Command::Soak { minutes: 60 }));
        let fuzz = |seconds, targets: &[&str]| {
            let targets = targets.iter().map(|target| (*target).to_owned()).collect();
            Ok(Command::Fuzz { seconds, targets })
        };
        assert_eq!(parsed("fuzz"), fuzz(60, &[]));
        assert_eq!(parsed("fuzz --seconds 5 sql lock"), fuzz(5, &["sql", "lock"]));
        assert_eq!(parsed("interop"), Ok(Command::Interop { words: vec![] }));
        assert_eq!(parsed("ci"), Ok(Command::Ci));
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
            ("test --fats", "`cargo xtask test` does not take `--fats`"),
            ("test --fast store", "`cargo xtask test` does not take `store`"),
            ("soak --minutes ten", "`cargo xtask soak` does not take `ten`"),
            ("soak 5", "`cargo xtask soak` does not take `5`"),
            ("fuzz --seconds", "`cargo xtask fuzz` does not take `--seconds`"),
            ("fuzz sql --second 5", "`cargo xtask fuzz` does not take `--second`"),
            ("ci --fast", "`cargo xtask ci` does not take `--fast`"),
            ("help me", "`cargo xtask help` does not take `me`"),
        ];
        for (line, message) in messages {
            assert_eq!(parsed(line).map_err(|wrong| wrong.to_string()), Err(message.to_owned()));
        }
    }
}
