//! The targets that can serve the API, and what each of them cannot show.

/// A server of the API under test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// `local`, this project's own runner.
    Local,
    /// `sam local start-api`.
    Sam,
    /// A deployment to an emulator of AWS.
    Emulator,
    /// A deployment to AWS.
    Aws,
}

/// The modules that a target cannot show, and why.
const CANNOT_SHOW: [(Target, &str, &str); 6] = [
    (Target::Sam, "attacks", "it takes about a second a request, and ignores the template's gateway responses"),
    (Target::Sam, "gateway", "it ignores the template's gateway responses and repeats one request id"),
    (Target::Sam, "iam", "it checks no signature"),
    (Target::Sam, "races", "it takes about a second a request"),
    (Target::Sam, "remapping", "it passes WWW-Authenticate on as it is"),
    (Target::Emulator, "remapping", "it passes WWW-Authenticate on as it is"),
];

impl Target {
    /// Reads the value of `API_TARGET`.
    pub(crate) fn parse(name: &str) -> Self {
        match name {
            "local" => Self::Local,
            "sam" => Self::Sam,
            "emulator" => Self::Emulator,
            "aws" => Self::Aws,
            other => panic!("API_TARGET is {other}; it must be local, sam, emulator or aws"),
        }
    }

    /// Fails the test if this target cannot show what the tests of `module` check.
    pub(crate) fn must_show(self, module: &str) {
        let reason = CANNOT_SHOW.iter().find(|(target, name, _)| (*target, *name) == (self, module));
        if let Some((_, _, reason)) = reason {
            panic!("{self:?} cannot show this: {reason}; leave it out with --skip {module}::");
        }
    }
}
