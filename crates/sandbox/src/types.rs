//! Types for editors: the `.d.ts` files of `js/`, which say what an Action sees and may call.

/// Name and text of each file. They refer to each other, so they belong in one folder.
pub const FILES: &[(&str, &str)] = &[
    ("platform.d.ts", include_str!("../js/platform.d.ts")),
    ("post-login.d.ts", include_str!("../js/post-login.d.ts")),
    ("credentials-exchange.d.ts", include_str!("../js/credentials-exchange.d.ts")),
    ("pre-user-registration.d.ts", include_str!("../js/pre-user-registration.d.ts")),
    ("post-user-registration.d.ts", include_str!("../js/post-user-registration.d.ts")),
    ("post-change-password.d.ts", include_str!("../js/post-change-password.d.ts")),
    ("module.d.ts", include_str!("../js/module.d.ts")),
];

#[cfg(test)]
mod tests {
    use super::FILES;

    #[test]
    fn every_file_of_types_is_given_out() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/js");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut there: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        there.retain(|name| name.ends_with(".d.ts"));
        there.sort();
        let mut given: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        given.sort_unstable();
        assert_eq!(given, there);
    }
}
