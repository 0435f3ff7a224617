//! Tests of the commands in pages. Their subcommands, flags, `make` targets and `cargo` profiles must exist.

use std::collections::BTreeMap;
use std::process::Command;

use crate::pages::{Located, current, page};

/// The help texts by subcommand, such as `topics apply`. The value is `None` if the subcommand does not exist.
#[derive(Default)]
struct Helps(BTreeMap<String, Option<String>>);

impl Helps {
    /// Returns the help text of a subcommand. Returns `None` if the subcommand does not exist.
    fn of(&mut self, subcommand: &str) -> Option<&str> {
        let help = self.0.entry(subcommand.into()).or_insert_with(|| {
            let output = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
                .args(subcommand.split(' ').filter(|word| !word.is_empty()))
                .arg("--help")
                .env_clear()
                .output()
                .expect("the program runs");
            let help = String::from_utf8(output.stdout).expect("UTF-8");
            output.status.success().then_some(help)
        });
        help.as_deref()
    }

    /// Returns the first unknown subcommand or flag of a command that begins with `crowdfold`. Returns `None` if all
    /// are known.
    fn fault(&mut self, command: &str) -> Option<String> {
        let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
        let words: Vec<_> = command.split_whitespace().skip(1).collect();
        let mut subcommand = words.first().copied().filter(is_name).unwrap_or_default().to_owned();
        if subcommand == "topics" {
            let second = words.get(1).copied().filter(is_name).unwrap_or_default();
            subcommand = format!("topics {second}").trim_end().into();
        }
        let Some(help) = self.of(&subcommand) else {
            return Some(format!("there is no subcommand \"{subcommand}\""));
        };
        // Pages also contain synopses, such as `[--flag]` and `[--flag F|--other]`.
        let flags = words.iter().flat_map(|word| word.split(['[', ']', '|', '=', '`', ',', ';', ')']));
        let wrong = flags.filter(|word| word.starts_with("--")).find(|flag| {
            !help.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|word| word == *flag)
        });
        wrong.map(|flag| format!("\"{subcommand}\" has no flag {flag}"))
    }
}

/// Returns the shell commands in a page that begin with a word, such as `crowdfold`.
fn commands<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(['\n', ';', '&', '('])
        .flat_map(|line| line.split(" | "))
        .map(|line| line.split(" #").next().unwrap_or_default().trim())
        .map(|line| line.trim_start_matches("$ ").trim_start_matches("sudo "))
        .map(skip_assignments)
        .filter(move |line| line.split_whitespace().next() == Some(word))
}

/// Removes the assignments of variables from the beginning of a command, such as `KEY=value crowdfold run`.
fn skip_assignments(mut line: &str) -> &str {
    while let Some((first, rest)) = line.split_once(' ') {
        if !first.contains('=') {
            break;
        }
        line = rest;
    }
    line
}

/// Returns the inline code of a page, and the commands in its blocks of type `sh` and `console`.
fn quoted(page: &crate::pages::Page) -> Vec<Located> {
    let mut quoted = page.content().code;
    let mut is_shell = false;
    for (number, line) in page.text.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            is_shell = matches!(info, "sh" | "console");
        } else if is_shell && (line.starts_with("$ ") || !line.starts_with(' ')) {
            quoted.push(Located { line: number + 1, text: line.into() });
        }
    }
    quoted
}

#[test]
fn commands_and_flags_in_pages_exist() {
    let mut helps = Helps::default();
    let mut complaints = Vec::new();
    for page in current() {
        for part in quoted(&page) {
            for command in commands(&part.text, "crowdfold") {
                if let Some(fault) = helps.fault(command) {
                    complaints.push(format!("{}:{}: {command}: {fault}", page.path, part.line));
                }
            }
        }
    }
    crate::assert_none(&complaints);
}

#[test]
fn make_targets_in_pages_exist() {
    let makefile = page("Makefile").text;
    let mut complaints = Vec::new();
    for page in current() {
        for part in quoted(&page) {
            for command in commands(&part.text, "make") {
                // A mention of `make` without a target is the name of the program, and not a command.
                let Some(target) = command.split_whitespace().nth(1) else { continue };
                if !makefile.lines().any(|line| line.strip_prefix(target).is_some_and(|l| l.starts_with(':')))
                {
                    complaints.push(format!("{}:{}: there is no target {command}", page.path, part.line));
                }
            }
        }
    }
    crate::assert_none(&complaints);
}

/// Returns true if a `cargo` command names no profile, or a profile that `manifest` defines.
fn has_profile(manifest: &str, command: &str) -> bool {
    let words: Vec<_> = command.split_whitespace().collect();
    let profile = words.windows(2).find(|pair| pair[0] == "--profile").map(|pair| pair[1]);
    profile.is_none_or(|profile| manifest.contains(&format!("[profile.{profile}]\n")))
}

#[test]
fn cargo_profiles_in_pages_exist() {
    let manifest = page("Cargo.toml").text;
    let mut complaints = Vec::new();
    for page in current() {
        for part in quoted(&page) {
            for command in commands(&part.text, "cargo").filter(|command| !has_profile(&manifest, command)) {
                complaints.push(format!("{}:{}: there is no profile: {command}", page.path, part.line));
            }
        }
    }
    crate::assert_none(&complaints);
}

#[test]
fn unknown_cargo_profile_is_detected() {
    let manifest = "[profile.dev]\n[profile.release]\n";
    assert!(has_profile(manifest, "cargo run --profile dev -p crowdfold"));
    assert!(has_profile(manifest, "cargo run --release -p crowdfold"));
    assert!(!has_profile(manifest, "cargo run --profile demo -p crowdfold --"));
}

#[test]
fn unknown_subcommand_or_flag_is_detected() {
    let mut helps = Helps::default();
    for (command, fault) in [
        ("crowdfold fold a.ndjson --output rows.ndjson", None),
        ("crowdfold topics apply [--dry-run] [--purge-ahead [--yes]]", None),
        ("crowdfold --help", None),
        ("crowdfold fold --outptu rows.ndjson", Some("\"fold\" has no flag --outptu")),
        ("crowdfold topics apply --dry", Some("\"topics apply\" has no flag --dry")),
        ("crowdfold unfold", Some("there is no subcommand \"unfold\"")),
    ] {
        assert_eq!(helps.fault(command).as_deref(), fault, "{command}");
    }
    let text =
        "A=1 B=2 crowdfold check --config f.toml  # crowdfold x\ntrue && crowdfold run | crowdfold y\n";
    let found: Vec<_> = commands(text, "crowdfold").collect();
    assert_eq!(found, ["crowdfold check --config f.toml", "crowdfold run", "crowdfold y"]);
}
