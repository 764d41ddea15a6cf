//! `import` and `export` as CommonJS has them: `require`, and assignments to `exports` behind the last line.
//!
//! A default import is the whole module, as Node.js gives it for a CommonJS one. The code stays sloppy, as a CommonJS
//! script is. Exports are read once, when the script has run; nothing here follows a `let` that changes later.

use std::fmt::Write;

use oxc_ast::ast::{
    Declaration, ExportDefaultDeclarationKind, ExportNamedDeclaration, ImportDeclaration,
    ImportDeclarationSpecifier, ModuleDeclaration,
};
use oxc_ast_visit::walk;
use oxc_span::{GetSpan, Span};

use super::blank::Blanker;

const ATTRIBUTES: &str = "Import attributes and import phases are not supported";
const REEXPORT: &str = "'export … from' is not supported: import it, then export it";
const EXPORT_DEFAULT: &str = "'export default' is not supported: export the handler by its name";
const EXPORT_ASSIGNMENT: &str = "'export =' is not supported: write 'module.exports ='";
const EXPORT_LET: &str = "Only constants can be exported: write 'export const'";

impl Blanker<'_> {
    pub(super) fn module_declaration(&mut self, it: &ModuleDeclaration<'_>) {
        match it {
            ModuleDeclaration::ImportDeclaration(import) => self.import(import),
            ModuleDeclaration::ExportNamedDeclaration(export) => self.export(export),
            ModuleDeclaration::ExportAllDeclaration(export) if export.export_kind.is_type() => {
                self.blank_statement(export.span);
            }
            ModuleDeclaration::ExportAllDeclaration(export) => self.refuse(export.span, REEXPORT),
            ModuleDeclaration::ExportDefaultDeclaration(export) => match &export.declaration {
                ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => self.blank_statement(export.span),
                _ => self.refuse(export.span, EXPORT_DEFAULT),
            },
            ModuleDeclaration::TSExportAssignment(export) => self.refuse(export.span, EXPORT_ASSIGNMENT),
            ModuleDeclaration::TSNamespaceExportDeclaration(export) => self.blank_statement(export.span),
        }
    }

    fn import(&mut self, it: &ImportDeclaration<'_>) {
        if it.import_kind.is_type() {
            self.blank_statement(it.span);
            return;
        }
        if it.with_clause.is_some() || it.phase.is_some() {
            self.refuse(it.span, ATTRIBUTES);
            return;
        }
        let module = format!("require({})", text(self.source, it.source.span));
        let Some(specifiers) = it.specifiers.as_ref().filter(|specifiers| !specifiers.is_empty()) else {
            self.replace_statement(it.span, format!("{module};"));
            return;
        };
        let (mut whole, mut named) = (Vec::new(), Vec::new());
        for specifier in specifiers {
            match specifier {
                ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => whole.push(it.local.name.as_str()),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => {
                    whole.push(it.local.name.as_str())
                }
                ImportDeclarationSpecifier::ImportSpecifier(it) if it.import_kind.is_type() => {}
                ImportDeclarationSpecifier::ImportSpecifier(it) if it.imported.name() == "default" => {
                    whole.push(it.local.name.as_str());
                }
                ImportDeclarationSpecifier::ImportSpecifier(it) => {
                    named.push(format!("{}: {}", text(self.source, it.imported.span()), it.local.name));
                }
            }
        }
        let mut targets: Vec<String> = whole.iter().map(|name| (*name).to_owned()).collect();
        if !named.is_empty() {
            targets.push(format!("{{ {} }}", named.join(", ")));
        }
        if targets.is_empty() {
            self.blank_statement(it.span);
            return;
        }
        let constants: Vec<String> = targets.iter().map(|target| format!("{target} = {module}")).collect();
        self.replace_statement(it.span, format!("const {};", constants.join(", ")));
    }

    /// Puts other text in the place of a statement, and keeps its number of lines.
    fn replace_statement(&mut self, span: Span, mut replacement: String) {
        let breaks = text(self.source, span).matches('\n').count();
        replacement.extend(std::iter::repeat_n('\n', breaks));
        self.edits.replace(span.start, span.end, replacement);
    }

    fn export(&mut self, it: &ExportNamedDeclaration<'_>) {
        if it.export_kind.is_type() {
            self.blank_statement(it.span);
            return;
        }
        if it.source.is_some() {
            self.refuse(it.span, REEXPORT);
            return;
        }
        let Some(declaration) = &it.declaration else {
            let values = it.specifiers.iter().filter(|specifier| !specifier.export_kind.is_type());
            let names = values.map(|it| (it.exported.name().to_string(), it.local.name().to_string()));
            self.exports.extend(names);
            self.blank_statement(it.span);
            return;
        };
        if !self.declaration(declaration, it.span) {
            return;
        }
        self.edits.blank(it.span.start, declaration.span().start);
        let names: Vec<String> = match declaration {
            Declaration::VariableDeclaration(variables) => {
                if !variables.kind.is_const() {
                    self.refuse(it.span, EXPORT_LET);
                }
                let patterns = variables.declarations.iter();
                let identifiers = patterns.flat_map(|declarator| declarator.id.get_binding_identifiers());
                identifiers.map(|identifier| identifier.name.to_string()).collect()
            }
            Declaration::FunctionDeclaration(function) => {
                function.id.iter().map(|id| id.name.to_string()).collect()
            }
            Declaration::ClassDeclaration(class) => class.id.iter().map(|id| id.name.to_string()).collect(),
            _ => Vec::new(),
        };
        self.exports.extend(names.into_iter().map(|name| (name.clone(), name)));
        walk::walk_declaration(self, declaration);
    }
}

/// Adds the assignments on a line of their own, because the last may end in a comment.
pub(super) fn append_exports(result: &mut String, exports: &[(String, String)]) {
    if exports.is_empty() {
        return;
    }
    result.push('\n');
    for (outside, inside) in exports {
        let quoted = serde_json::Value::from(outside.as_str());
        // Writing to a String cannot fail.
        let _ = write!(result, "exports[{quoted}] = {inside};");
    }
}

fn text(source: &str, span: Span) -> &str {
    source.get(span.start as usize..span.end as usize).unwrap_or_default()
}
