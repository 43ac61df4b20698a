//! `--stack` and the signed commands, with a stack on an emulator of AWS that enforces IAM.
//!
//! `CONTRIBUTING.md` lists the variables that name the emulator and the stack. The test needs the AWS CLI.

use std::{env, process::Command};

use crate::{Ended, PROGRAM, command, run};

/// The root user, whom the emulator permits every action.
const ROOT: (&str, &str) = ("test", "test");

fn variable(name: &str) -> String {
    env::var_os(name).unwrap_or_else(|| panic!("{name} is not set")).into_string().unwrap()
}

/// Sets the emulator and the credentials of a caller.
fn as_caller<'a>(command: &'a mut Command, (id, secret): (&str, &str)) -> &'a mut Command {
    let endpoint = variable("MINISTACK_URL");
    command.envs([("AWS_ENDPOINT_URL", &*endpoint), ("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)])
}

/// Runs the AWS CLI as root; returns its output.
fn aws(arguments: &str) -> String {
    let ended = run(as_caller(command("aws").args(arguments.split(' ')), ROOT), b"");
    assert_eq!(ended.code, Some(0), "aws {arguments}: {}", ended.stderr);
    ended.stdout.trim().to_owned()
}

/// Creates a user with the policies; returns the access key.
fn user(name: &str, policies: &[&str]) -> (String, String) {
    aws(&format!("iam create-user --user-name {name}"));
    for policy in policies {
        aws(&format!("iam attach-user-policy --user-name {name} --policy-arn {policy}"));
    }
    let query = "AccessKey.[AccessKeyId,SecretAccessKey]";
    let key = aws(&format!("iam create-access-key --user-name {name} --query {query} --output text"));
    let (id, secret) = key.split_once(char::is_whitespace).unwrap();
    (id.to_owned(), secret.trim().to_owned())
}

#[test]
#[ignore = "needs a stack on an emulator of AWS"]
fn ministack_serves_a_stack_by_its_name_to_those_with_the_permission() {
    let stack = variable("AWS_SAM_STACK_NAME");
    let outputs = format!("cloudformation describe-stacks --stack-name {stack} --output text --query");
    let policy = aws(&format!("{outputs} Stacks[0].Outputs[?OutputKey=='OperatorPolicyArn'].OutputValue"));
    let reader = "arn:aws:iam::aws:policy/AWSCloudFormationReadOnlyAccess";
    let operator = user("cli-operator", &[&policy, reader]);
    let reader = user("cli-reader", &[reader]);
    let other = user("cli-other", &[]);
    let token_auth = |(id, secret): &(String, String), arguments: &[&str], input: &str| -> Ended {
        let mut command = command(PROGRAM);
        run(as_caller(command.args(["--stack", &stack]).args(arguments), (id, secret)), input.as_bytes())
    };

    let token = token_auth(&operator, &["get"], "").stdout;
    assert_eq!(token_auth(&operator, &["validate"], &token).code, Some(0));
    assert_eq!(token_auth(&operator, &["inspect"], &token).code, Some(1));
    let raced = token_auth(&operator, &["race", "--tokens", "5", "--clients", "8"], "");
    assert_eq!(raced.code, Some(0), "{raced:?}");

    let token = token_auth(&operator, &["mint", "report-link"], "").stdout;
    assert_eq!(token_auth(&operator, &["inspect"], &token).code, Some(0));
    for arguments in [&["mint", "report-link"][..], &["inspect"], &["revoke"]] {
        let refused = token_auth(&reader, arguments, &token);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(4), ""), "{refused:?}");
        assert!(refused.error().ends_with(": these credentials lack the IAM permission"), "{refused:?}");
    }
    assert_eq!(token_auth(&operator, &["revoke"], &token).code, Some(0));
    assert_eq!(token_auth(&operator, &["inspect"], &token).code, Some(1));

    let unknown = token_auth(&other, &["get"], "");
    assert_eq!(unknown.code, Some(4), "{unknown:?}");
    let nowhere = token_auth(&operator, &["--stack", "none", "get"], "");
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
}
