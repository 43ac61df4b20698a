//! The executions of a state machine in Step Functions.

use std::{fmt, sync::Arc};

use apigw::{ConfigError, Settings};
use async_trait::async_trait;
use aws_sdk_sfn::{
    Client,
    error::SdkError,
    operation::{describe_execution::DescribeExecutionError, start_execution::StartExecutionError},
    types::ExecutionStatus,
};
use tokens::Jti;

use super::unavailable;
use crate::{Execution, Executions, Start, Unavailable};

/// The executions of a machine. Step Functions keeps their names for 90 days.
pub struct StepFunctions {
    client: Client,
    machine_arn: String,
    /// The ARN of an execution, up to its name.
    execution_arn_prefix: String,
}

impl StepFunctions {
    /// The executions of a function's machine: `variable` has its ARN. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], which names the variable at fault.
    pub fn from_settings(settings: Settings<'_>, variable: &'static str) -> Result<Arc<Self>, ConfigError> {
        const KIND: &str = ":stateMachine:";

        let is_machine = |arn: &String| arn.matches(KIND).count() == 1;
        let machine_arn = settings.parsed(variable, "the ARN of a state machine", is_machine)?;
        let execution_arn_prefix = machine_arn.replace(KIND, ":execution:") + ":";
        let config = ::aws::sdk_config(settings, "AWS_ENDPOINT_URL_SFN")?;
        Ok(Arc::new(Self { client: Client::new(&config), machine_arn, execution_arn_prefix }))
    }
}

impl fmt::Debug for StepFunctions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepFunctions").field("machine_arn", &self.machine_arn).finish_non_exhaustive()
    }
}

#[async_trait]
impl Executions for StepFunctions {
    fn arn(&self, id: &Jti) -> String {
        format!("{}{id}", self.execution_arn_prefix)
    }

    async fn start(&self, id: &Jti, input: String) -> Result<Start, Unavailable> {
        let start =
            self.client.start_execution().state_machine_arn(&self.machine_arn).name(id.to_string()).input(input);
        match start.send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Start::Started),
            Err(StartExecutionError::ExecutionAlreadyExists(_)) => Ok(Start::Exists),
            Err(err) => Err(unavailable(err)),
        }
    }

    async fn find(&self, id: &Jti) -> Result<Option<Execution>, Unavailable> {
        let describe = self.client.describe_execution().execution_arn(self.arn(id));
        match describe.send().await.map_err(SdkError::into_service_error) {
            Ok(found) => Ok(Some(Execution {
                // An emulator writes the error of one that failed there.
                output: found.output.filter(|_| found.status == ExecutionStatus::Succeeded),
                status: match found.status {
                    ExecutionStatus::PendingRedrive => ExecutionStatus::Running.to_string(),
                    status => status.to_string(),
                },
                input: found.input.unwrap_or_default(),
                error: found.error,
            })),
            Err(DescribeExecutionError::ExecutionDoesNotExist(_)) => Ok(None),
            Err(err) => Err(unavailable(err)),
        }
    }
}
