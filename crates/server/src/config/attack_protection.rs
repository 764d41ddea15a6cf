//! `[attack_protection]`: what guessing is held with, beside the tenant's settings.

use std::path::PathBuf;

use super::section::section;

section! {
    /// What attack protection needs from this machine. What it does is the tenant's to choose, through
    /// `/api/v2/attack-protection`.
    "attack_protection" AttackProtection {
        /// A list of passwords that are known from breaches: a file with one SHA-1 hash in hexadecimal on each line, in
        /// ascending order; what follows a colon on a line does not count. It is read where it lies, at any size. Unset,
        /// breached-password detection finds nothing.
        breached_passwords: Option<PathBuf> = None;
    }
}
