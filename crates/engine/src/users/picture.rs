//! The picture of a user who brought none: their initials, drawn by this server.
//!
//! Auth0 names a picture at a third party, by a hash of the user's address; whoever shows it tells that party of them.

use domain::user::{User, initials};

use crate::Engine;

impl Engine {
    /// The user with a picture: their own, or one of their initials.
    pub(crate) fn pictured(&self, user: User) -> User {
        let called = user.email.as_ref().or(user.name.as_ref()).or(user.nickname.as_ref());
        let drawn =
            || format!("{}avatars/{}.svg", self.issuer(), initials(called.map_or("", String::as_str)));
        User { picture: user.picture.clone().or_else(|| Some(drawn())), ..user }
    }
}
