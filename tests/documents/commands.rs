//! The commands in the documents run, or the document says why they do not.
//!
//! A comment directly before a block says how:
//!
//! - `run: local`: by a test of this module, as written, against `local`. What the block shows is compared.
//! - `run: emulator`: by the ignored test of this module, in the same way, against an emulator of AWS.
//! - `run: ci`: by `.ci/run`, which may append arguments.
//! - `run: FILE`: by this test or script, which names the document or the heading above the block.
//! - `not run: REASON`.
//!
//! `; not COMMAND: REASON` at its end excepts the commands that begin with COMMAND. In the first line of a
//! document, the comment is about each block that has none. A block that is repeated needs it once.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use regex_lite::{Regex, escape};

use crate::{files, read, root, shown};

/// The languages of blocks without commands; `console` and `sh` have some.
const NO_COMMANDS: [&str; 11] = ["css", "hcl", "html", "js", "json", "python", "rust", "text", "toml", "ts", "yaml"];
const START_LOCAL: &str = "cargo run -p local";
const START_EMULATOR: &str = "tools/ministack/up";

/// A block of commands in a document.
#[derive(Debug)]
struct Block {
    document: String,
    line: usize,
    heading: String,
    /// What the comment says, without its exception.
    how: String,
    exception: Option<String>,
    steps: Vec<Step>,
}

/// A command, and the output that the block shows.
#[derive(Debug, Default, Eq, PartialEq)]
struct Step {
    command: String,
    output: String,
}

/// What a comment says about how a block is run.
fn comment(line: &str) -> Option<&str> {
    let text = line.trim().strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    (text.starts_with("run: ") || text.starts_with("not run: ")).then_some(text)
}

fn blocks(document: &str, text: &str) -> Vec<Block> {
    let default = text.lines().next().and_then(comment).unwrap_or_default();
    let (mut blocks, mut heading, mut before) = (Vec::new(), "", "");
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| !line.trim_start().starts_with("```"));
            let body: Vec<_> = body.collect();
            let is_console = language == "console";
            if is_console || language == "sh" {
                let says = comment(before).unwrap_or(default);
                let (how, exception) = says.split_once("; not ").map_or((says, None), |(how, it)| (how, Some(it)));
                let (document, heading, how) = (document.to_owned(), heading.to_owned(), how.to_owned());
                let (line, exception, steps) = (index + 1, exception.map(str::to_owned), steps(&body, is_console));
                blocks.push(Block { document, line, heading, how, exception, steps });
            } else {
                assert!(NO_COMMANDS.contains(&language), "{document}:{}: ```{language} is neither", index + 1);
            }
        } else if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim();
        }
        before = line;
    }
    blocks
}

/// Splits a block: each command ends at the line where bash can parse it.
fn steps(body: &[&str], is_console: bool) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_open = false;
    for line in body {
        let begins = if is_console { line.strip_prefix("$ ") } else { Some(*line).filter(|it| !is_comment(it)) };
        match (begins, steps.last_mut()) {
            (_, Some(step)) if is_open => step.command += &format!("\n{line}"),
            (Some(command), _) => steps.push(Step { command: command.to_owned(), output: String::new() }),
            (None, Some(step)) if is_console => step.output += &format!("{line}\n"),
            _ => continue,
        }
        is_open = steps.last().is_some_and(|step| step.output.is_empty() && !is_complete(&step.command));
    }
    steps
}

fn is_comment(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}

fn is_complete(command: &str) -> bool {
    !command.ends_with('\\') && bash(command, "-n").status.success()
}

fn bash(script: &str, option: &str) -> Output {
    Command::new("bash").args([option, "-c", script]).current_dir(root()).output().unwrap()
}

impl Block {
    fn fault(&self, what: &str) -> String {
        format!("{}:{}: {what}", self.document, self.line)
    }

    /// The steps that are not excepted.
    fn to_run(&self) -> impl Iterator<Item = &Step> {
        let excepted = self.exception.as_deref().and_then(|it| it.split(": ").next());
        self.steps.iter().filter(move |step| !excepted.is_some_and(|it| step.command.starts_with(it)))
    }

