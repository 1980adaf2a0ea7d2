//! Validation errors, field by field, each with a stable code.

use std::borrow::Cow;

use strum::{EnumIter, IntoStaticStr};

/// A rule that a field violates. The code consists of field and rule: `title.too_long`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Rule {
    Required,
    /// Parameters: `min`.
    TooShort,
    /// Parameters: `max`, sometimes `actual`.
    TooLong,
    /// Parameters: `max`.
    TooMany,
    /// Would need too much work or space.
    TooComplex,
    /// Wrong type or format.
    Malformed,
    /// Parameters: `min`, `max`.
    OutOfRange,
    /// Not one of the known values.
    Unknown,
    /// There is no parameter of this name.
    Undefined,
    /// Already in use.
    Taken,
    /// Does not match the stored value, such as the current password.
    Wrong,
    /// Changed concurrently.
    Changed,
    /// A merged text in which not everything is decided. Parameters: `count`.
    Unmerged,
    /// A password that is easy to guess. Parameters: `reason`.
    Guessable,
    /// A password from a known breach.
    Breached,
    ContainsUsername,
    MixedScripts,
    /// Looks like a value that is already in use.
    Confusable,
    /// A name that is kept for the site itself.
    Reserved,
    /// Invisible throughout, or with control characters.
    Invisible,
    /// The operator's configuration has fixed it. Parameters: `variable`.
    Fixed,
    /// Allowed for admins only.
    AdminOnly,
    /// Two mutually exclusive fields were sent.
    Exclusive,
    /// Sent more than once.
    Repeated,
    /// Not UTF-8 text.
    NotText,
    /// Contains a NUL character, which PostgreSQL cannot store.
    NulCharacter,
}

/// A parameter of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    Number(i64),
    Text(String),
}

impl From<i64> for Parameter {
    fn from(number: i64) -> Self {
        Parameter::Number(number)
    }
}

impl From<usize> for Parameter {
    fn from(number: usize) -> Self {
        Parameter::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<String> for Parameter {
    fn from(text: String) -> Self {
        Parameter::Text(text)
    }
}

/// A field that violates a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The name of the field; empty when the error concerns the input as a whole.
    pub field: Cow<'static, str>,
    pub rule: Rule,
    pub parameters: Vec<(&'static str, Parameter)>,
}

impl FieldError {
    pub fn new(field: impl Into<Cow<'static, str>>, rule: Rule) -> FieldError {
        FieldError { field: field.into(), rule, parameters: Vec::new() }
    }

    /// Adds a parameter of the message.
    pub fn with(mut self, name: &'static str, value: impl Into<Parameter>) -> FieldError {
        self.parameters.push((name, value.into()));
        self
    }

    /// `title.too_long`; `input.malformed` for the input as a whole.
    pub fn code(&self) -> String {
        let field = if self.field.is_empty() { "input" } else { &self.field };
        let rule: &str = self.rule.into();
        format!("{field}.{rule}")
    }
}

/// All errors of an input, in the order of its fields.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ValidationErrors(Vec<FieldError>);

impl ValidationErrors {
    pub fn add(&mut self, error: FieldError) {
        self.0.push(error);
    }

    pub fn extend(&mut self, more: ValidationErrors) {
        self.0.extend(more.0);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &FieldError> {
        self.0.iter()
    }
}
