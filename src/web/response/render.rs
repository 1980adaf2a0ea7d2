//! Rendering templates for the current user.

use rocket::Request;
use rocket::http::Status;
use rocket::response::{self, Responder};
use rocket_dyn_templates::Template;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::color_scheme::ColorScheme;
use super::flash::{self, FlashMessage};
use super::problem::FieldProblem;
use crate::models::base::settings::SiteSettings;
use crate::models::base::site::{EmailRules, Site};
use crate::models::users::user::User;
use crate::web::public_url::PublicUrl;
use crate::web::request::state::RequestState;

/// The state of a form, in addition to the view of its template.
#[derive(Default)]
pub struct FormState {
    pub errors: Vec<FieldProblem>,
    /// The values of the fields.
    pub fields: Map<String, Value>,
    pub preview: Option<String>,
}

/// Longest address that pages repeat, in bytes: lists do so in the forms of each item.
const MAX_ADDRESS: usize = 800;

/// The context of every template.
#[derive(Serialize)]
struct Context<'a, V> {
    site: SiteContext<'a>,
    me: Option<&'a User>,
    flash: Option<FlashMessage>,
    theme: ColorScheme,
    here: &'a str,
    /// The path with its query, for returning to this page; without it if it is long.
    address: String,
    view: V,
    errors: Vec<FieldProblem>,
    form: Map<String, Value>,
    form_id: &'a str,
    /// Whether the fields of the form were typed before a log-in.
    kept: bool,
    preview: Option<String>,
}

#[derive(Serialize)]
struct SiteContext<'a> {
    settings: &'a SiteSettings,
    /// The names of the documents in force.
    documents: &'a [String],
    url: Option<&'a str>,
    version: &'static str,
    email: EmailRules,
}

/// Renders a template; `view` is its own data.
pub fn render<V: Serialize>(
    request: &Request<'_>,
    status: Status,
    template: &'static str,
    view: V,
    form: FormState,
) -> response::Result<'static> {
    let public_url = request.rocket().state::<PublicUrl>();
    let Some(site) = request.rocket().state::<Site>() else {
        return Err(Status::InternalServerError);
    };
    let mut fields = form.fields;
    let kept = RequestState::of(request).kept.get().filter(|kept| !kept.is_empty());
    if let Some(kept) = kept {
        fields.extend(kept.clone());
    }
    let (settings, documents) = (site.settings.current(), site.settings.documents());
    let uri = request.uri();
    let whole = uri.to_string();
    let is_short = whole.len() <= MAX_ADDRESS;
    let context = Context {
        site: SiteContext {
            settings: &settings,
            documents: &documents,
            url: public_url.map(PublicUrl::origin),
            version: env!("CARGO_PKG_VERSION"),
            email: site.email_rules(),
        },
        me: RequestState::of(request).authenticated().map(|authenticated| &authenticated.user),
        flash: public_url.and_then(|public_url| flash::take(request, public_url)),
        theme: public_url
            .map_or(ColorScheme::System, |public_url| ColorScheme::of(request, public_url)),
        here: uri.path().as_str(),
        address: if is_short { whole } else { uri.path().to_string() },
        view,
        errors: form.errors,
        kept: kept.is_some(),
        form: fields,
        form_id: RequestState::of(request).form_id(),
        preview: form.preview,
    };
    let mut response = Template::render(template, context).respond_to(request)?;
    response.set_status(status);
    Ok(response)
}

/// The fields of an object; empty for any other value.
pub fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A full error page.
pub fn error_page(
    request: &Request<'_>,
    status: Status,
    title: String,
    detail: String,
) -> response::Result<'static> {
    let view = json!({
        "status": status.code,
        "title": title,
        "detail": detail,
        "request_id": RequestState::of(request).caller.request_id,
    });
    render(request, status, "error.html", view, FormState::default())
}
