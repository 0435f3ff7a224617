//! Tests of `completions` and `man`.

use std::collections::BTreeSet;
use std::process::{Command, Output};

fn crowdfold(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_crowdfold"))
        .args(arguments)
        .env_clear()
        .output()
        .expect("the program runs")
}

fn stdout(arguments: &[&str]) -> String {
    let output = crowdfold(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns the completions that bash proposes for the last word of a command line.
fn proposals(words: &[&str]) -> BTreeSet<String> {
    let script = "eval \"$(\"$0\" completions bash)\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                  _crowdfold crowdfold \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; \
                  printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["--norc", "-c", script, env!("CARGO_BIN_EXE_crowdfold")])
        .args(words)
        .output()
        .expect("bash runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Returns the commands in the help texts, such as `topics apply`. An empty name represents the program itself.
fn commands() -> Vec<String> {
    let mut commands = Vec::new();
    let mut open = vec![String::new()];
    while let Some(command) = open.pop() {
        let mut arguments: Vec<_> = command.split_whitespace().collect();
        arguments.push("--help");
        let help = stdout(&arguments);
        let section = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest).to_owned();
        let lines = section.lines().take_while(|line| !line.is_empty());
        let named = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = named.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        open.extend(names.map(|name| format!("{command} {name}").trim().to_owned()));
        commands.push(command);
    }
    commands
}

#[test]
fn bash_completes_commands_flags_and_values() {
    assert_eq!(proposals(&["crowdfold", "fol"]), set(&["fold"]));
    assert_eq!(proposals(&["crowdfold", "topics", "a"]), set(&["apply", "acl"]));
    assert_eq!(proposals(&["crowdfold", "query", "--break"]), set(&["--breakdown"]));
    assert_eq!(proposals(&["crowdfold", "query", "--format", "c"]), set(&["csv"]));
    assert_eq!(proposals(&["crowdfold", "run", "--log-level", "w"]), set(&["warn"]));
}

#[test]
fn every_shell_has_a_script_that_names_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = stdout(&["completions", shell]);
        for command in commands() {
            for word in command.split_whitespace() {
                assert!(script.contains(word), "the script of {shell} does not contain {word}");
            }
        }
    }
}

#[test]
fn every_command_has_a_manual_page_with_all_its_flags() {
    let directory = tempfile::tempdir().expect("a directory");
    stdout(&["man", "--output", directory.path().to_str().expect("a path")]);
    let entries = std::fs::read_dir(directory.path()).expect("a directory");
    let written: BTreeSet<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    let commands = commands();
    let page = |command: &str| format!("crowdfold {command}").trim_end().replace(' ', "-") + ".1";
    assert_eq!(written, commands.iter().map(|command| page(command)).collect());
    assert!(commands.len() > 12, "{commands:?}");
    for command in &commands {
        let text = std::fs::read_to_string(directory.path().join(page(command))).expect("a page");
        assert!(text.contains("\n.TH "), "{command}: {text}");
        let mut arguments: Vec<_> = command.split_whitespace().collect();
        assert_eq!(stdout(&[&["man"], &arguments[..]].concat()), text, "{command}");
        arguments.push("--help");
        for flag in stdout(&arguments).split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
            if flag.starts_with("--") && flag.len() > 2 {
                let escaped = flag.replace('-', "\\-");
                assert!(text.contains(&escaped), "the page of \"{command}\" does not contain {flag}");
            }
        }
    }
}

#[test]
fn completions_and_man_succeed_with_an_invalid_configuration() {
    for arguments in [&["completions", "bash"][..], &["man", "fold"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_crowdfold"))
            .args(arguments)
            .env_clear()
            .env("CROWDFOLD_RELEASE__K", "none")
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn unknown_shell_or_command_is_named_in_the_error() {
    for (arguments, expect) in [
        (&["completions", "tcsh"][..], "crowdfold: invalid value 'tcsh' for '<SHELL>'"),
        (
            &["man", "topics", "create"],
            "crowdfold: \"create\" is not a command of crowdfold topics; the commands are: ",
        ),
    ] {
        let output = crowdfold(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with(expect), "{arguments:?}: {stderr}");
    }
}
