//! What is wrong with an audit log, in words for the operator.

use std::fmt;

use crate::error::AuditFault;

impl fmt::Display for AuditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuditFault::Missing(id) => write!(f, "event {id} is missing"),
            AuditFault::Changed(id) => write!(f, "event {id} was changed"),
            AuditFault::DetailsChanged(id) => write!(f, "the details of event {id} were changed"),
            AuditFault::DetailsMissing(id) => write!(
                f,
                "the details of event {id} are missing, although the account was not deleted"
            ),
            AuditFault::Seal(id) => write!(f, "the seal up to event {id} was changed"),
            AuditFault::UnknownKey { id, key } => write!(
                f,
                "the signature of the seal up to event {id} cannot be checked, since its key {key} \
                 is unknown; add the key to POSTLY_SECRET_KEY again, behind the others"
            ),
            AuditFault::Sealed { id, .. } => write!(f, "event {id} was sealed"),
            AuditFault::Head => write!(f, "the record of the last event was changed"),
            AuditFault::Checkpoint(id) => write!(f, "event {id} does not match the checkpoint"),
        }
    }
}
