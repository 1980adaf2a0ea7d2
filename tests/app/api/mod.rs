//! What holds for the whole API.

mod conditions;
mod messages;
mod methods;
mod parameters;
mod scopes;
