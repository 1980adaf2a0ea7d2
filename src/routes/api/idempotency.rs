//! Describes the Idempotency-Key of every POST.

use serde_json::json;
use utoipa::openapi::content::Content;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Type};

use crate::web::request::idempotency::{HEADER, REPLAYED};

const PROBLEM: &str = "application/problem+json";

/// The statuses of requests that are refused because of their key.
const REFUSALS: [(&str, &str); 3] = [
    ("400", "The request is malformed, or its `Idempotency-Key` is."),
    (
        "409",
        "The first request with this `Idempotency-Key` is still running, or its answer is lost.",
    ),
    ("422", "The `Idempotency-Key` was used for another request."),
];

/// Adds the header, and the answers that come of it, to a POST.
pub fn describe(operation: &mut Operation) {
    let key = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1));
    let parameter = ParameterBuilder::new()
        .name(HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "A new random string for each request, such as a UUID. Repeated within 24 hours with \
             the same key and body, the request is not carried out again, but has the same answer.",
        ))
        .schema(Some(key.max_length(Some(257)).pattern(Some("^[!-~]+$"))))
        .example(Some(json!("8e03978e-40d5-43dd-bc93-6894a57f9324")))
        .build();
    operation.parameters.get_or_insert_default().push(parameter.into());
    let responses = &mut operation.responses.responses;
    for (status, description) in REFUSALS {
        let response = responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(ResponseBuilder::new().description(description).build()));
        let RefOr::T(response) = response else { continue };
        let describes = |content: &RefOr<Content>| match content {
            RefOr::T(Content { schema: Some(RefOr::Ref(known)), .. }) => {
                known.ref_location.ends_with("/Problem")
            }
            _ => false,
        };
        if !response.content.values().any(describes) {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
            response.content.insert(PROBLEM.to_owned(), content.build().into());
        }
        if status == "409" {
            let header = HeaderBuilder::new()
                .schema(Some(
                    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).build(),
                ))
                .description(Some("Seconds to wait while the first request is running."))
                .build();
            response.headers.insert("Retry-After".to_owned(), header.into());
        }
    }
    for (_, response) in responses.iter_mut().filter(|(status, _)| status.starts_with('2')) {
        let RefOr::T(response) = response else { continue };
        let header = HeaderBuilder::new()
            .schema(Some(
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["true"])).build(),
            ))
            .description(Some("Present when the same request was answered before."))
            .build();
        response.headers.insert(REPLAYED.to_owned(), header.into());
    }
}
