//! Makes of the source of an Action or a module what runs: JavaScript as it stands, TypeScript without its types.

use domain::action::Packages;
use sandbox::Failure;

use crate::{Engine, Error};

impl Engine {
    /// The JavaScript of an `action` or a `module`, where that isn't its code as it stands.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it cannot be parsed, with line and column; [`Error::Busy`], [`Error::Unavailable`].
    pub(super) async fn build_script(
        &self,
        what: &str,
        code: &str,
        packages: Option<&Packages>,
    ) -> Result<Option<String>, Error> {
        let refused = |reason: &str| Error::Invalid {
            message: format!("The {what} cannot be deployed: {reason}"),
            code: Some("invalid_body"),
        };
        self.build_for(code, packages).await.map_err(|failure| match failure {
            Failure::Busy => Error::Busy,
            Failure::Unavailable { reason } => Error::Unavailable(reason),
            Failure::Crashed | Failure::CpuTime | Failure::WallClock | Failure::Memory => {
                refused("the code cannot be parsed within the limits. Is it nested very deeply?")
            }
            Failure::Syntax(_) | Failure::Script { .. } | Failure::NoHandler => refused(&failure.to_string()),
        })
    }
    /// The same, with the failure as the worker tells it.
    pub(super) async fn build_for(
        &self,
        code: &str,
        packages: Option<&Packages>,
    ) -> Result<Option<String>, Failure> {
        let Some(packages) = packages else { return self.inner.sandbox.build(code).await };
        // What Node.js reads, it runs, whatever the other engine thinks of it.
        let Err(as_javascript) = self.check_with_node(code, packages).await else { return Ok(None) };
        match self.inner.sandbox.build(code).await {
            Ok(Some(built)) => Ok(Some(built)),
            Err(Failure::Syntax(error)) if error.is_later_than(&as_javascript) => Err(Failure::Syntax(error)),
            Ok(None) | Err(_) => Err(Failure::Syntax(as_javascript)),
        }
    }
}
