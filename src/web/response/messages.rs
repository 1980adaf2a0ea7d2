//! The texts of errors, notices and events, from `locales/`. Models know only their codes.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::langid;

use crate::error::{Error, FaultKind};
use crate::validation::{FieldError, Parameter};
use crate::web::cause::{Cause, RequestError};

static BUNDLE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| {
    let text = include_str!("../../../locales/en.ftl").to_owned();
    // Messages that cannot be parsed are dropped; a test detects that.
    let resource = FluentResource::try_new(text).unwrap_or_else(|(resource, _)| resource);
    let mut bundle = FluentBundle::new_concurrent(vec![langid!("en")]);
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(|value, _| match value {
        FluentValue::Number(number) => Some(grouped(number.value)),
        _ => None,
    }));
    bundle.add_resource_overriding(resource);
    bundle
});

/// Groups digits: 100,000 rather than 100000.
fn grouped(number: f64) -> String {
    let digits = format!("{number}");
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 && digit.is_ascii_digit() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The message with this id; `None` if there is none.
pub fn find(id: &str, arguments: Option<&FluentArgs<'_>>) -> Option<String> {
    pattern(id, None, arguments)
}

fn pattern(
    id: &str,
    attribute: Option<&str>,
    arguments: Option<&FluentArgs<'_>>,
) -> Option<String> {
    // Fluent's ids have no dots.
    let message = BUNDLE.get_message(&id.replace('.', "-"))?;
    let pattern = match attribute {
        Some(name) => message.get_attribute(name)?.value(),
        None => message.value()?,
    };
    let text = BUNDLE.format_pattern(pattern, arguments, &mut Vec::new());
    Some(text.into_owned())
}

/// A sentence for the client about what went wrong.
pub fn detail(cause: &Cause) -> String {
    let mut arguments = FluentArgs::new();
    match cause {
        Cause::Site(Error::Invalid(errors) | Error::Taken(errors)) => {
            return errors.iter().map(field).collect::<Vec<_>>().join(" ");
        }
        Cause::Site(Error::InsufficientScope(scope)) => arguments.set("scope", *scope),
        Cause::Site(Error::TooManyRequests { retry_after, .. }) => {
            let (count, unit) = span(*retry_after);
            arguments.set("count", count);
            arguments.set("unit", unit);
        }
        Cause::Site(Error::Unserved(fault))
            if matches!(fault.kind, FaultKind::Full | FaultKind::ReadOnly | FaultKind::Damaged) =>
        {
            arguments.set("reason", "not-writable");
        }
        Cause::Request(RequestError::Malformed(why)) => arguments.set("reason", why.as_str()),
        Cause::Request(RequestError::UnsupportedMediaType(kind)) => arguments.set("type", *kind),
        Cause::Request(RequestError::CrossOrigin(address)) => {
            arguments.set("address", address.as_str());
        }
        Cause::Request(RequestError::MethodNotAllowed(methods)) => {
            arguments.set("methods", methods.as_str());
        }
        _ => {}
    }
    let id = format!("error-{}", cause.code());
    find(&id, Some(&arguments)).unwrap_or_else(|| cause.code().to_owned())
}

/// The same for programs: some sentences at the page door speak of the form.
pub fn api_detail(cause: &Cause) -> String {
    let id = format!("error-{}", cause.code());
    pattern(&id, Some("program"), None).unwrap_or_else(|| detail(cause))
}

/// What a scope lets a program do.
pub fn scope(scope: &str) -> String {
    find(&format!("scope-{}", scope.replace(':', "-")), None).unwrap_or_else(|| scope.to_owned())
}

/// Seconds as a readable number and its unit.
fn span(seconds: i64) -> (i64, &'static str) {
    match seconds {
        ..=90 => (seconds.max(1), "seconds"),
        _ => ((seconds + 59) / 60, "minutes"),
    }
}

/// A short summary of an error, the same for every occurrence.
pub fn title(code: &str) -> String {
    let id = format!("error-{code}");
    pattern(&id, Some("title"), None).unwrap_or_else(|| code.to_owned())
}

/// What is wrong with a field: the field's own message, or that of the rule.
pub fn field(error: &FieldError) -> String {
    let mut arguments = FluentArgs::new();
    for (name, value) in &error.parameters {
        match value {
            Parameter::Number(number) => arguments.set(*name, *number),
            Parameter::Text(text) => arguments.set(*name, text.as_str()),
        }
    }
    let rule: &str = error.rule.into();
    find(&format!("field-{}", error.code()), Some(&arguments))
        .or_else(|| find(&format!("rule-{rule}"), Some(&arguments)))
        .unwrap_or_else(|| error.code())
}

/// What a rule means, for the error reference.
pub fn rule_meaning(rule: &str) -> String {
    pattern(&format!("rule-{rule}"), Some("meaning"), None).unwrap_or_else(|| rule.to_owned())
}

/// A one-time notice, with its numbers.
pub fn flash(name: &str, counts: &[(&str, u32)]) -> Option<String> {
    let mut arguments = FluentArgs::new();
    for (name, count) in counts {
        arguments.set(*name, *count);
    }
    find(&format!("flash-{name}"), Some(&arguments))
}

/// What a feed or one of its entries is called.
pub fn feed(name: &str, arguments: &[(&'static str, &str)]) -> String {
    let known = arguments.iter().map(|(name, value)| (*name, FluentValue::from(*value))).collect();
    find(&format!("feed-{name}"), Some(&known)).unwrap_or_else(|| name.to_owned())
}

/// The display name of a kind of audit event.
pub fn event(kind: &str) -> String {
    find(&format!("event-{kind}"), None).unwrap_or_else(|| kind.to_owned())
}

/// What a check of the site found.
pub fn diagnosis(name: &str) -> String {
    find(&format!("check-{name}"), None).unwrap_or_else(|| name.to_owned())
}

/// What a check of the site looks at, by the first word of its diagnoses.
pub fn check(diagnosis: &str) -> String {
    let check = diagnosis.split('-').next().unwrap_or(diagnosis);
    find(&format!("checked-{check}"), None).unwrap_or_else(|| check.to_owned())
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;
    use crate::error::{Conflict, Credentials, Denial};
    use crate::models::moderation::checkup::Diagnosis;
    use crate::validation::Rule;
    use crate::web::response::catalogue;

    #[test]
    fn the_language_file_can_be_parsed() {
        let text = include_str!("../../../locales/en.ftl").to_owned();
        assert!(FluentResource::try_new(text).is_ok());
    }

    #[test]
    fn every_code_has_a_sentence_and_a_title() {
        let causes = Credentials::iter()
            .map(Error::InvalidCredentials)
            .chain(Denial::iter().map(Error::Forbidden))
            .chain(Conflict::iter().map(Error::Conflict))
            .map(Cause::Site)
            .chain(RequestError::iter().map(Cause::Request));
        for cause in causes {
            assert_ne!(detail(&cause), cause.code());
            assert_ne!(title(cause.code()), cause.code());
        }
        for entry in catalogue::entries() {
            assert_ne!(title(entry.code), entry.code);
            assert!(find(&format!("error-{}", entry.code), None).is_some(), "{}", entry.code);
        }
        for rule in Rule::iter() {
            let name: &str = rule.into();
            assert_ne!(field(&FieldError::new("anything", rule)), format!("anything.{name}"));
            assert_ne!(rule_meaning(name), name);
        }
    }

    #[test]
    fn every_diagnosis_has_a_sentence() {
        for found in Diagnosis::iter() {
            let name: &str = found.into();
            assert_ne!(diagnosis(name), name);
            assert!(!name.starts_with(&check(name)), "{name}");
        }
    }

    #[test]
    fn numbers_and_plurals_are_written_out() {
        let long = FieldError::new("content", Rule::TooLong);
        let long = long.with("max", 100_000usize).with("actual", 1_234_567usize);
        let text = field(&long);
        assert!(text.contains("100,000") && text.contains("1,234,567"), "{text}");
        let wait = |retry_after| {
            detail(&Cause::Site(Error::TooManyRequests { retry_after, first: false }))
        };
        assert!(wait(1).contains("1 second "), "{}", wait(1));
        assert!(wait(30).contains("30 seconds"), "{}", wait(30));
        assert!(wait(299).contains("5 minutes"), "{}", wait(299));
    }
}
