//! Actions, versions, bindings and executions as the Management API writes them. Secrets never leave.

use domain::action::{Action, ActionSecret, ActionVersion, Binding, Execution};
use domain::action_module::ModuleRef;
use engine::actions::{ActionView, TestRun};
use engine::listing::Listing;
use serde_json::{Value, json};

/// A page of this API: always an object with totals.
pub(super) fn page<T>(name: &str, listing: Listing<T>, render: impl FnMut(T) -> Value) -> Value {
    let (start, limit) = (listing.start, listing.limit.max(1));
    let total = listing.total.unwrap_or(listing.items.len());
    let items: Vec<Value> = listing.items.into_iter().map(render).collect();
    let mut body = json!({ "total": total, "page": start / limit, "per_page": limit });
    body[name] = items.into();
    body
}

pub(super) fn triggers(action: &Action) -> Value {
    json!([{ "id": action.trigger, "version": action.trigger_version }])
}

fn add_modules(body: &mut Value, modules: &[ModuleRef]) {
    if modules.is_empty() {
        return;
    }
    let each = modules.iter().map(|module| {
        json!({
            "module_id": module.module_id,
            "module_name": module.module_name,
            "module_version_id": module.version_id,
            "module_version_number": module.version_number,
        })
    });
    body["modules"] = each.collect();
}

/// Names of secrets, and when each was set.
pub(super) fn secrets(secrets: &[ActionSecret]) -> Value {
    secrets
        .iter()
        .map(|secret| json!({ "name": secret.name, "updated_at": secret.updated_at.to_string() }))
        .collect()
}

/// What a version asked for, and what it got, which is more than Auth0 tells.
fn dependencies(version: &ActionVersion) -> Value {
    let mut list = version.source.dependencies.clone();
    for dependency in list.iter_mut().filter_map(Value::as_object_mut) {
        let name = dependency.get("name").and_then(Value::as_str).unwrap_or_default();
        let exact = version.packages.as_ref().and_then(|packages| packages.versions.get(name)).cloned();
        if let Some(exact) = exact {
            dependency.insert("resolved_version".to_owned(), exact.into());
        }
    }
    list.into()
}

/// An Action with what runs.
pub(super) fn action(view: &ActionView) -> Value {
    let action = &view.action;
    let mut body = json!({
        "id": action.id,
        "name": action.name,
        "supported_triggers": triggers(action),
        "created_at": action.created_at.to_string(),
        "updated_at": action.updated_at.to_string(),
        "code": action.draft.code,
        "dependencies": action.draft.dependencies,
        "runtime": action.draft.runtime,
        "status": "built",
        "secrets": secrets(&action.draft.secrets),
        "all_changes_deployed": action.all_changes_deployed,
    });
    add_modules(&mut body, &action.draft.modules);
    add_versions(&mut body, view);
    body
}

fn add_versions(body: &mut Value, view: &ActionView) {
    let Some(version) = &view.deployed else { return };
    let at = version.created_at.to_string();
    body["current_version"] = json!({
        "id": version.id,
        "code": version.source.code,
        "runtime": version.source.runtime,
        "status": "BUILT",
        "number": version.number,
        "build_time": at,
        "created_at": at,
        "updated_at": at,
    });
    body["deployed_version"] = frozen(version, &view.action, true);
}

fn frozen(version: &ActionVersion, action: &Action, deployed: bool) -> Value {
    let at = version.created_at.to_string();
    let mut body = json!({
        "id": version.id,
        "action_id": version.action_id,
        "code": version.source.code,
        "dependencies": dependencies(version),
        "deployed": deployed,
        "number": version.number,
        "built_at": at,
        "secrets": secrets(&version.source.secrets),
        "status": "built",
        "created_at": at,
        "updated_at": at,
        "runtime": version.source.runtime,
        "supported_triggers": triggers(action),
    });
    add_modules(&mut body, &version.source.modules);
    body
}

/// A version with its Action.
pub(super) fn version(version: &ActionVersion, action: &Action, deployed: bool) -> Value {
    let mut body = frozen(version, action, deployed);
    body["action"] = summary(action);
    body
}

fn summary(action: &Action) -> Value {
    json!({
        "id": action.id,
        "name": action.name,
        "supported_triggers": triggers(action),
        "created_at": action.created_at.to_string(),
        "updated_at": action.updated_at.to_string(),
        "all_changes_deployed": action.all_changes_deployed,
    })
}

/// A binding with its Action.
pub(super) fn binding(trigger: &str, binding: &Binding, view: &ActionView) -> Value {
    let mut action = summary(&view.action);
    add_versions(&mut action, view);
    json!({
        "id": binding.id,
        "trigger_id": trigger,
        "action": action,
        "created_at": binding.created_at.to_string(),
        "updated_at": binding.updated_at.to_string(),
        "display_name": binding.display_name,
    })
}

/// One run of a trigger.
pub(super) fn execution(execution: &Execution) -> Value {
    let results = execution.results.iter().map(|result| {
        let mut body = json!({
            "action_name": result.action_name,
            "started_at": result.started_at.to_string(),
            "ended_at": result.ended_at.to_string(),
            "console": result.console,
            "commands": result.commands,
            "cpu_us": result.cpu_us,
            "wall_us": result.wall_us,
        });
        if let Some((id, message)) = &result.error {
            body["error"] = json!({ "id": id, "msg": message });
            for (name, text) in [("name", &result.error_name), ("stack", &result.stack)] {
                if let Some(text) = text {
                    body["error"][name] = text.as_str().into();
                }
            }
        }
        if let Some(event) = &result.event {
            body["event"] = event.clone();
        }
        body
    });
    let ended = execution.results.last().map_or(execution.created_at, |last| last.ended_at);
    let failed = execution.results.iter().any(|result| result.error.is_some());
    json!({
        "id": execution.id,
        "trigger_id": execution.trigger,
        "status": if failed { "partial" } else { "final" },
        "results": results.collect::<Vec<_>>(),
        "created_at": execution.created_at.to_string(),
        "updated_at": ended.to_string(),
    })
}

/// What a test run gave. Console and commands are more than Auth0 tells.
pub(super) fn test_run(run: &TestRun) -> Value {
    let (total_ms, cpu_ms) = (run.wall_us / 1000, run.cpu_us / 1000);
    let mut payload = json!({
        "stats": {
            "total_request_duration_ms": total_ms,
            "total_runtime_execution_duration_ms": total_ms,
            "runtime_processing_duration_ms": cpu_ms,
            "action_duration_ms": total_ms,
            "runtime_external_call_duration_ms": 0,
            "boot_duration_ms": 0,
            "network_duration_ms": 0,
        },
        "console": run.console,
        "commands": run.commands,
    });
    if let Some((name, message, stack)) = &run.error {
        payload["error"] = json!({ "name": name, "message": message, "stack": stack });
    }
    json!({ "payload": payload })
}
