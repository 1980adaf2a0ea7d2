//! The form for an edit: also the one that shows what two people wrote as one text.

use rocket::Request;
use rocket::data::{Data, FromData, Outcome};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::input::Input;
use super::state::RequestState;
use crate::models::base::diff::merge::Marks;

/// The hidden field of a form with a merged text.
const MERGED: &str = "merged";
/// Its check box, for a text that is to have marks.
const KEEP_MARKS: &str = "keep_marks";

/// An edit, sent with a form of the page door. Both fields belong to the form alone: programs never get
/// a merged text, and so none of theirs has to be checked.
pub struct EditForm<T> {
    pub input: T,
    /// Whether its text was merged.
    pub is_merged: bool,
    pub marks: Marks,
}

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> FromData<'r> for EditForm<T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        Input::<T>::from_data(request, data).await.map(|Input(input)| {
            let fields = RequestState::of(request).form.get();
            let has = |name: &str| {
                let value = fields.and_then(|fields| fields.get(name)).and_then(Value::as_str);
                value.is_some_and(|text| !text.is_empty())
            };
            let is_merged = has(MERGED);
            let marks = if is_merged && !has(KEEP_MARKS) { Marks::Refused } else { Marks::Kept };
            EditForm { input, is_merged, marks }
        })
    }
}