    /// Why the comment does not say how the block is run; `ci` are the commands of `.ci/run`.
    fn faults(&self, ci: &str) -> Vec<String> {
        let mut faults = Vec::new();
        if self.steps.is_empty() {
            faults.push(self.fault("no command; in a console block each begins with `$ `"));
        }
        if let Some(exception) = &self.exception {
            let has_reason = exception.split_once(": ").is_some_and(|(_, reason)| !reason.is_empty());
            if !has_reason || self.to_run().count() == self.steps.len() {
                faults.push(self.fault(&format!("no such command, or no reason: not {exception}")));
            }
        }
        match self.how.strip_prefix("run: ") {
            Some("local" | "emulator") => {}
            Some("ci") => {
                let missing = self.to_run().map(|step| words(&step.command)).filter(|it| !ci.contains(it));
                faults.extend(missing.map(|command| self.fault(&format!(".ci/run does not run: {command}"))));
            }
            Some(file) => {
                let text = fs::read_to_string(root().join(file)).unwrap_or_default();
                if !text.contains(&self.document) && !text.contains(&format!("\"{}\"", self.heading)) {
                    faults.push(self.fault(&format!("{file} names neither the document nor \"{}\"", self.heading)));
                }
            }
            None if self.how.len() > "not run: ".len() => {}
            None => faults.push(self.fault("no comment says how the commands are run, or why not")),
        }
        faults
    }
}

