//! Invocations: calls a handler as the Lambda service does.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use lambda_runtime::Context;
use serde_json::Value;

use crate::account::{ACCOUNT_ID, Region};
use crate::sigv4::AccessKey;

/// Lambda's default time-out.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

/// Environment variables of a function, as the template sets them.
pub type Environment = BTreeMap<String, String>;

/// What a handler returns: the reply, or the message of its error.
pub type Reply = Result<Value, String>;

/// A handler with its type erased.
type Handler = Arc<dyn Fn(Value, Context) -> BoxFuture<'static, Reply> + Send + Sync>;
/// Makes a handler from environment variables.
type Factory = Box<dyn Fn(&Environment) -> Result<Handler, String> + Send + Sync>;

/// What is behind an API and not in its template: the handlers of the functions, by the name of their binary,
/// and the access key of the callers.
#[derive(Default)]
pub struct Functions {
    /// How each handler is made.
    by_binary: HashMap<String, Factory>,
    /// The key that signs requests to routes with `AWS_IAM`.
    pub(crate) access_key: Option<AccessKey>,
}

impl Functions {
    /// Adds the handler of the binary `name`.
    #[must_use]
    pub fn handler<F, R>(self, name: &str, handler: F) -> Self
    where
        F: Fn(Value, Context) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Reply> + Send + 'static,
    {
        self.configured(name, move |_| Ok(handler.clone()))
    }

    /// Adds the handler of the binary `name`, which is made from its function's environment variables.
    #[must_use]
    pub fn configured<M, F, R>(mut self, name: &str, make: M) -> Self
    where
        M: Fn(&Environment) -> Result<F, String> + Send + Sync + 'static,
        F: Fn(Value, Context) -> R + Send + Sync + 'static,
        R: Future<Output = Reply> + Send + 'static,
    {
        let factory = move |environment: &Environment| {
            let handler = make(environment)?;
            let boxed: Handler = Arc::new(move |event, context| Box::pin(handler(event, context)));
            Ok(boxed)
        };
        self.by_binary.insert(name.to_owned(), Box::new(factory));
        self
    }

    /// Sets the access key whose signatures pass `AWS_IAM`. Without one no request passes.
    ///
    /// It must not be the key of an AWS account: [`Server::summary`](crate::Server::summary) shows it.
    #[must_use]
    pub fn access_key(mut self, id: &str, secret: &str) -> Self {
        self.access_key = Some(AccessKey { id: id.to_owned(), secret: secret.to_owned() });
        self
    }

    /// Makes the handler of the binary `name`; `None` if there is no such binary.
    pub(crate) fn make(&self, name: &str, environment: &Environment) -> Option<Result<Handler, String>> {
        self.by_binary.get(name).map(|make| make(environment))
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_binary.keys()).finish()
    }
}

/// A function that can be invoked.
pub(crate) struct Function {
    /// Logical id in the template.
    pub(crate) id: String,
    /// Its Region, which its ARN contains.
    pub(crate) region: Region,
    /// Its code.
    pub(crate) handler: Handler,
    /// How long an invocation may take.
    pub(crate) timeout: Duration,
}

/// Why an invocation gave no reply.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvokeError {
    /// The handler returned an error.
    #[error("{0}")]
    Failed(String),
    /// The handler panicked.
    #[error("the function panicked")]
    Panicked,
    /// The handler took longer than the function's time-out.
    #[error("timed out after {0:?}")]
    TimedOut(Duration),
}

impl Function {
    /// Invokes the function with an event.
    ///
    /// Each invocation has its own request id. An authorizer and the function behind it are two
    /// invocations, as in Lambda.
    pub(crate) async fn invoke(&self, event: Value) -> Result<Value, InvokeError> {
        let mut context = Context::default();
        context.request_id = uuid::Uuid::new_v4().to_string();
        context.deadline = crate::clock::now_millis() + u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX / 2);
        context.invoked_function_arn =
            format!("arn:aws:lambda:{}:{ACCOUNT_ID}:function:{}", self.region.name(), self.id);
        let handler = Arc::clone(&self.handler);
        // A separate task catches a panic, in the handler itself and in the future that it returns.
        let mut task = tokio::spawn(async move { handler(event, context).await });
        match tokio::time::timeout(self.timeout, &mut task).await {
            Ok(Ok(reply)) => reply.map_err(InvokeError::Failed),
            Ok(Err(_)) => Err(InvokeError::Panicked),
            Err(_) => {
                task.abort();
                Err(InvokeError::TimedOut(self.timeout))
            }
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("id", &self.id).finish_non_exhaustive()
    }
}
