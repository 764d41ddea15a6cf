//! The parameters of one request: each at most once, and an empty one counts as absent.
//!
//! Spec: RFC 6749 §3.1 and §3.2. Parameters that no specification names may repeat: they are only kept.

use domain::limits::REQUEST_PARAMETERS_MAX;

use crate::error::OAuthError;

/// Decoded names and values in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params {
    pairs: Vec<(String, String)>,
    too_many: bool,
}

impl Params {
    /// Takes decoded pairs. Past [`REQUEST_PARAMETERS_MAX`] the rest is dropped and [`Params::check_once`] refuses.
    pub fn parse(mut pairs: Vec<(String, String)>) -> Self {
        let too_many = pairs.len() > REQUEST_PARAMETERS_MAX;
        pairs.truncate(REQUEST_PARAMETERS_MAX);
        Self { pairs, too_many }
    }

    /// A parameter's value; `None` where it is absent, empty, or there more than once.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.pairs.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    /// Whether the parameter is there more than once.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.pairs.iter().filter(|(own, _)| own == name).count() > 1
    }

    /// The `client_id`, with which the client is looked up before anything else is believed.
    pub fn client_id(&self) -> Option<&str> {
        self.get("client_id")
    }

    /// Every pair as it came.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request` naming the parameter.
    pub fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::missing(name))
    }

    /// Refuses a request in which one of `names` repeats, or which has too many parameters.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn check_once(&self, names: &[&str]) -> Result<(), OAuthError> {
        if self.too_many {
            return Err(OAuthError::invalid(format!("More than {REQUEST_PARAMETERS_MAX} parameters")));
        }
        match names.iter().find(|name| self.is_repeated(name)) {
            Some(name) => Err(OAuthError::invalid(format!("Parameter given more than once: {name}"))),
            None => Ok(()),
        }
    }
}

/// Decodes `application/x-www-form-urlencoded` text, as in a query or a posted form (RFC 6749 appendix B).
pub fn decode(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::{Params, decode};

    #[test]
    fn an_empty_parameter_counts_as_absent_and_a_repeated_one_is_not_guessed() {
        let params = Params::parse(decode("client_id=a&state=&nonce=1&nonce=2&x=1&x=2"));
        assert_eq!(params.client_id(), Some("a"));
        assert_eq!(params.get("state"), None);
        assert_eq!(params.get("nonce"), None);
        assert!(params.check_once(&["client_id", "state"]).is_ok());
        let error = params.check_once(&["client_id", "nonce"]).unwrap_err();
        assert_eq!(error.description, "Parameter given more than once: nonce");
    }

    #[test]
    fn more_parameters_than_the_limit_are_refused() {
        let many = |count: usize| vec![("x".to_owned(), String::new()); count];
        assert!(Params::parse(many(100)).check_once(&[]).is_ok());
        let params = Params::parse(many(101));
        assert!(params.check_once(&[]).is_err());
        assert_eq!(params.pairs().len(), 100);
    }
}