/// A command without its comment, its words separated by one space.
fn words(command: &str) -> String {
    let command = command.split(" #").next().unwrap_or(command);
    command.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The commands of `.ci/run`, as documents write them.
fn ci() -> String {
    let script = format!(".ci/run\n{}", read(".ci/run"));
    let commands = script.lines().filter(|line| !is_comment(line)).map(words).collect::<Vec<_>>().join("\n");
    [
        (" --locked", ""),
        (" --quiet", ""),
        ("prove ", "cargo run --release -p proof -- "),
        ("tool build ", "cargo build --release "),
        ("target/release/bench ", "cargo run --release -p bench -- "),
        ("\"$url\"", "http://127.0.0.1:8000"),
    ]
    .iter()
    .fold(commands, |commands, (here, there)| commands.replace(here, there))
}

/// The blocks of all documents, each once.
fn all_blocks() -> Vec<Block> {
    let mut all: Vec<_> = files(root(), "md").iter().flat_map(|path| blocks(&shown(path), &read(path))).collect();
    all.sort_by_key(|block| block.how.is_empty());
    let mut once: Vec<Block> = Vec::new();
    for block in all {
        if !once.iter().any(|it| it.steps == block.steps && (block.how.is_empty() || it.how == block.how)) {
            once.push(block);
        }
    }
    once
}

/// What differs between documents and runs: tokens, identifiers, times and the port.
fn without_chance(text: &str) -> String {
    let kinds = [
        (r"eyJ[-_.…A-Za-z0-9]+", "eyJ"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "id"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT", "time"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1"),
    ];
    let lines = text.trim().lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    kinds.iter().fold(lines, |text, (kind, name)| Regex::new(kind).unwrap().replace_all(&text, *name).into_owned())
}

/// Whether a document shows this output; `…` stands for anything.
fn shows(output: &str, real: &str) -> bool {
    let pattern = escape(&without_chance(output)).replace('…', ".*");
    Regex::new(&format!("^(?s:{pattern})$")).unwrap().is_match(&without_chance(real))
}

/// Runs a block's commands in one shell, after `prelude`, and compares what each prints. A `curl` whose response
/// is not shown must get a success.
fn run(block: &Block, prelude: &str, edit: impl Fn(&str) -> String) -> Vec<String> {
    let steps: Vec<_> = block.to_run().filter(|step| !step.command.starts_with(START_LOCAL)).collect();
    let mut script = format!("set -uo pipefail\n{prelude}\n");
    for step in &steps {
        let curl = match step.output.as_str() {
            "" => "curl() { command curl --fail-with-body \"$@\"; }",
            _ => "unset -f curl",
        };
        script += &format!("{curl}\n{}\nprintf '\\036'\n", edit(&step.command));
    }
    let ran = bash(&script, "-e");
    let printed = without_chance(&String::from_utf8_lossy(&ran.stdout));
    let printed: Vec<_> = printed.split('\x1e').collect();
    if !ran.status.success() {
        let failed = steps.get(printed.len() - 1).map_or("", |step| &step.command);
        let error = without_chance(&String::from_utf8_lossy(&ran.stderr));
        return vec![block.fault(&format!("{failed}\nfailed: {error}"))];
    }
    let pairs = steps.iter().zip(printed).filter(|(step, real)| !step.output.is_empty() && !shows(&step.output, real));
    pairs
        .map(|(step, real)| block.fault(&format!("{}\nprints:\n{real}\nnot:\n{}", step.command, step.output)))
        .collect()
}

/// `local`, as a document starts it. It ends when this value is dropped.
struct Local {
    process: Child,
    address: String,
    /// Open as long as the process runs.
    _output: BufReader<ChildStdout>,
}

impl Local {
    /// Runs `command` on a free port, and returns what it prints in as many lines as are expected.
    fn start(command: &str, expected: &str) -> (Self, String) {
        let command = words(command);
        let options = if command.contains(" -- ") { "--port 0" } else { "-- --port 0" };
        let mut process = Command::new("bash")
            .args(["-c", &format!("exec {command} {options}")])
            .current_dir(root())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut printed = String::new();
        for _ in 0..expected.trim().lines().count().max(1) {
            output.read_line(&mut printed).unwrap();
        }
        let address = printed.lines().next().and_then(|line| line.strip_prefix("listening on http://"));
        let address = address.unwrap_or_else(|| panic!("{command} did not start: {printed}")).to_owned();
        (Self { process, address, _output: output }, printed)
    }

    /// Runs a block's commands against this server.
    fn run(&self, block: &Block) -> Vec<String> {
        let prelude = format!(
            "token-auth() {{ cargo run --quiet --manifest-path '{root}/Cargo.toml' -p cli -- \"$@\"; }}
            cd '{scratch}'
            export API_URL=http://{address} TOKEN_AUTH_URL=http://{address} AWS_REGION=us-east-1
            export AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}
            TOKEN=$(curl -s $API_URL/tokens | sed 's/.*\"token\":\"\\([^\"]*\\).*/\\1/')",
            root = root().display(),
            scratch = env!("CARGO_TARGET_TMPDIR"),
            address = self.address,
            id = local::ACCESS_KEY_ID,
            secret = local::SECRET_ACCESS_KEY
        );
        run(block, &prelude, |command| command.replace("127.0.0.1:3000", &self.address))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Runs blocks in the order of their documents. A block that starts `local` starts it for those after it in its
/// document.
fn run_on_local(blocks: &[Block]) -> Vec<String> {
    let mut faults = Vec::new();
    for blocks in blocks.chunk_by(|one, next| one.document == next.document) {
        let mut server: Option<Local> = None;
        for block in blocks {
            if let Some(step) = block.to_run().find(|step| step.command.starts_with(START_LOCAL)) {
                let (local, printed) = Local::start(&step.command, &step.output);
                if !step.output.is_empty() && !shows(&step.output, &printed) {
                    faults.push(block.fault(&format!("{}\nprints:\n{printed}", step.command)));
                }
                server = Some(local);
            }
            faults.extend(server.get_or_insert_with(|| Local::start(START_LOCAL, "").0).run(block));
        }
    }
    faults
}

#[test]
fn each_block_of_commands_says_how_it_is_run_or_why_it_is_not() {
    let ci = ci();
    let faults: Vec<_> = all_blocks().iter().flat_map(|block| block.faults(&ci)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn commands_run_as_written_on_local_and_print_what_is_shown() {
    let mut blocks = all_blocks();
    blocks.retain(|block| block.how == "run: local");
    assert!(!blocks.is_empty());
    let faults = run_on_local(&blocks);
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
#[ignore = "needs SAM, cargo-lambda and the AWS CLI"]
fn emulator_commands_run_as_written_and_print_what_is_shown() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let output = |name: &str| {
        let query = format!("Stacks[0].Outputs[?OutputKey==`{name}`].OutputValue");
        format!("$(aws cloudformation describe-stacks --stack-name token-auth --output text --query '{query}')")
    };
    let placeholder = Regex::new("<([A-Za-z]+)>").unwrap();
    let edit = |command: &str| {
        let command = command.replace(START_EMULATOR, &format!("{START_EMULATOR} {port}"));
        let command = command.replace("$KEY_RING_ARN", &output("KeyRingArn"));
        placeholder.replace_all(&command, |name: &regex_lite::Captures<'_>| output(&name[1])).into_owned()
    };
    let mut blocks: Vec<_> = all_blocks().into_iter().filter(|block| block.how == "run: emulator").collect();
    // The longest block that deploys comes first, and the others find its deployment.
    let deploys = |block: &Block| block.steps.iter().any(|step| step.command.contains(START_EMULATOR));
    blocks.sort_by_key(|block| (!deploys(block), std::cmp::Reverse(block.steps.len())));
    let mut all = blocks.remove(0);
    for block in blocks {
        if !all.steps.starts_with(&block.steps) {
            all.steps.extend(block.steps);
        }
    }
    let prelude = "unset AWS_SAM_STACK_NAME\ntrap 'kill $MINISTACK_PID; rm -f ring.json' EXIT";
    let faults = run(&all, prelude, edit);
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn a_block_is_split_into_commands_and_what_they_print() {
    let text = "# Title\n<!-- run: ci; not rm: it is yours -->\n```console\n$ a \\\n    b\nc\n$ rm 'x\ny' |\nz\n```\n";
    let blocks = blocks("README.md", text);
    let step = |command: &str, output: &str| Step { command: command.into(), output: output.into() };
    assert_eq!(blocks[0].steps, [step("a \\\n    b", "c\n"), step("rm 'x\ny' |\nz", "")]);
    assert_eq!((blocks[0].how.as_str(), blocks[0].heading.as_str(), blocks[0].line), ("run: ci", "Title", 3));
    assert_eq!(blocks[0].to_run().count(), 1);
}

#[test]
fn a_block_is_at_fault_unless_its_comment_is_true() {
    let faults = |comment: &str| {
        let text = format!("## Revoke\n{comment}\n```sh\ncargo test --workspace # all\nrm x\n```\n");
        blocks("README.md", &text).iter().flat_map(|block| block.faults("cargo test --workspace")).count()
    };
    for good in ["<!-- run: local -->", "<!-- run: ci; not rm: it is yours -->", "<!-- not run: needs AWS -->"] {
        assert_eq!(faults(good), 0, "{good}");
    }
    for bad in
        ["", "<!-- run: ci -->", "<!-- not run:  -->", "<!-- run: local; not ls: odd -->", "<!-- run: missing.rs -->"]
    {
        assert_eq!(faults(bad), 1, "{bad}");
    }
}

#[test]
fn a_block_without_a_command_is_a_fault() {
    let blocks = blocks("README.md", "<!-- run: local -->\n```console\ncargo test\n```\n");
    assert_eq!(blocks[0].faults("").len(), 1);
}

#[test]
fn a_curl_whose_response_is_not_shown_must_get_a_success() {
    let faults =
        |path| run_on_local(&blocks("README.md", &format!("```sh\ncurl -s http://127.0.0.1:3000{path}\n```"))).len();
    assert_eq!((faults("/hello"), faults("/nothing")), (0, 1));
}

#[test]
fn a_command_that_fails_or_prints_something_else_is_a_fault() {
    let faults = |body: &str| {
        let text = format!("```console\n{body}\n```\n");
        run(&blocks("README.md", &text)[0], "", str::to_owned).len()
    };
    assert_eq!(faults("$ X=1\n$ echo $X 2026-11-22T01:35:36Z && echo eyJaaa.b\n1 2026-01-01T00:00:00Z\neyJ…"), 0);
    for bad in ["$ no-such-command", "$ echo 1\n2", "$ echo '{\"a\":1}'\n{\"a\":1,\"b\":…}", "$ false | true"] {
        assert_eq!(faults(bad), 1, "{bad}");
    }
}
