//! npm's own files, read and written: the manifest that asks, and the lock that answers (`package-lock.json`, version 3).

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use domain::action::Packages;
use domain::id::hexadecimal;
use domain::limits::ACTION_PACKAGES_LOCK_BYTES_MAX;
use serde_json::{Map, Value, json};

use super::Dependency;

/// A manifest (`package.json`) that asks for packages.
pub(super) fn manifest(wanted: &BTreeMap<&str, &str>) -> String {
    json!({ "name": "packages", "private": true, "dependencies": wanted }).to_string()
}

/// The set that a lock describes.
///
/// # Errors
/// A sentence for whoever deploys: a package that comes from elsewhere than a registry, or too many.
pub(super) fn packages_of(lock: &str, dependencies: &[Dependency]) -> Result<Packages, String> {
    let unreadable = || "npm's lock can't be read".to_owned();
    let mut lock: Value = serde_json::from_str(lock).map_err(|_| unreadable())?;
    let packages = lock["packages"].as_object_mut().ok_or_else(unreadable)?;
    let mut lines = Vec::with_capacity(packages.len());
    for (place, package) in packages.iter_mut().filter(|(place, _)| !place.is_empty()) {
        let package = package.as_object_mut().ok_or_else(unreadable)?;
        let (Some(version), Some(integrity)) = (text(package, "version"), text(package, "integrity")) else {
            let name = place.rsplit("node_modules/").next().unwrap_or(place);
            return Err(format!("{name} doesn't come from a registry, as every package must"));
        };
        lines.push(format!("{place}@{version} {integrity}\n"));
        // Where it came from is this machine's affair.
        package.remove("resolved");
    }
    lines.sort();
    let mut versions = BTreeMap::new();
    for dependency in dependencies {
        let place = format!("node_modules/{}", dependency.name);
        let version = packages.get(&place).and_then(|package| package["version"].as_str());
        let version = version.ok_or_else(|| format!("npm installed no {}", dependency.name))?;
        versions.insert(dependency.name.clone(), version.to_owned());
    }
    // The same manifest as an installation from this lock will have.
    packages.insert(String::new(), json!({ "name": "packages", "dependencies": versions }));
    let lock = lock.to_string();
    if lock.len() > ACTION_PACKAGES_LOCK_BYTES_MAX {
        return Err(format!("the dependencies come to {} packages, which are too many", lines.len()));
    }
    let id = hexadecimal(digest(&SHA256, lines.concat().as_bytes()).as_ref());
    Ok(Packages { id, versions, lock })
}

fn text(package: &Map<String, Value>, name: &str) -> Option<String> {
    package.get(name).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Dependency, packages_of};

    fn wanted() -> Vec<Dependency> {
        vec![Dependency { name: "@a/b".to_owned(), version: "^1".to_owned() }]
    }

    fn lock(integrity: Value, resolved: &str) -> String {
        json!({ "name": "x", "lockfileVersion": 3, "packages": {
            "": { "dependencies": { "@a/b": "^1" } },
            "node_modules/c": { "version": "2.0.0", "integrity": "sha512-c" },
            "node_modules/@a/b": { "version": "1.4.0", "integrity": integrity, "resolved": resolved },
        } })
        .to_string()
    }

    #[test]
    fn a_set_is_named_by_what_is_in_it_and_not_by_where_it_came_from() {
        let one = packages_of(&lock(json!("sha512-b"), "https://one.example/b.tgz"), &wanted()).unwrap();
        let two = packages_of(&lock(json!("sha512-b"), "https://two.example/b.tgz"), &wanted()).unwrap();
        assert_eq!(one, two);
        assert!(!one.lock.contains("example"), "{}", one.lock);
        assert_eq!(one.versions.get("@a/b").map(String::as_str), Some("1.4.0"));
        let lock: Value = serde_json::from_str(&one.lock).unwrap();
        assert_eq!(lock["packages"][""]["dependencies"], json!({ "@a/b": "1.4.0" }));
        let other = packages_of(&super::tests::lock(json!("sha512-other"), ""), &wanted()).unwrap();
        assert_ne!(one.id, other.id);
    }

    #[test]
    fn what_comes_from_elsewhere_is_refused_by_name() {
        let error = packages_of(&lock(Value::Null, "git+ssh://git@example/b.git"), &wanted()).unwrap_err();
        assert_eq!(error, "@a/b doesn't come from a registry, as every package must");
        let absent = vec![Dependency { name: "z".to_owned(), version: "1".to_owned() }];
        assert_eq!(packages_of(&lock(json!("s"), ""), &absent).unwrap_err(), "npm installed no z");
        assert!(packages_of("{}", &[]).is_err());
    }
}
