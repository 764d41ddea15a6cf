//! The npm packages that an Action asks for, as the Management API writes them: which are legal.
//!
//! Auth0: Management API v2 › actions, `dependencies`. Packages come from the registry that the operator's npm is set
//! up for, so an entry names no other source.

use domain::limits::ACTION_DEPENDENCIES_MAX;
use serde_json::Value;

use crate::Error;
use crate::packages::Dependency;

/// Characters of a package's name (npm: package name rules).
const NAME_CHARACTERS_MAX: usize = 214;
/// Characters of a version. Ours: a range with several alternatives.
const VERSION_CHARACTERS_MAX: usize = 128;
/// What is installed where no version is given.
const VERSION_DEFAULT: &str = "latest";

/// Reads a list of `{name, version}`.
///
/// # Errors
/// [`Error::Invalid`], naming the property.
pub(super) fn read(list: &[Value]) -> Result<Vec<Dependency>, Error> {
    if list.len() > ACTION_DEPENDENCIES_MAX {
        let reason = format!("Array is too long ({}), maximum {ACTION_DEPENDENCIES_MAX}", list.len());
        return Err(Error::property(&reason, "dependencies"));
    }
    let mut read: Vec<Dependency> = Vec::with_capacity(list.len());
    for (at, entry) in list.iter().enumerate() {
        let dependency = read_one(entry, at)?;
        if read.iter().any(|other| other.name == dependency.name) {
            let reason = format!("{} is asked for twice", dependency.name);
            return Err(Error::property(&reason, &format!("dependencies[{at}].name")));
        }
        read.push(dependency);
    }
    Ok(read)
}

fn read_one(entry: &Value, at: usize) -> Result<Dependency, Error> {
    let refused = |reason: &str, name: &str| Error::property(reason, &format!("dependencies[{at}]{name}"));
    let entry = entry.as_object().ok_or_else(|| refused("Expected type object", ""))?;
    let name = match entry.get("name") {
        Some(Value::String(name)) => name.as_str(),
        Some(_) => return Err(refused("Expected type string", ".name")),
        None => return Err(refused("Missing required property: name", "")),
    };
    if !is_name(name) {
        return Err(refused("not the name of an npm package", ".name"));
    }
    let version = match entry.get("version") {
        Some(Value::String(version)) => version.trim(),
        None | Some(Value::Null) => VERSION_DEFAULT,
        Some(_) => return Err(refused("Expected type string", ".version")),
    };
    if !is_version(version) {
        let reason = "expected a version, a range of versions or a tag such as latest: packages come from the \
                      registry, not from addresses, files or repositories";
        return Err(refused(reason, ".version"));
    }
    match entry.get("registry_url") {
        None | Some(Value::Null) => {}
        Some(Value::String(url)) if url.is_empty() => {}
        Some(_) => {
            let reason = "registries are the operator's to choose, in the settings of npm";
            return Err(refused(reason, ".registry_url"));
        }
    }
    Ok(Dependency { name: name.to_owned(), version: version.to_owned() })
}

/// npm's rules for new names, and none of the old exceptions.
fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        let legal = |letter: char| {
            letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '-' | '_' | '.' | '~')
        };
        !part.is_empty() && !part.starts_with(['.', '_', '-']) && part.chars().all(legal)
    };
    if name.len() > NAME_CHARACTERS_MAX || matches!(name, "node_modules" | "favicon.ico") {
        return false;
    }
    match name.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| part(scope) && part(name)),
        None => part(name),
    }
}

/// Whether npm reads it as a version, a range or a tag, and not as an address, a file or a repository.
fn is_version(version: &str) -> bool {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || " .^~<>=|*+-_".contains(letter);
    let lower = version.to_ascii_lowercase();
    (1..=VERSION_CHARACTERS_MAX).contains(&version.len())
        && version.chars().all(legal)
        && !version.starts_with(['.', '-', '_'])
        && ![".tgz", ".tar", ".tar.gz"].iter().any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    fn problem(list: Value) -> String {
        read(list.as_array().unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn names_with_versions_ranges_and_tags_are_read() {
        let list = json!([
            { "name": "lodash", "version": "4.17.21" },
            { "name": "@scope/a.b-c", "version": "^1.2 || >=3.0.0-beta.1 <4", "registry_url": "" },
            { "name": "uuid" },
            { "name": "next", "version": "canary", "registry_url": null },
        ]);
        let read = read(list.as_array().unwrap()).unwrap();
        let versions: Vec<&str> = read.iter().map(|one| one.version.as_str()).collect();
        assert_eq!(versions, ["4.17.21", "^1.2 || >=3.0.0-beta.1 <4", "latest", "canary"]);
    }

    #[test]
    fn every_other_source_is_refused_and_the_property_is_named() {
        for version in [
            "file:../x",
            "../x",
            "./x",
            "/etc",
            "~/x",
            "git+ssh://x",
            "github:a/b",
            "a/b",
            "https://x/y.tgz",
            "y.tgz",
            "npm:other@1",
            "workspace:*",
            "",
            "-rf",
            "1\n2",
            "a.tar.gz",
        ] {
            let text = problem(json!([{ "name": "a", "version": version }]));
            assert!(text.ends_with("on property dependencies[0].version."), "{version}: {text}");
        }
        for name in [
            "",
            "A",
            "a b",
            "../a",
            "@a",
            "@a/",
            "@/a",
            ".a",
            "_a",
            "a/b",
            "node_modules",
            "a@1",
            "https://x",
        ] {
            let text = problem(json!([{ "name": "ok" }, { "name": name }]));
            assert!(text.ends_with("on property dependencies[1].name."), "{name}: {text}");
        }
        let text = problem(json!([{ "name": "a", "registry_url": "https://elsewhere.example" }]));
        assert!(text.ends_with("on property dependencies[0].registry_url."), "{text}");
        assert!(problem(json!(["a"])).ends_with("on property dependencies[0]."));
        assert!(problem(json!([{ "version": "1" }])).contains("name"));
        assert!(problem(json!([{ "name": "a" }, { "name": "a" }])).contains("twice"));
        let many: Vec<Value> = (0..11).map(|n| json!({ "name": format!("a{n}") })).collect();
        assert!(problem(Value::Array(many)).contains("maximum 10"));
    }
}
