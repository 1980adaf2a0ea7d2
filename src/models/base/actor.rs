//! Who performs an action, and from where. Functions that need permission take an `Actor` or an
//! `Admin`, so that a forgotten check does not compile.

use std::sync::Arc;

use crate::error::{Denial, Error, Result};
use crate::models::base::caller::Caller;
use crate::models::base::rate_limit::Budget;
use crate::models::base::rate_policy::RatePolicy;
use crate::models::users::user::{Role, User};

/// The user who performs an action, and the request.
#[derive(Debug, Clone)]
pub struct Actor {
    pub user: User,
    pub caller: Arc<Caller>,
}

impl Actor {
    /// # Errors
    /// `Forbidden`, unless this user may change what `owner` (a user's id) owns.
    pub fn permit(&self, owner: i64) -> Result<()> {
        match self.user.may_change(owner) {
            true => Ok(()),
            false => Err(Error::Forbidden(Denial::NotAuthor)),
        }
    }

    /// The budgets of what this user does: their own, and that of their network.
    pub fn budgets(&self, own: RatePolicy, network: RatePolicy) -> [Budget; 2] {
        Budget::of_user(self.user.id, &self.caller, own, network)
    }
}

/// An administrator: a user with the role admin, or the operator at the command line, who needs no
/// account.
#[derive(Debug, Clone)]
pub struct Admin(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Person(Actor),
    Operator(Arc<Caller>),
}

impl Admin {
    /// # Errors
    /// `Forbidden`, unless the user is an admin.
    pub fn of(actor: Actor) -> Result<Admin> {
        match actor.user.role {
            Role::Admin => Ok(Admin(Kind::Person(actor))),
            Role::User => Err(Error::Forbidden(Denial::NotAdmin)),
        }
    }

    pub fn operator() -> Admin {
        Admin(Kind::Operator(Arc::new(Caller::operator())))
    }

    /// The admin's account; the operator has none.
    pub fn user(&self) -> Option<&User> {
        match &self.0 {
            Kind::Person(actor) => Some(&actor.user),
            Kind::Operator(_) => None,
        }
    }

    pub fn caller(&self) -> &Caller {
        match &self.0 {
            Kind::Person(actor) => &actor.caller,
            Kind::Operator(caller) => caller,
        }
    }
}
